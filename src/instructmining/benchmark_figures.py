"""Charts of benchmarks: frames in, Altair charts out, as in figures.py."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from instructmining.figures import MAIN, RANDOM, Figure, Tip, strategy_colour

LOSS = "#d1495b"
_NUMBERS = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")]


def values(table: pl.DataFrame, random: Sequence[str], title: str) -> Figure:
    """A point a run with its interval over items. ``table``: from ``benchmark_tables.runs``, of one benchmark."""
    shown = table.with_columns(run=pl.format("{}, {}", _order(), "size"))
    tooltip: list[Tip] = ["run:N", *_NUMBERS, "n_used:Q"]
    base = alt.Chart(shown).encode(
        y=alt.Y("run:N", title=None, sort=None, axis=alt.Axis(labelLimit=220)),
        color=strategy_colour(table["strategy"].to_list(), list(random)),
        tooltip=tooltip,
    )
    x = alt.X("value:Q", title=table["unit"][0], scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=5))
    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.6).encode(x=alt.X("low:Q", title=table["unit"][0]), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x),
    ).properties(width="container", height=20 * shown["run"].n_unique(), title=title)


def parts(table: pl.DataFrame, random: Sequence[str], unit: str, title: str) -> Figure:
    """Value by category or task, a bar a strategy with its interval. ``table``: from ``benchmark_tables.parts``."""
    base = alt.Chart(table).encode(
        y=alt.Y("part:N", title=None, axis=alt.Axis(labelLimit=220)),
        yOffset=alt.YOffset("strategy:N"),
        color=strategy_colour(table["strategy"].to_list(), list(random)),
        tooltip=["strategy:N", "part:N", *_NUMBERS, "items:Q"],
    )
    return alt.layer(
        base.mark_bar(opacity=0.7).encode(x=alt.X("value:Q", title=unit, axis=alt.Axis(tickCount=5))),
        base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title=unit), x2="high:Q"),
    ).properties(
        width="container", height=10 * table["part"].n_unique() * (1 + table["strategy"].n_unique()), title=title
    )


def verdicts(table: pl.DataFrame, title: str) -> Figure:
    """Win, tie and lose by category (Cao et al. 2023, Figure 3). ``table``: of one strategy and size, from
    ``benchmark_tables.verdicts``."""
    order = ["win", "tie", "lose"]
    first = ["all", *sorted(name for name in table["part"].unique() if name != "all")]
    return (
        alt.Chart(table.with_columns(rank=pl.col("verdict").replace_strict(order, [0, 1, 2], return_dtype=pl.Int64)))
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="share of items", axis=alt.Axis(format="%", tickCount=5), stack="zero"),
            y=alt.Y("part:N", title=None, sort=first, axis=alt.Axis(labelLimit=220)),
            color=alt.Color("verdict:N", title=None, scale=alt.Scale(domain=order, range=[MAIN, RANDOM, LOSS])),
            order=alt.Order("rank:Q"),
            tooltip=["part:N", "verdict:N", "items:Q", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(width="container", height=20 * table["part"].n_unique(), title=title)
    )


def _order() -> pl.Expr:
    """Strategy and seed: random-1."""
    seeded = pl.format("{}-{}", "strategy", "seed")
    return pl.when(pl.col("seed").is_null()).then("strategy").otherwise(seeded)

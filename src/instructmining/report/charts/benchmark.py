"""Charts of benchmarks: frames in, Altair charts out, as in figures.py."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from instructmining.report.charts.base import FEW, MAIN, NAMES, RANDOM, Figure, Tip, strategy_colour, value_scale

LOSS = "#d1495b"
_NUMBERS = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")]


def values(table: pl.DataFrame, random: Sequence[str], title: str) -> Figure:
    """A point a run with its interval over items. ``table``: from ``benchmark_tables.runs``, of one benchmark."""
    shown = table.with_columns(run=pl.format("{}, {}", _order(), "size"))
    tooltip: list[Tip] = ["run:N", *_NUMBERS, "n_used:Q"]
    base = alt.Chart(shown).encode(
        y=alt.Y("run:N", title=None, sort=None, axis=NAMES),
        color=strategy_colour(table["strategy"].to_list(), list(random), shown["run"].to_list()),
        tooltip=tooltip,
    )
    x_scale = value_scale([*table["value"], *table["low"], *table["high"]], padding=12)
    x = alt.X("value:Q", title=table["unit"][0], scale=x_scale, axis=FEW)
    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.6).encode(x=alt.X("low:Q", title=table["unit"][0]), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x),
    ).properties(width="container", height=20 * shown["run"].n_unique(), title=title)


def parts(table: pl.DataFrame, random: Sequence[str], unit: str, title: str) -> Figure:
    """Value by category or task, a point a strategy with its interval. ``table``: from ``benchmark_tables.parts``."""
    # not bars: they would hide the intervals, and a value of 0
    x = alt.X("value:Q", title=unit, scale=value_scale([*table["value"], *table["low"], *table["high"]], 12), axis=FEW)
    base = alt.Chart(table).encode(
        y=alt.Y("part:N", title=None, axis=NAMES),
        yOffset=alt.YOffset("strategy:N"),
        color=strategy_colour(table["strategy"].to_list(), list(random), table["part"].to_list()),
        tooltip=["strategy:N", "part:N", *_NUMBERS, "items:Q"],
    )
    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.6).encode(x=alt.X("low:Q", title=unit), x2="high:Q"),
        base.mark_point(filled=True, size=50, opacity=1).encode(x=x),
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
            x=alt.X("share:Q", title="share of items", axis=alt.Axis(format="%", values=[0, 0.5, 1]), stack="zero"),
            y=alt.Y("part:N", title=None, sort=first, axis=NAMES),
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

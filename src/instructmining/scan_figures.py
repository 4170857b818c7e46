"""Chart of a size scan: frames in, an Altair chart out, as in figures.py."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from instructmining.figures import Figure, Tip, strategy_colour

_VALUE = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")]


def size_scan(
    evaluations: pl.DataFrame, points: pl.DataFrame, table: pl.DataFrame, random: Sequence[str], title: str
) -> Figure:
    """Value against size on an axis of doublings (Cao et al. 2023, Figures 1 and 4).

    ``evaluations``: from ``comparison.read_evaluations``, ``points`` and ``table``: from ``size_scan.scan``, all of one
    pool, recipe and benchmark. A selected strategy is a line in the band of its 95 % interval; a random one the grey
    mean over seeds in the band from the least to the greatest; the subset of everything is a dashed rule. What was
    found is named where it is.
    """
    names = evaluations["strategy"].to_list()
    colour = strategy_colour(names, list(random))
    scanned = sorted(set(points["examples"])) or [1]
    scale = alt.Scale(type="log", base=2, nice=False, padding=24)
    x = alt.X(
        "examples:Q",
        title="examples",
        scale=scale,
        axis=alt.Axis(values=scanned, format=",d", labelOverlap=True, grid=False),
    )
    unit, y_scale = evaluations["unit"][0], alt.Scale(zero=False, padding=14)
    y = alt.Y("value:Q", title=unit, scale=y_scale)
    sized = evaluations.filter(pl.col("size") != "all")
    seeds = sized.filter(pl.col("strategy").is_in(list(random)))
    ranges = seeds.group_by("strategy", "examples").agg(low=pl.col("value").min(), high=pl.col("value").max())
    chosen = points.filter(~pl.col("strategy").is_in(list(random)))
    bands = pl.concat([ranges.sort("strategy", "examples"), chosen.select("strategy", "examples", "low", "high")])
    tooltip: list[Tip] = ["strategy:N", alt.Tooltip("examples:Q", format=","), *_VALUE, "seeds:Q"]
    lines = alt.Chart(points).encode(x=x, y=y, color=colour, tooltip=tooltip)
    each = alt.Chart(seeds).encode(x=x, y=y, color=colour, tooltip=["strategy:N", "seed:N", "examples:Q", *_VALUE[:1]])
    everything = evaluations.filter(pl.col("size") == "all")
    layers = [
        alt.Chart(bands)
        .mark_area(opacity=0.18)
        .encode(x=x, y=alt.Y("low:Q", scale=y_scale), y2="high:Q", color=colour),
        alt.Chart(everything)
        .mark_rule(strokeDash=[6, 4])
        .encode(y=y, color=colour, tooltip=["strategy:N", *_VALUE[:1]]),
        each.mark_point(filled=True, size=18, opacity=0.5),
        lines.mark_line(),
        lines.mark_point(filled=True, size=50, opacity=1),
        *_marks(points, table, x, y, colour),
    ]
    return alt.layer(*layers).properties(width="container", height=320, title=title)


def _marks(
    points: pl.DataFrame, table: pl.DataFrame, x: alt.X, y: alt.Y, colour: alt.Color
) -> list[alt.Chart | alt.LayerChart]:
    """A ring and a word at every pattern found; a vertical rule where curves cross."""
    found = table.filter(pl.col("verdict") == "found").select("strategy", "random", "pattern", examples="size")
    named = found.with_columns(pattern=pl.col("pattern").replace({"rise": "peak"}))
    on_curve = named.filter(pl.col("pattern") != "crossing").join(points, on=["strategy", "examples"])
    crossings = named.filter(pl.col("pattern") == "crossing").with_columns(
        told=pl.format("{} no worse than {} from here", "random", "strategy")
    )
    tooltip: list[Tip] = ["strategy:N", "pattern:N", alt.Tooltip("examples:Q", format=","), *_VALUE]
    rings = alt.Chart(on_curve).encode(x=x, y=y, color=colour, tooltip=tooltip)
    rules = alt.Chart(crossings).encode(x=x, color=colour, tooltip=["told:N", alt.Tooltip("examples:Q", format=",")])
    return [
        rules.mark_rule(strokeWidth=1.5, strokeDash=[2, 3]),
        # on the side away from the axis' end, so that nothing is cut off
        rules.mark_text(align="right", dx=-5, baseline="top").encode(y=alt.value(2), text="told:N"),
        rings.mark_point(size=240, strokeWidth=2.5),
        rings.mark_text(dy=-18, fontSize=11).encode(text="pattern:N"),
    ]

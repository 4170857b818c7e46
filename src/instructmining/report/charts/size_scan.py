"""Chart of a size scan: frames in, an Altair chart out, as in figures.py."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from instructmining.evaluations import LOWER
from instructmining.report.charts.base import RANDOM, Figure, Tip, strategy_colour, value_scale

_VALUE = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "low", "high")]


def size_scan(
    evaluations: pl.DataFrame, points: pl.DataFrame, table: pl.DataFrame, random: Sequence[str], title: str
) -> Figure:
    """Value against size on an axis of doublings (Cao et al. 2023, Figures 1 and 4).

    ``evaluations``: from ``comparison.read_evaluations``, ``points`` and ``table``: from ``size_scan.scan``, all of one
    pool, recipe and benchmark. A selected strategy is a line in the band of its 95 % interval; a random one the grey
    mean over seeds in the band from the least to the greatest; the subset of everything is a dashed rule. What was
    found is ringed, of selected strategies with its name.
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
    unit, y_scale = evaluations["unit"][0], value_scale(evaluations["value"].to_list(), padding=14)
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
    rule = alt.Chart(everything).encode(y=y, color=colour, tooltip=["strategy:N", *_VALUE[:1]])
    low = alt.Y("low:Q", scale=y_scale)
    layers = [
        alt.Chart(bands).mark_area(opacity=0.18).encode(x=x, y=low, y2="high:Q", color=colour),
        # a layer of nothing would have the browser complain
        *([rule.mark_rule(strokeDash=[6, 4])] if everything.height else []),
        *([each.mark_point(filled=True, size=18, opacity=0.5)] if seeds.height else []),
        lines.mark_line(),
        lines.mark_point(filled=True, size=50, opacity=1),
        *_crossings(table, x),
        *_marks(points, table, random, evaluations["direction"][0] == LOWER, x, y, colour),
    ]
    return alt.layer(*layers).properties(width="container", height=320, title=title)


def _crossings(table: pl.DataFrame, x: alt.X) -> list[alt.Chart]:
    """A vertical rule where curves cross; at one size there may be several."""
    told = pl.format("{} no worse than {} from here on", "random", "strategy")
    found = table.filter(pl.col("verdict") == "found", pl.col("pattern") == "crossing")
    if found.is_empty():
        return []
    rules = alt.Chart(
        found.group_by(examples="size", maintain_order=True).agg(
            told=told.str.join("; "), pattern=pl.col("pattern").first()
        )
    ).encode(x=x, tooltip=["told:N", alt.Tooltip("examples:Q", format=",")])
    return [
        rules.mark_rule(strokeWidth=1.5, strokeDash=[2, 3], color=RANDOM),
        # leftwards, away from the axis' end, so that nothing is cut off
        rules.mark_text(align="right", dx=-5, baseline="top", color=RANDOM).encode(y=alt.value(2), text="pattern:N"),
    ]


def _marks(
    points: pl.DataFrame, table: pl.DataFrame, random: Sequence[str], lower: bool, x: alt.X, y: alt.Y, colour: alt.Color
) -> list[alt.Chart]:
    """A ring at every pattern found on a curve, of selected strategies with its name."""
    found = table.filter(pl.col("verdict") == "found", pl.col("pattern") != "crossing")
    placed = found.select("strategy", pl.col("pattern").replace({"rise": "peak"}), examples="size")
    on_curve = placed.join(points, on=["strategy", "examples"], maintain_order="left")
    tooltip: list[Tip] = ["strategy:N", "pattern:N", alt.Tooltip("examples:Q", format=","), *_VALUE]
    marks = [alt.Chart(on_curve).mark_point(size=240, strokeWidth=2.5).encode(x=x, y=y, color=colour, tooltip=tooltip)]
    selected = on_curve.filter(~pl.col("strategy").is_in(list(random)))
    for (pattern,), frame in selected.group_by("pattern", maintain_order=True):
        dy = 20 if (pattern == "peak") != lower else -20
        base = alt.Chart(frame).encode(x=x, y=y, color=colour, text="pattern:N")
        # a second descent mostly ends at the chart's edge
        edge = pattern == "second descent"
        marks.append(base.mark_text(dy=dy, fontSize=11, align="right" if edge else "center", dx=10 if edge else 0))
    return marks if on_curve.height else []

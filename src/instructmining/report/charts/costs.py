"""The chart of cost against score: a frame in, an Altair chart out, as in figures.py."""

import altair as alt
import polars as pl

from instructmining.report.charts.base import RANDOM, Figure, Tip, strategy_colour, value_scale


def cost_score(
    points: pl.DataFrame, random: list[str], everything: float | None, title: str, cost: str, value: str
) -> Figure:
    """Score against total cost, for one pool, recipe and benchmark (Diddee & Ippolito 2024, Figures 1, 6, 12, 13).

    ``points``: columns ``strategy``, ``size``, ``examples``, ``value``, ``sd`` (over seeds; null where there is one),
    ``seeds``, ``total`` (selection, fit and finetuning), ``without_fit``. A thin line leads from a point to where it
    would be without the fit of its quality rule. Sizes of a strategy are joined; of the strategies in ``random`` the
    line is their mean, with one standard deviation. Dashed: the score of the subset of everything (size "all"), and
    ``everything``, the cost of finetuning on it. ``cost`` and ``value`` title the axes.
    """
    colour = strategy_colour(points["strategy"].to_list(), random)
    costs = [*points["total"], *points["without_fit"], *([] if everything is None else [everything])]
    # from an octave on a log axis, which has no place for what costs nothing
    wide = min(costs, default=0.0) > 0 and max(costs) >= 2 * min(costs)
    x_scale = alt.Scale(type="log" if wide else "linear", nice=False, padding=24)
    y_scale = value_scale(points["value"].to_list(), padding=12)
    ticks = alt.Axis(tickCount=5, format="~g", labelOverlap=True, grid=False)

    def x(column: str) -> alt.X:
        return alt.X(f"{column}:Q", title=cost, scale=x_scale, axis=ticks)

    y = alt.Y("value:Q", title=value, scale=y_scale)
    numbers = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "sd", "total", "without_fit")]
    tooltip: list[Tip] = ["strategy:N", "size:N", alt.Tooltip("examples:Q", format=","), "seeds:Q", *numbers]
    picked = alt.selection_point(fields=["strategy"], bind="legend", name="strategy")
    base = alt.Chart(points).encode(x=x("total"), y=y, color=colour)
    spread = alt.Chart(
        points.drop_nulls("sd").with_columns(low=pl.col("value") - pl.col("sd"), high=pl.col("value") + pl.col("sd"))
    ).encode(x=x("total"), color=colour)
    limit = pl.DataFrame({"everything": [everything]}, schema={"everything": pl.Float64}).drop_nulls()
    whole = points.filter(pl.col("size") == "all")
    dashed = [
        alt.Chart(limit)
        .mark_rule(strokeDash=[6, 4], color=RANDOM)
        .encode(x=x("everything"), tooltip=[alt.Tooltip("everything:Q", format=".4~g")]),
        alt.Chart(whole).mark_rule(strokeDash=[6, 4]).encode(y=y, color=colour, tooltip=tooltip),
    ]
    return alt.layer(
        # a layer of nothing has no extent, which the browser complains of
        *(layer for layer, frame in zip(dashed, (limit, whole), strict=True) if frame.height),
        spread.mark_rule(opacity=0.5, strokeWidth=6).encode(y=alt.Y("low:Q", title=value, scale=y_scale), y2="high:Q"),
        base.mark_line(opacity=0.6).encode(order=alt.Order("examples:Q")),
        base.mark_rule(strokeWidth=1).encode(x2="without_fit:Q"),
        base.mark_tick(orient="vertical", size=10, thickness=2).encode(x=x("without_fit")),
        alt.Chart(points, name="points")
        .encode(
            x=x("total"),
            y=y,
            color=colour,
            opacity=alt.when(picked).then(alt.value(1)).otherwise(alt.value(0.15)),
            tooltip=tooltip,
        )
        .mark_point(filled=True, size=70)
        .add_params(picked),
    ).properties(width="container", height=280, title=title)

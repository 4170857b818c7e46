"""Charts of indicators: frames in, Altair charts out, as in figures.py."""

from collections.abc import Collection, Mapping

import altair as alt
import numpy as np
import polars as pl

from instructmining.report.charts.base import FEW, MAIN, RANDOM, Figure, number

# A value at the 99.5 percentile so many times the median would press the rest against the axis.
FAR = 10


def distribution(
    values: pl.DataFrame, indicator: str, colours: Mapping[str, str], unit: str, dashed: Collection[str] = ()
) -> Figure:
    """Share of each dataset's examples by value of one indicator, as densities over common bins.

    ``values``: columns ``dataset`` and ``indicator``'s own. Nulls are left out (the page counts them); values
    outside the 0.5 and 99.5 percentiles of all are gathered in the outermost bins, so that one outlier does not
    flatten the rest. Positive values with a long tail have a log axis. ``colours``: of each dataset; the chart has no
    legend (``pages.legend`` has one for all). ``unit`` titles the axis. ``dashed``: datasets whose colour is another's.
    """
    # As many bins as the smallest dataset can fill: with more, the curves show its noise.
    counts = values.drop_nulls(indicator)["dataset"].value_counts()["count"].to_list()
    bins = int(np.clip(np.sqrt(min(counts, default=0)), 10, 40))
    known = values.select("dataset", value=pl.col(indicator)).filter(pl.col("value").is_finite())
    frame = pl.DataFrame(schema={"dataset": pl.String, "value": pl.Float64, "share": pl.Float64})
    far = False
    if known.height:
        low, middle, high = np.quantile(known["value"].to_numpy(), [0.005, 0.5, 0.995])
        far = bool(low > 0 and high > FAR * middle)
        edges = (np.geomspace if far else np.linspace)(low, high if high > low else low + 1.0, bins + 1)
        frame = pl.concat(_histogram(known, dataset, edges, far) for dataset in colours)
    x_scale = alt.Scale(type="log", nice=False) if far else alt.Scale(zero=False, nice=False)
    names = [*colours]
    dashes = alt.Scale(domain=names, range=[[4, 3] if name in dashed else [1, 0] for name in names])
    base = alt.Chart(frame).encode(
        x=alt.X(
            "value:Q", title=f"{unit}{', log axis' * far}", scale=x_scale, axis=alt.Axis(tickCount=5, grid=not far)
        ),
        y=alt.Y("share:Q", title="share", stack=None, axis=alt.Axis(format="%", tickCount=4)),
        color=alt.Color("dataset:N", scale=alt.Scale(domain=names, range=[*colours.values()]), legend=None),
        tooltip=["dataset:N", number("value"), alt.Tooltip("share:Q", format=".1%")],
    )
    opacity = min(0.15, 0.3 / max(len(colours), 1))
    return alt.layer(
        base.mark_area(interpolate="monotone", fillOpacity=opacity),
        # areas cannot be dashed
        base.mark_line(interpolate="monotone", strokeWidth=1.5).encode(
            strokeDash=alt.StrokeDash("dataset:N", scale=dashes, legend=None)
        ),
    ).properties(width="container", height=170, title=indicator)


def indicator_check(check: pl.DataFrame) -> Figure:
    """AUC of each indicator between chosen and rejected responses, with its interval; 0.5 is chance.

    ``check``: columns ``indicator``, ``auc``, ``low``, ``high``, ``n_pairs_used``, ``verdict``.
    """
    colour = alt.Color(
        "verdict:N",
        title=None,
        scale=alt.Scale(domain=["separates", "does not separate"], range=[MAIN, RANDOM]),
    )
    base = alt.Chart(check).encode(
        y=alt.Y("indicator:N", title=None, sort=check["indicator"].to_list()),
        color=colour,
        tooltip=["indicator:N", number("auc"), number("low"), number("high"), "n_pairs_used:Q", "verdict:N"],
    )
    scale = alt.Scale(zero=False, padding=12)
    auc = alt.X("auc:Q", title="AUC, chosen against rejected", scale=scale, axis=FEW)
    chance = alt.Chart(pl.DataFrame({"chance": [0.5]})).mark_rule(strokeDash=[5, 4], color=RANDOM)
    return alt.layer(
        chance.encode(x=alt.X("chance:Q", scale=scale)),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_point(filled=True, size=110, opacity=1).encode(x=auc),
    ).properties(width="container", height=28 * check.height, title="Indicator check")


def _histogram(known: pl.DataFrame, dataset: str, edges: np.ndarray, far: bool) -> pl.DataFrame:
    values = known.filter(pl.col("dataset") == dataset)["value"].to_numpy()
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    share = counts / max(len(values), 1)
    middle = np.sqrt(edges[:-1] * edges[1:]) if far else (edges[:-1] + edges[1:]) / 2
    frame = pl.DataFrame({"value": middle, "share": share}).with_columns(pl.lit(dataset).alias("dataset"))
    return frame.select("dataset", pl.col("value").round_sig_figs(5), pl.col("share").round(5))

"""Charts: a frame in, an Altair chart out. Widths follow the page; every mark has a tooltip.

Interactive parameters and views carry names, since Altair would number them by a global counter and the same
frame would not give the same bytes twice.
"""

import altair as alt
import numpy as np
import polars as pl

Figure = alt.Chart | alt.LayerChart | alt.FacetChart
Tip = str | alt.Tooltip

RANDOM = "#8b919c"
ACCENT = "#e07b39"
MAIN = "#3f83c8"
# Distinct on white and on near-black, and for the common colour deficiencies (after Okabe & Ito 2008).
FEW = alt.Axis(tickCount=5)
PALETTE = (MAIN, ACCENT, "#2fa084", "#c76ea6", "#b99a1f", "#6f74d2", "#d1495b", "#5aa9c4")


def against_size(evaluations: pl.DataFrame, random: list[str], title: str) -> Figure:
    """Value against subset size for one pool, recipe and benchmark.

    ``evaluations``: columns ``strategy``, ``seed`` (null where there is none), ``size``, ``examples``, ``unit``,
    ``value``. Of a strategy with seeds the mean is a line, mean ± one standard deviation over seeds a band, each
    seed a point; ``random`` names those that are grey. The subset of everything (``size`` "all") is a horizontal rule.
    """
    everything = evaluations.filter(pl.col("size") == "all")
    sized = evaluations.filter(pl.col("size") != "all")
    drawn = sized.filter(pl.col("seed").is_not_null())
    spread = (
        drawn.group_by("strategy", "size", "examples")
        .agg(mean=pl.col("value").mean(), sd=pl.col("value").std(), seeds=pl.len())
        .with_columns(low=pl.col("mean") - pl.col("sd"), high=pl.col("mean") + pl.col("sd"))
        .sort("strategy", "examples")
    )
    examples = sized["examples"].to_list() or [1]
    # An octave or more of sizes reads better on a log axis; a single size needs no axis of its own.
    scale = alt.Scale(type="log" if max(examples) >= 2 * min(examples) else "linear", nice=False, padding=24)
    ticks = alt.Axis(values=sorted(set(examples)), format=",d", labelOverlap=True, grid=False)
    x = alt.X("examples:Q", title="examples", scale=scale, axis=ticks)
    colour = strategy_colour(evaluations["strategy"].to_list(), random)
    y_scale = alt.Scale(zero=False)
    picked = alt.selection_point(fields=["strategy"], bind="legend", name="strategy")
    base_tooltip: list[Tip] = ["strategy:N", "size:N", alt.Tooltip("examples:Q", format=","), _number("value")]

    band = alt.Chart(spread).encode(x=x, color=colour)
    mean_tooltip: list[Tip] = ["strategy:N", "size:N", _number("mean"), _number("sd"), "seeds:Q"]
    points = alt.Chart(sized, name="points").encode(
        x=x,
        y=alt.Y("value:Q", title=evaluations["unit"][0], scale=y_scale),
        color=colour,
        opacity=alt.when(picked).then(alt.value(1)).otherwise(alt.value(0.15)),
        tooltip=[*base_tooltip[:1], "seed:N", *base_tooltip[1:]],
    )
    alone = sized.filter(pl.col("seed").is_null())
    lines = alt.Chart(alone).encode(x=x, y=alt.Y("value:Q", scale=y_scale), color=colour)
    rule = alt.Chart(everything).encode(y=alt.Y("value:Q", scale=y_scale), color=colour, tooltip=base_tooltip)
    layers = [
        (spread, band.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", scale=y_scale), y2="high:Q")),
        (
            spread,
            band.mark_rule(opacity=0.5, strokeWidth=6).encode(
                y=alt.Y("low:Q", scale=y_scale), y2="high:Q", tooltip=mean_tooltip
            ),
        ),
        (spread, band.mark_line().encode(y=alt.Y("mean:Q", scale=y_scale), tooltip=mean_tooltip)),
        (alone, lines.mark_line()),
        (everything, rule.mark_rule(strokeDash=[6, 4], strokeWidth=2)),
    ]
    # a layer of nothing has no extent, which the browser complains of
    shown = [layer for frame, layer in layers if frame.height]
    return alt.layer(*shown, points.mark_point(filled=True, size=60).add_params(picked)).properties(
        width="container", height=280, title=title
    )


def strategy_colour(strategies: list[str], random: list[str]) -> alt.Color:
    """A colour for each strategy, the same on every chart of a comparison; grey for those that are random."""
    names = sorted(set(strategies), key=lambda name: (name in random, name))
    others = iter(PALETTE * (1 + len(names) // len(PALETTE)))
    colours = [RANDOM if name in random else next(others) for name in names]
    return alt.Color("strategy:N", title=None, scale=alt.Scale(domain=names, range=colours))


def search_sizes(trials: pl.DataFrame, best_trial: int) -> Figure:
    """Loss against size, one point a trial, shaded by order; the best trial is ringed. Lower is better.

    ``trials``: columns ``trial``, ``size``, ``value``.
    """
    base = alt.Chart(trials).encode(
        x=alt.X("size:Q", title="examples", scale=alt.Scale(type="log", nice=False, padding=24), axis=FEW),
        y=_loss("value"),
        tooltip=["trial:Q", alt.Tooltip("size:Q", format=","), _number("value")],
    )
    ordered = alt.Color("trial:Q", scale=alt.Scale(range=["#a9c7e8", "#1f5fa6"]), legend=None)
    best = base.transform_filter(alt.datum.trial == best_trial)
    return alt.layer(
        base.mark_line(opacity=0.4, color=RANDOM, strokeWidth=1),
        base.mark_point(filled=True, size=90, opacity=1).encode(color=ordered),
        best.mark_point(size=260, strokeWidth=2.5, color=ACCENT),
        best.mark_text(dy=-16, text="best"),
    ).properties(width="container", height=260, title="Loss against size")


def search_order(trials: pl.DataFrame, best_trial: int) -> Figure:
    """Loss by trial in the order tried, and the best so far as steps. Same frame as ``search_sizes``."""
    frame = trials.sort("trial").with_columns(best_so_far=pl.col("value").cum_min())
    base = alt.Chart(frame).encode(
        x=alt.X(
            "trial:Q", title="trial", axis=alt.Axis(tickMinStep=1, format="d"), scale=alt.Scale(nice=False, padding=12)
        ),
        tooltip=["trial:Q", alt.Tooltip("size:Q", format=","), _number("value"), _number("best_so_far")],
    )
    best = base.transform_filter(alt.datum.trial == best_trial).encode(y=_loss("value"))
    return alt.layer(
        base.mark_line(interpolate="step-after", color=ACCENT, opacity=0.7).encode(y=_loss("best_so_far")),
        base.mark_point(filled=True, size=90, color=MAIN, opacity=1).encode(y=_loss("value")),
        best.mark_point(size=260, strokeWidth=2.5, color=ACCENT),
    ).properties(width="container", height=260, title="Trials in order, best so far")


def predicted_observed(observations: pl.DataFrame) -> Figure:
    """Observed against predicted log loss, a point a mixture; on the dashed line the two are equal.

    ``observations``: columns ``mixture``, ``log_loss``, ``predicted_log_loss``.
    """
    low = observations.select(pl.min_horizontal(pl.col("log_loss", "predicted_log_loss").min())).item()
    high = observations.select(pl.max_horizontal(pl.col("log_loss", "predicted_log_loss").max())).item()
    diagonal = pl.DataFrame({"predicted_log_loss": [low, high], "log_loss": [low, high]})
    scale = alt.Scale(zero=False, padding=10)
    x = alt.X("predicted_log_loss:Q", title="predicted log loss", scale=scale, axis=FEW)
    y = alt.Y("log_loss:Q", title="observed log loss", scale=scale)
    return alt.layer(
        alt.Chart(diagonal).mark_line(strokeDash=[5, 4], color=RANDOM).encode(x=x, y=y),
        alt.Chart(observations)
        .mark_point(filled=True, size=60, opacity=0.8, color=MAIN)
        .encode(x=x, y=y, tooltip=["mixture:N", _number("log_loss"), _number("predicted_log_loss")]),
    ).properties(width="container", height=280, title="Predicted and observed")


def residuals(observations: pl.DataFrame) -> Figure:
    """Observed minus predicted log loss against the prediction. Same frame as ``predicted_observed``."""
    frame = observations.with_columns(residual=pl.col("log_loss") - pl.col("predicted_log_loss"))
    scale = alt.Scale(zero=False, padding=10)
    points = alt.Chart(frame).encode(
        x=alt.X("predicted_log_loss:Q", title="predicted log loss", scale=scale, axis=FEW),
        y=alt.Y("residual:Q", title="residual"),
        tooltip=["mixture:N", _number("residual"), _number("predicted_log_loss")],
    )
    return alt.layer(
        alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[5, 4], color=RANDOM).encode(y="zero:Q"),
        points.mark_point(filled=True, size=60, opacity=0.8, color=MAIN),
    ).properties(width="container", height=280, title="Residuals")


def distribution(values: pl.DataFrame, indicator: str, datasets: list[str]) -> Figure:
    """Share of each dataset's examples by value of one indicator, as densities over common bins.

    ``values``: columns ``dataset`` and ``indicator``'s own. Nulls are left out (the page counts them); values
    outside the 0.5 and 99.5 percentiles of all are gathered in the outermost bins, so that one outlier does not
    flatten the rest. ``datasets`` fixes the order of colours.
    """
    # As many bins as the smallest dataset can fill: with more, the curves show its noise.
    counts = values.drop_nulls(indicator)["dataset"].value_counts()["count"].to_list()
    bins = int(np.clip(np.sqrt(min(counts, default=0)), 10, 40))
    known = values.select("dataset", value=pl.col(indicator)).filter(pl.col("value").is_finite())
    frame = pl.DataFrame(schema={"dataset": pl.String, "value": pl.Float64, "share": pl.Float64})
    if known.height:
        low, high = np.quantile(known["value"].to_numpy(), [0.005, 0.995])
        edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
        frame = pl.concat(_histogram(known, dataset, edges) for dataset in datasets)
    return (
        alt.Chart(frame)
        .mark_area(interpolate="monotone", fillOpacity=0.15, line={"strokeWidth": 1.5})
        .encode(
            x=alt.X("value:Q", title=None, scale=alt.Scale(zero=False, nice=False)),
            y=alt.Y("share:Q", title="share", stack=None, axis=alt.Axis(format="%", tickCount=4)),
            color=alt.Color("dataset:N", title=None, scale=_colours(datasets)),
            tooltip=["dataset:N", _number("value"), alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(width="container", height=170, title=indicator)
    )


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
        tooltip=["indicator:N", _number("auc"), _number("low"), _number("high"), "n_pairs_used:Q", "verdict:N"],
    )
    scale = alt.Scale(zero=False, padding=12)
    auc = alt.X("auc:Q", title="AUC, chosen against rejected", scale=scale, axis=FEW)
    chance = alt.Chart(pl.DataFrame({"chance": [0.5]})).mark_rule(strokeDash=[5, 4], color=RANDOM)
    return alt.layer(
        chance.encode(x=alt.X("chance:Q", scale=scale)),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_point(filled=True, size=110, opacity=1).encode(x=auc),
    ).properties(width="container", height=28 * check.height, title="Indicator check")


def kept_and_rejected(rows: pl.DataFrame) -> Figure:
    """Rows of each dataset's source, kept and rejected by reason. Columns ``dataset``, ``fate``, ``rows``."""
    fates = ["kept", *sorted(set(rows["fate"]) - {"kept"})]
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("rows:Q", title="rows", axis=alt.Axis(tickCount=4, format="~s")),
            y=alt.Y("dataset:N", title=None),
            color=alt.Color("fate:N", title=None, sort=fates, scale=_colours(fates)),
            order=alt.Order("fate_order:Q"),
            tooltip=["dataset:N", "fate:N", alt.Tooltip("rows:Q", format=",")],
        )
        .transform_calculate(fate_order="datum.fate === 'kept' ? 0 : 1")
        .properties(width="container", height=26 * rows["dataset"].n_unique(), title="Rows kept and rejected")
    )


def _histogram(known: pl.DataFrame, dataset: str, edges: np.ndarray) -> pl.DataFrame:
    values = known.filter(pl.col("dataset") == dataset)["value"].to_numpy()
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    share = counts / max(len(values), 1)
    middle = (edges[:-1] + edges[1:]) / 2
    frame = pl.DataFrame({"value": middle, "share": share}).with_columns(pl.lit(dataset).alias("dataset"))
    return frame.select("dataset", pl.col("value").round_sig_figs(5), pl.col("share").round(5))


def _colours(names: list[str]) -> alt.Scale:
    return alt.Scale(domain=names, range=[PALETTE[i % len(PALETTE)] for i in range(len(names))])


def _loss(column: str) -> alt.Y:
    return alt.Y(f"{column}:Q", title="loss (nats per response token)", scale=alt.Scale(zero=False, padding=12))


def _number(column: str) -> alt.Tooltip:
    return alt.Tooltip(f"{column}:Q", format=".4~g")

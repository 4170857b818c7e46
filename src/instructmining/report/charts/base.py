"""Charts: a frame in, an Altair chart out. Widths follow the page; every mark has a tooltip.

Interactive parameters and views carry names, since Altair would number them by a global counter and the same
frame would not give the same bytes twice.
"""

from collections.abc import Sequence

import altair as alt
import polars as pl

Figure = alt.Chart | alt.LayerChart | alt.FacetChart
Tip = str | alt.Tooltip

RANDOM = "#8b919c"
ACCENT = "#e07b39"
MAIN = "#3f83c8"
FEW = alt.Axis(tickCount=5)
# An axis of names leaves room for the data, on a phone too.
NAMED_PIXELS = 220
NAMES = alt.Axis(labelLimit=alt.ExprRef(f"min({NAMED_PIXELS}, containerSize()[0] / 2)"))
# Distinct on white and on near-black, and for the common colour deficiencies (after Okabe & Ito 2008).
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
    y_scale = value_scale(evaluations["value"].to_list())
    picked = alt.selection_point(fields=["strategy"], bind="legend", name="strategy")
    base_tooltip: list[Tip] = ["strategy:N", "size:N", alt.Tooltip("examples:Q", format=","), number("value")]

    band = alt.Chart(spread).encode(x=x, color=colour)
    mean_tooltip: list[Tip] = ["strategy:N", "size:N", number("mean"), number("sd"), "seeds:Q"]
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


def value_scale(values: Sequence[float | None], padding: int = 0) -> alt.Scale:
    """A linear scale that need not hold 0. Where all values are the same it reaches 5 % to both sides: of no extent at
    all, the axis would have one label, rounded to a whole number."""
    known = {value for value in values if value is not None}
    if len(known) != 1:
        # rounded outwards beyond the padding, an axis of shares would end at 120 %
        return alt.Scale(zero=False, padding=padding, nice=padding == 0)
    (value,) = known
    reach = 0.05 * (abs(value) or 1.0)
    return alt.Scale(zero=False, padding=padding, domain=[value - reach, value + reach])


def legend(names: Sequence[str], labels: Sequence[str] = ()) -> alt.Legend:
    """A legend of as many columns as fit, on a phone too. ``labels``: those of an axis of names to the left."""
    left = min(7 * max(map(len, labels), default=6), NAMED_PIXELS) + 20
    column = 7 * max(map(len, names), default=1) + 28
    # not the signal width: that shrinks after the legend's rows have been counted
    return alt.Legend(columns=alt.ExprRef(f"max(1, floor((containerSize()[0] - {left}) / {column}))"))


def strategy_colour(strategies: list[str], random: list[str], labels: Sequence[str] = ()) -> alt.Color:
    """A colour for each strategy, the same on every chart of a comparison; grey for those that are random.

    ``labels``: as in ``legend``.
    """
    names = sorted(set(strategies), key=lambda name: (name in random, name))
    others = iter(PALETTE * (1 + len(names) // len(PALETTE)))
    colours = [RANDOM if name in random else next(others) for name in names]
    scale = alt.Scale(domain=names, range=colours)
    return alt.Color("strategy:N", title=None, scale=scale, legend=legend(names, labels))


def search_sizes(trials: pl.DataFrame, best_trial: int) -> Figure:
    """Loss against size, one point a trial, shaded by order; the best trial is ringed. Lower is better.

    ``trials``: columns ``trial``, ``size``, ``value``.
    """
    ticks = alt.Axis(values=sorted(set(trials["size"])), format=",d", labelOverlap=True, grid=False)
    base = alt.Chart(trials).encode(
        x=alt.X("size:Q", title="examples", scale=alt.Scale(type="log", nice=False, padding=24), axis=ticks),
        y=_loss("value", trials),
        tooltip=["trial:Q", alt.Tooltip("size:Q", format=","), number("value")],
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
        tooltip=["trial:Q", alt.Tooltip("size:Q", format=","), number("value"), number("best_so_far")],
    )
    best = base.transform_filter(alt.datum.trial == best_trial).encode(y=_loss("value", trials))
    return alt.layer(
        base.mark_line(interpolate="step-after", color=ACCENT, opacity=0.7).encode(y=_loss("best_so_far", trials)),
        base.mark_point(filled=True, size=90, color=MAIN, opacity=1).encode(y=_loss("value", trials)),
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
        .encode(x=x, y=y, tooltip=["mixture:N", number("log_loss"), number("predicted_log_loss")]),
    ).properties(width="container", height=280, title="Predicted and observed")


def residuals(observations: pl.DataFrame) -> Figure:
    """Observed minus predicted log loss against the prediction. Same frame as ``predicted_observed``."""
    frame = observations.with_columns(residual=pl.col("log_loss") - pl.col("predicted_log_loss"))
    scale = alt.Scale(zero=False, padding=10)
    points = alt.Chart(frame).encode(
        x=alt.X("predicted_log_loss:Q", title="predicted log loss", scale=scale, axis=FEW),
        y=alt.Y("residual:Q", title="residual", scale=alt.Scale(padding=10)),
        tooltip=["mixture:N", number("residual"), number("predicted_log_loss")],
    )
    return alt.layer(
        alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[5, 4], color=RANDOM).encode(y="zero:Q"),
        points.mark_point(filled=True, size=60, opacity=0.8, color=MAIN),
    ).properties(width="container", height=280, title="Residuals")


def kept_and_rejected(rows: pl.DataFrame) -> Figure:
    """Rows of each dataset's source, kept and rejected by reason. Columns ``dataset``, ``fate``, ``rows``."""
    rejected = sorted(set(rows["fate"]) - {"kept"})
    fates = ["kept", *rejected]
    scale = alt.Scale(domain=fates, range=[MAIN, *(PALETTE[1 + i % (len(PALETTE) - 1)] for i in range(len(rejected)))])
    return (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("rows:Q", title="rows", axis=alt.Axis(tickCount=4, format=",d", tickMinStep=1)),
            y=alt.Y("dataset:N", title=None, sort=None),
            color=alt.Color("fate:N", title=None, scale=scale, legend=legend(fates, rows["dataset"].to_list())),
            order=alt.Order("fate_order:Q"),
            tooltip=["dataset:N", "fate:N", alt.Tooltip("rows:Q", format=",")],
        )
        .transform_calculate(fate_order=f"indexof({fates}, datum.fate)")
        .properties(width="container", height=26 * rows["dataset"].n_unique(), title="Rows kept and rejected")
    )


def _loss(column: str, trials: pl.DataFrame) -> alt.Y:
    scale = value_scale(trials["value"].to_list(), padding=12)
    return alt.Y(f"{column}:Q", title="loss (nats per response token)", scale=scale)


def number(column: str) -> alt.Tooltip:
    """A tooltip's line of four digits."""
    return alt.Tooltip(f"{column}:Q", format=".4~g")

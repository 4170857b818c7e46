"""Charts of a quality rule's checks: a frame in, an Altair chart out, as in figures.py."""

from typing import Any

import altair as alt
import polars as pl

from instructmining.report.charts.base import ACCENT, FEW, MAIN, PALETTE, RANDOM, Figure, Tip

# Mixtures whose names stand in the chart; more would hide each other.
NAMED = 3
CRITERION_NAMES = {"r_squared": "R²", "aic": "AIC", "bic": "BIC"}


def univariate_fit(observations: pl.DataFrame, fit: dict[str, Any]) -> Figure:
    """Log loss against one indicator, a point a mixture, and the line through them (Cao et al. 2023, Figure 7).

    ``observations``: columns ``mixture``, ``log_loss`` and the indicator; ``fit``: its row of
    ``univariate.univariate_fits``. Without figures there is no line.
    """
    name = fit["indicator"]
    x = alt.X("value:Q", title=None, scale=alt.Scale(zero=False, padding=8), axis=FEW)
    y = alt.Y("log_loss:Q", title="log loss", scale=alt.Scale(zero=False, padding=8), axis=alt.Axis(tickCount=4))
    points = observations.select("mixture", "log_loss", value=pl.col(name))
    ends = [] if fit["slope"] is None else [fit["lowest"], fit["highest"]]
    line = pl.DataFrame(
        {"value": ends, "log_loss": [fit["intercept"] + fit["slope"] * end for end in ends]},
        schema={"value": pl.Float64, "log_loss": pl.Float64},
    )
    said = "does not vary" if fit["r"] is None else f"r {fit['r']:+.2f}"
    if fit["r_low"] is not None:
        said += f" ({fit['r_low']:+.2f} to {fit['r_high']:+.2f})"
    return alt.layer(
        alt.Chart(points)
        .mark_point(filled=True, size=35, opacity=0.6, color=MAIN)
        .encode(x=x, y=y, tooltip=["mixture:N", _tip("value"), _tip("log_loss")]),
        alt.Chart(line).mark_line(color=ACCENT, strokeWidth=2).encode(x=x, y=y),
    ).properties(width="container", height=170, title=f"{name}: {said}")


def every_set(sets: pl.DataFrame) -> Figure:
    """Leave-one-out R² of every set against the number of its indicators; the rule's own stands out.

    ``sets``: ``indicators``, ``n_indicators``, ``r_squared``, ``loo_r_squared``, ``bic``, ``own`` (bool).
    """
    tips: list[Tip] = ["indicators:N", *(_tip(name) for name in ("r_squared", "loo_r_squared", "bic"))]
    counts = alt.Axis(values=sorted(set(sets["n_indicators"])), format="d", grid=False)
    base = alt.Chart(sets).encode(
        x=alt.X("n_indicators:Q", title="indicators", axis=counts, scale=alt.Scale(zero=False, padding=24)),
        y=alt.Y("loo_r_squared:Q", title="leave-one-out R²", scale=alt.Scale(zero=False, padding=12)),
        tooltip=tips,
    )
    own = base.transform_filter(alt.datum.own)
    return alt.layer(
        base.mark_tick(orient="horizontal", size=16, thickness=1.5, color=MAIN, opacity=0.45),
        own.mark_tick(orient="horizontal", size=26, thickness=4, color=ACCENT, opacity=1),
    ).properties(width="container", height=280, title="Every set by leave-one-out R²; this rule thick")


def chosen_indicators(shares: pl.DataFrame) -> Figure:
    """In which share of resamples each indicator is chosen, a bar a criterion. Frame: ``stability``'s of that name."""
    names = list(CRITERION_NAMES)
    long = shares.unpivot(names, index="indicator", variable_name="criterion", value_name="share")
    long = long.with_columns(pl.col("criterion").replace(CRITERION_NAMES))
    criteria = list(CRITERION_NAMES.values())
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="share of resamples", axis=alt.Axis(format="%", tickCount=5)),
            y=alt.Y("indicator:N", title=None, sort=shares["indicator"].to_list()),
            yOffset=alt.YOffset("criterion:N", sort=criteria),
            color=alt.Color("criterion:N", title=None, scale=alt.Scale(domain=criteria, range=list(PALETTE[:3]))),
            tooltip=["indicator:N", "criterion:N", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(width="container", height=34 * shares.height, title="Chosen, by criterion")
    )


def cooks_distances(influence: pl.DataFrame, threshold: float) -> Figure:
    """Cook's distance of every mixture; above the dashed line one deserves a look. Frame: ``influence.influence``'s."""
    frame = influence.drop_nulls("cooks_distance").sort("mixture")
    above = pl.col("cooks_distance") > threshold
    named = above & (pl.col("cooks_distance").rank("ordinal", descending=True) <= NAMED)
    frame = frame.with_row_index("row").with_columns(above=above, named=named)
    x = alt.X("row:Q", title="mixtures, by name", axis=alt.Axis(labels=False, ticks=False, grid=False, titlePadding=12))
    y = alt.Y("cooks_distance:Q", title="Cook's distance", axis=alt.Axis(tickCount=4))
    tips: list[Tip] = ["mixture:N", *(_tip(name) for name in ("cooks_distance", "leverage", "studentised_residual"))]
    colour = alt.when(alt.datum.above).then(alt.value(ACCENT)).otherwise(alt.value(MAIN))
    base = alt.Chart(frame).encode(x=x, y=y, tooltip=tips)
    return alt.layer(
        alt.Chart(pl.DataFrame({"threshold": [threshold]}))
        .mark_rule(strokeDash=[5, 4], color=RANDOM)
        .encode(y="threshold:Q"),
        base.mark_rule(strokeWidth=1.5).encode(color=colour, y2=alt.datum(0)),
        base.mark_point(filled=True, size=40, opacity=1).encode(color=colour),
        base.transform_filter(alt.datum.named).mark_text(dy=-10).encode(text="mixture:N"),
    ).properties(width="container", height=220, title="Influence of each mixture")


def _tip(column: str) -> alt.Tooltip:
    return alt.Tooltip(f"{column}:Q", format=".4~g")

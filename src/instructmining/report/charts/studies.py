"""Charts of studies: frames in, Altair charts out, as in figures.py."""

import altair as alt
import polars as pl

from instructmining.report.charts.base import FEW, MAIN, NAMES, RANDOM, Figure, Tip


def left_out(table: pl.DataFrame, title: str) -> Figure:
    """Difference to the full rule by the indicator left out, with its interval; the dashed line is the full rule.

    ``table``: from ``ablation.table``, of one pool, recipe, benchmark and size.
    """
    tooltip = ["left_out:N", *_numbers("value", "difference", "difference_low", "difference_high", "overlap")]
    shown = table.drop_nulls("left_out")
    base = alt.Chart(shown).encode(y=_names("left_out", shown), tooltip=tooltip)
    label = "without the indicator, minus the full rule"
    x_scale = alt.Scale(zero=False, padding=12)
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[5, 4], color=RANDOM)
    return alt.layer(
        zero.encode(x=alt.X("zero:Q", title=label, scale=x_scale)),
        _reach(base.transform_filter("isValid(datum.difference_low)"), "difference_low", "difference_high", label),
        base.mark_point(filled=True, size=90, opacity=1, color=MAIN).encode(x=_value("difference", label)),
    ).properties(width="container", height=26 * shown.height, title=title)


def by_dataset(table: pl.DataFrame, title: str) -> Figure:
    """Mean over draws by dataset with its interval, the best on top.

    ``table``: from ``dataset_losses.table``, of one recipe and benchmark.
    """
    tooltip = ["dataset:N", "place:Q", *_numbers("value", "sd", "low", "high"), "draws:Q"]
    base = alt.Chart(table).encode(y=_names("dataset", table), tooltip=tooltip)
    unit = table["unit"][0]
    return alt.layer(
        _reach(base.transform_filter("isValid(datum.low)"), "low", "high", unit),
        base.mark_point(filled=True, size=90, opacity=1, color=MAIN).encode(x=_value("value", unit)),
    ).properties(width="container", height=26 * table.height, title=title)


def _names(column: str, table: pl.DataFrame) -> alt.Y:
    return alt.Y(f"{column}:N", title=None, sort=table[column].to_list(), axis=NAMES)


def _value(column: str, title: str) -> alt.X:
    return alt.X(f"{column}:Q", title=title, scale=alt.Scale(zero=False, padding=12), axis=FEW)


def _reach(base: alt.Chart, low: str, high: str, title: str) -> alt.Chart:
    return base.mark_rule(strokeWidth=3, opacity=0.6, color=MAIN).encode(x=_value(low, title), x2=f"{high}:Q")


def _numbers(*names: str) -> list[Tip]:
    return [alt.Tooltip(f"{name}:Q", format=".4~g") for name in names]

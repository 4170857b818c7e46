"""Heat maps: a matrix of shares in, an Altair chart out. As in ``figures``, widths follow the page."""

import altair as alt
import polars as pl

from instructmining.report.charts.base import Figure


def overlaps(table: pl.DataFrame, title: str) -> Figure:
    """Share of the column's subset that is in the row's, for one pool and size.

    ``table``: columns ``strategy``, ``other``, ``overlap`` (0 to 1), a row a cell, in the order of the strategies.
    """
    order = table["strategy"].unique(maintain_order=True).to_list()
    base = alt.Chart(table).encode(
        x=alt.X("other:N", title=None, sort=order, axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("strategy:N", title=None, sort=order),
        tooltip=["strategy:N", "other:N", alt.Tooltip("overlap:Q", format=".1%")],
    )
    colour = alt.Color("overlap:Q", scale=alt.Scale(domain=[0, 1], range=["#e9f1f9", "#1f5fa6"]), legend=None)
    # on a cell's own colour, whatever the page's
    ink = alt.when(alt.datum.overlap > 0.55).then(alt.value("#ffffff")).otherwise(alt.value("#1d2129"))
    return alt.layer(
        base.mark_rect().encode(color=colour),
        base.mark_text(fontSize=11).encode(text=alt.Text("overlap:Q", format=".0%"), color=ink),
    ).properties(width="container", height=max(26 * len(order), 60), title=title)

"""Page "Overlaps": how much of one strategy's subset is in another's, by pool and size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.jobs.files import read_provenance
from instructmining.report import html as pages
from instructmining.report.charts import heatmaps
from instructmining.report.job import Job
from instructmining.selection import overlap
from instructmining.settings import Page

SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Overlaps of comparison {comparison}: the share of examples that two strategies' subsets of the same size have "
        "in common, for every pool and size."
    ),
    for_each="dag.shown.each_comparison_with_sizes",
    path="overlaps/{comparison}.html",
    tables={"table": "overlaps/{comparison}.csv"},
    shown_tables={"table": "overlaps as CSV"},
    inputs={"subsets": "dag.comparisons.overlap_subsets", "rankings": "dag.comparisons.overlap_rankings"},
    labels={"what": "overlaps"},
    subcategory="{comparison}",
    versions=["COMPARISON"],
    order=80,
)

ABOUT = (
    "A cell is the share of examples that two strategies' subsets of the same size have in common. A random baseline "
    "that holds much of a strategy's subset is no baseline for it; two strategies that overlap much are nearly one. "
    "Two random subsets share size / pool on average: the figure behind “by chance”."
)

FIRST = ("strategy", "other", "overlap", "by_chance")


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """The shares that subsets have in common."""
    return {"table": overlap.table(job.subsets(), job.pool_rows())}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    limits = list[str]()
    for path in job.inputs["rankings"]:
        order, pool = Path(path).with_suffix("").parts[-2:]
        limits += limit(order, pool, read_provenance(path))
    return page(job.names["comparison"], made["table"], limits)


def page(name: str, table: pl.DataFrame, limits: Sequence[str]) -> str:
    """``table``: from ``selection.overlap.table``; ``limits``: a sentence a random order, from ``limit``."""
    parts = [pages.words(ABOUT)]
    parts += [pages.warning(told) for told in limits]
    for (pool,), group in table.group_by("pool", maintain_order=True):
        parts.append(pages.heading(f"Pool {pool}"))
        charts = [
            heatmaps.overlaps(frame, _title(frame.row(0, named=True)))
            for _, frame in group.group_by("size", maintain_order=True)
        ]
        parts.append(pages.charts(*charts))
    pairs = table.filter(pl.col("strategy") < pl.col("other")).sort("overlap", descending=True)
    parts += [
        pages.heading("Every pair"),
        pages.table(
            pages.arranged(pairs, FIRST, ["pool"]),
            note=f"Also, with each pair both ways, as results/tables/overlaps/{name}.csv.",
        ),
    ]
    return pages.page(f"Overlaps: {name}", parts)


def limit(order: str, pool: str, provenance: Mapping[str, Any]) -> list[str]:
    """What to say of a ranking whose draws have a limit that none of them met; nothing for any other."""
    if provenance.get("overlap_limit_met", True):
        return []
    found = [(share, name, size) for name, sizes in provenance["overlaps"].items() for size, share in sizes.items()]
    share, name, size = max(found)
    asked = provenance["strategy"]["overlap"]
    return [
        f"{order} on pool {pool}: no draw kept to an overlap of {asked:.0%}. The least found is used: {share:.1%} of "
        f"{name}'s first {size}."
    ]


def _title(row: Mapping[str, Any]) -> str:
    label = "" if row["size"] == str(row["examples"]) else f" ({row['size']})"
    return f"{row['examples']:,} examples{label}; by chance {row['by_chance']:.0%}"

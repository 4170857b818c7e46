"""Table "Subsets": a comparison's subsets with their losses, the rule's value of each, and minutes."""

from pathlib import Path

import polars as pl

from instructmining.costs.tables import PARTS_SCHEMA
from instructmining.report.job import Job
from instructmining.settings import Page
from instructmining.tables import subsets

# The minutes are those of the page of costs, so that both show the same.
SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Subsets of comparison {comparison}: losses, the quality rule's mean value of each subset, as fitted (log "
        "loss) and as exp, and minutes of scoring, selecting, searching and training."
    ),
    for_each="dag.shown.each_comparison_with_a_rule",
    tables={"table": "subsets/{comparison}.csv"},
    shown_tables={"table": "subsets as CSV"},
    inputs={
        "evaluations": "dag.comparisons.comparison_evaluation_files",
        "subsets": "dag.comparisons.comparison_subset_files",
        "rankings": "dag.comparisons.rule_rankings",
        "parts": "results/tables/costs/{comparison}/parts.csv",
    },
    labels={"what": "subsets"},
    subcategory="{comparison}",
    versions=["STUDIES"],
    order=45,
)


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """A comparison's subsets under its quality rules."""
    parts = pl.read_csv(job.inputs["parts"][0], schema_overrides=PARTS_SCHEMA)
    ids = {place: frame["id"] for place, frame in job.subsets().items()}
    rankings = map(Path, job.inputs["rankings"])
    scores = {(path.parent.name, path.stem): pl.read_parquet(path) for path in rankings}
    return {"table": subsets.table(job.evaluations(), parts, ids, scores)}

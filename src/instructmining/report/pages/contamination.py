"""Page "Contamination": what of the evaluation sets stands in the subsets that runs were trained on."""

from collections.abc import Mapping

import polars as pl

from instructmining.report import html as pages
from instructmining.report.job import Job
from instructmining.settings import Page
from instructmining.tables import contamination

SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Contamination of comparison {comparison}: how many items of each benchmark occur in the training data of each "
        "run, by their prompt or by n consecutive words."
    ),
    for_each="dag.shown.each_comparison",
    path="contamination/{comparison}.html",
    tables={"table": "contamination/{comparison}.csv", "pairs": "contamination/{comparison}-pairs.csv"},
    shown_tables={"table": "contamination as CSV"},
    inputs={
        "subsets": "dag.comparisons.comparison_subset_files",
        "evaluated": "dag.comparisons.evaluated_text_files",
    },
    params={
        "benchmarks": "dag.comparisons.compared_benchmarks",
        "examples": "dag.runs.examples_pattern",
        "ngram": "dag.comparisons.report_ngram",
    },
    labels={"what": "contamination"},
    subcategory="{comparison}",
    versions=["COMPARISON"],
    order=90,
)

ABOUT = (
    "An item is found exactly where a training example has the same prompt, but for case and white space, and by its "
    "words where the two, each with its outputs, share {n} words in a row; words are compared without case and "
    "punctuation. Items of fewer than {n} words can only be found exactly, and languages that put no blanks between "
    "words nearly so. Common phrases count as well: look at the pairs before you blame a subset."
)
CLEAN = "No item of any benchmark is in any subset, neither by its prompt nor by {n} words in a row."
COLUMNS = (
    "items: of the benchmark; exact, ngram: those found by their prompt, by their words; share: those found either "
    "way; training_examples: in how many of the subset's."
)
# what a page can hold; the CSV has them all
_PAIRS = 1000


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """How much of each benchmark is in each subset, and the pairs of an item and a training example."""
    subsets = {"/".join(place): frame for place, frame in job.subsets().items()}
    evaluated = dict(zip(job.params["benchmarks"], job.inputs["evaluated"], strict=True))
    template = job.root / job.params["examples"]
    table, pairs = contamination.tables(evaluated, subsets, template, job.params["ngram"])
    return {"table": table, "pairs": pairs}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    return page(job.names["comparison"], made["table"], made["pairs"], job.params["ngram"])


def page(name: str, table: pl.DataFrame, pairs: pl.DataFrame, n: int) -> str:
    """``table``: from ``contamination.table``; ``pairs``: from ``contamination.with_subsets``."""
    dirty = table.filter(pl.col("share") > 0).sort("share", descending=True, maintain_order=True)
    parts = [pages.words(CLEAN.format(n=n))]
    if dirty.height:
        told = f"{dirty.height} of {table.height} pairs of a subset and a benchmark have something in common:"
        parts = [pages.warning(told), pages.bullets([_told(row, n) for row in dirty.iter_rows(named=True)])]
    parts += [
        pages.words(ABOUT.format(n=n)),
        pages.heading("Every subset and benchmark"),
        pages.table(
            pages.arranged(table, ["share"]), note=f"{COLUMNS} Also as results/tables/contamination/{name}.csv."
        ),
    ]
    if pairs.height:
        first = f"The first {_PAIRS} of {pairs.height:,}; all" if pairs.height > _PAIRS else "Also"
        note = f"{first} as results/tables/contamination/{name}-pairs.csv."
        parts += [pages.heading("Items and training examples"), pages.table(pairs.head(_PAIRS), note=note)]
    return pages.page(f"Contamination: {name}", parts)


def _told(row: dict[str, int | float | str], n: int) -> str:
    found = round(float(row["share"]) * int(row["items"]))
    return (
        f"{row['subset']} has something of {found} of {row['items']} items of {row['benchmark']} ({row['share']:.1%}): "
        f"{row['exact']} by their prompt, {row['ngram']} by {n} words in a row, in "
        f"{row['training_examples']} training examples."
    )

"""Page "Agreement": do benchmarks, budgets and recipes agree on which run is better?"""

from collections.abc import Mapping

import polars as pl

from instructmining.report import html as pages
from instructmining.report.job import Job
from instructmining.settings import Page
from instructmining.tables.agreement import FEWEST, agreement

SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Correlations between benchmarks, between subset sizes and between recipes over the runs of all comparisons, "
        "with confidence intervals."
    ),
    for_each="dag.shown.if_comparisons",
    path="agreement.html",
    tables={
        "benchmarks": "agreement/benchmarks.csv",
        "sizes": "agreement/sizes.csv",
        "recipes": "agreement/recipes.csv",
    },
    inputs={
        "evaluations": "dag.comparisons.all_comparison_evaluations",
        "subsets": "dag.comparisons.all_comparison_subsets",
    },
    labels={"what": "agreement"},
    subcategory="all comparisons",
    versions=["COMPARISON"],
    order=100,
)

ABOUT = (
    "Correlations of the values of the same runs, turned so that higher is better: 1 is the same order, 0 none, -1 the "
    "opposite. Intervals are 95 % by Fisher's z (Spearman's after Bonett and Wright). They take the runs to be "
    "independent, which runs of one pool are not, so they are narrow rather than wide."
)
SECTIONS = {
    "benchmark": (
        "Between benchmarks",
        "Over all runs of a recipe. Subsets of different sizes are in it, so part of an agreement may be that more "
        "examples are better on both.",
    ),
    "size": (
        "Between budgets",
        "Over strategies, seeds and pools: is who is ahead with few examples ahead with many? Only sizes given as a "
        "number of examples are compared, not those that a search found.",
    ),
    "recipe": ("Between recipes", "Over strategies, seeds, pools and sizes, full finetuning against LoRA, say."),
}

NOTE = (
    "n: runs that have both. Empty: all values of one of the two are the same, so they have no order. "
    "Also as results/tables/agreement/{}.csv."
)


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """Correlations between benchmarks, between sizes and between recipes."""
    table = agreement(job.evaluations())
    return {f"{between}s": table.filter(pl.col("between") == between) for between in SECTIONS}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    return page(pl.concat(made.values()))


def page(table: pl.DataFrame) -> str:
    """``table``: from ``instructmining.tables.agreement.agreement``."""
    parts = [pages.words("Do benchmarks, budgets and recipes agree on which run is better?", ABOUT)]
    for between, (title, about) in SECTIONS.items():
        parts.append(pages.heading(title))
        rows = table.filter(pl.col("between") == between).drop("between")
        shown = rows.filter(pl.col("n") >= FEWEST)
        parts.append(pages.words(about, *_too_few(between, rows)))
        if shown.height:
            parts.append(pages.words(_found(shown)))
            shown = shown.select(column for column in shown if column.null_count() < shown.height or column.name == "n")
            shown = pages.arranged(shown, ["one", "other", "n"])
            parts.append(pages.table(shown, note=NOTE.format(f"{between}s"), rows=25))
    return pages.page("Agreement", parts)


def _found(shown: pl.DataFrame) -> str:
    """Of how many pairs it can be said at all that they agree, by Spearman's interval."""
    agree, differ = shown.filter(pl.col("spearman_low") > 0).height, shown.filter(pl.col("spearman_high") < 0).height
    unclear = shown.height - agree - differ
    return (
        f"Agreeing: {agree} of {shown.height}; disagreeing: {differ}; cannot be told, since the interval of Spearman's "
        f"correlation holds 0, or there is none: {unclear}."
    )


def _too_few(between: str, rows: pl.DataFrame) -> list[str]:
    """What cannot be said, and how far it is from it."""
    if rows.is_empty():
        one = "at most one such" if between == "size" else "one"
        return [f"This study has {one} {between}: there is nothing to hold it against."]
    few = rows.filter(pl.col("n") < FEWEST)
    if few.is_empty():
        return []
    most = max(few["n"].to_list())
    of = f"{few.height} pair{'s' * (few.height > 1)} of {between}s"
    runs = f"at most {most} run{'s' * (most != 1)}" if most else "no runs"
    return [f"Left out: {of} with {runs} in common; a correlation needs {FEWEST}."]

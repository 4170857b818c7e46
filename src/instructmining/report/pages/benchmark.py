"""Page of one benchmark in a comparison: every run with its interval, by category, and its worst and best items."""

from collections.abc import Mapping, Sequence

import polars as pl

from instructmining.report import html as pages
from instructmining.report.charts import benchmark as benchmark_figures
from instructmining.report.job import Job
from instructmining.report.pages.comparison import titled
from instructmining.settings import Page
from instructmining.tables import benchmarks as benchmark_tables

SPEC = Page(
    version=2,
    category="3 Benchmarks",
    caption=(
        "Benchmark {benchmark} in comparison {comparison}: every run with its interval, values by category, and the "
        "worst and best items."
    ),
    for_each="dag.shown.each_compared_benchmark",
    path="benchmarks/{comparison}/{benchmark}.html",
    tables={"table": "benchmarks/{comparison}/{benchmark}.csv"},
    inputs={
        "evaluations": "dag.comparisons.benchmark_evaluations",
        "per_item": "dag.comparisons.benchmark_items",
        "subsets": "dag.comparisons.comparison_subset_files",
        "examples": "dag.comparisons.benchmark_texts",
    },
    params={"random": "dag.comparisons.random_strategies"},
    labels={"comparison": "{comparison}", "benchmark": "{benchmark}"},
    versions=["COMPARISON"],
    order=30,
)

ABOUT = (
    "A point is one run, its line the 95 % interval over the items (bootstrap): what another set of items like these "
    "would have said. What another random subset or training would have said is in the spread over seeds, and in the "
    "comparison's verdicts."
)
ITEMS = (
    "Mean over all runs that could use the item. Worst first: what no run can do, what is asked badly, and what is "
    "marked wrongly all stand here, and are told apart by reading."
)


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """Every item with its mean and its answers."""
    # the items may hold their texts themselves
    examples = next(iter(job.inputs["examples"]), None)
    return {"table": benchmark_tables.items(job.evaluations(), examples)}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    names = (job.names["comparison"], job.names["benchmark"])
    return page(*names, job.evaluations(), job.params["random"], made["table"])


def page(comparison: str, benchmark: str, evaluations: pl.DataFrame, random: Sequence[str], items: pl.DataFrame) -> str:
    """The page.

    ``evaluations``: from ``comparison.read_evaluations``, of this benchmark alone; ``random``: strategies of kind
    random; ``items``: from ``benchmark_tables.items``.
    """
    direction, unit = evaluations["direction"][0], evaluations["unit"][0]
    table = benchmark_tables.runs(evaluations)
    parts = [pages.words(ABOUT)]
    groups = ["pool", "recipe"]
    for (pool, recipe), group in table.group_by(groups, maintain_order=True):
        here = evaluations.filter(pl.col("pool") == pool, pl.col("recipe") == recipe)
        parts.append(pages.heading(f"Pool {pool}, recipe {recipe}"))
        parts.append(pages.charts(benchmark_figures.values(group, random, titled(evaluations.row(0, named=True)))))
        parts += _by_part(here, random, unit)
        figures = benchmark_tables.details(here["path"].to_list())
        parts += [pages.heading("Every figure of a run", 3), pages.table(figures)]
    worst, best = benchmark_tables.worst_and_best(items, direction)
    if items["mean"].drop_nulls().n_unique() > 1:
        # of few items none is shown as both
        half = max(1, items.height // 2)
        parts += [pages.heading("Worst items"), pages.words(ITEMS), pages.table(_to_read(worst.head(half)))]
        parts += [pages.heading("Best items"), pages.table(_to_read(best.head(half)))]
    else:
        parts.append(pages.words("Every item has the same mean over the runs: none is worst, none is best."))
    note = f"All of them as results/tables/benchmarks/{comparison}/{benchmark}.csv."
    shown = pages.arranged(table, ["strategy", "seed", "size", "value", "low", "high"], ["recipe", "pool", "benchmark"])
    parts += [pages.heading("Every run"), pages.table(shown, note=note)]
    return pages.page(f"Benchmark {benchmark}, comparison {comparison}", parts)


def _to_read(items: pl.DataFrame) -> pl.DataFrame:
    """The prompt first, the id last."""
    return items.select("prompt", pl.exclude("prompt", "id"), "id")


def _by_part(evaluations: pl.DataFrame, random: Sequence[str], unit: str) -> list[pages.Part]:
    """By category or task, and wins, ties and losses, where the benchmark has them."""
    found = []
    by_part = benchmark_tables.parts(evaluations)
    examples = dict(evaluations.select("size", pl.format("{} examples", "examples")).iter_rows())
    told = {size: number if size.isdigit() else f"{number} ({size})" for size, number in examples.items()}
    charts = [
        benchmark_figures.parts(frame, random, unit, told[size])
        for (size,), frame in by_part.group_by("size", maintain_order=True)
    ]
    if charts:
        found += [pages.heading("By part", 3), pages.charts(*charts)]
    verdicts = benchmark_tables.verdicts(evaluations)
    charts = [
        benchmark_figures.verdicts(frame, f"{strategy}, {told[size]}")
        for (strategy, size), frame in verdicts.group_by("strategy", "size", maintain_order=True)
    ]
    return [*found, pages.heading("Wins, ties and losses", 3), pages.charts(*charts)] if charts else found

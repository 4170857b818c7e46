"""Page of one benchmark in a comparison: every run with its interval, by category, and its worst and best items."""

from collections.abc import Sequence

import polars as pl

from instructmining.report import html as pages
from instructmining.report.charts import benchmark as benchmark_figures
from instructmining.report.pages.comparison import titled
from instructmining.tables import benchmarks as benchmark_tables

ABOUT = (
    "A point is one run, its line the 95 % interval over the items (bootstrap): what another set of items like these "
    "would have said. What another random subset or training would have said is in the spread over seeds, and in the "
    "comparison's verdicts."
)
ITEMS = (
    "Mean over all runs that could use the item. Worst first: what no run can do, what is asked badly, and what is "
    "marked wrongly all stand here, and are told apart by reading."
)


def page(
    comparison: str, benchmark: str, evaluations: pl.DataFrame, random: Sequence[str], examples: str | None
) -> tuple[str, pl.DataFrame]:
    """The page, and every item as a table.

    ``evaluations``: from ``comparison.read_evaluations``, of this benchmark alone; ``random``: strategies of kind
    random; ``examples``: the items' dataset, None where their prompts are with the evaluations.
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
    items = benchmark_tables.items(evaluations, examples)
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
    return pages.page(f"Benchmark {benchmark}, comparison {comparison}", parts), items


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

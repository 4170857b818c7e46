"""Page "Comparison": each strategy against size, and selected against random in words and figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import Markup

from instructmining.report import html as pages
from instructmining.report.charts import base as figures
from instructmining.report.job import Job
from instructmining.settings import Page
from instructmining.tables.benchmarks import by_recipe, wide
from instructmining.tables.benchmarks import runs as runs_table
from instructmining.tables.comparison import BETTER, NAMES, STRATEGY, WORSE, compare, compared, sentence
from instructmining.tables.significance import reach

SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Comparison {comparison}: the value of every strategy against the size of the subset, random subsets with "
        "their spread over seeds, and a verdict for each selected subset, corrected for the number of tests."
    ),
    table_caption=(
        "The numbers of comparison {comparison}: value, mean and standard deviation of the random subsets over seeds, "
        "difference with its interval over evaluation items and seeds, p value, p value adjusted for the family "
        "(Holm), verdict."
    ),
    for_each="dag.shown.each_comparison",
    path="comparisons/{comparison}.html",
    tables={"table": "{comparison}.csv", "runs": "runs/{comparison}.csv"},
    shown_tables={"table": "comparison as CSV"},
    inputs={
        "evaluations": "dag.comparisons.comparison_evaluation_files",
        "per_item": "dag.comparisons.comparison_items",
        "subsets": "dag.comparisons.comparison_subset_files",
        "subset_table": "dag.comparisons.subset_table",
    },
    params={
        "baselines": "dag.comparisons.baselines",
        "selection_benchmarks": "dag.comparisons.selection_benchmarks",
    },
    labels={"what": "comparison"},
    subcategory="{comparison}",
    versions=["COMPARISON"],
    order=20,
)

HOW = (
    "A point is one finetuned model. Grey: random subsets, each seed a point, their mean a line, one standard "
    "deviation over seeds the band. Dashed: the whole pool."
)
RUNS = (
    "Value, and the 95 % interval over the benchmark's items alone: two runs on the same items may differ by less than "
    "their intervals overlap, which is what the table above is about. Each benchmark has a page of its own."
)
SUBSETS = (
    "A row a subset, for each quality rule of the comparison. rule_value is the mean of the rule's predicted log loss "
    "over the subset's examples, lower is better; exp_rule_value is the loss that this predicts. Minutes are wall "
    "clock time of jobs, summed; what subsets share counts in the row of each. Of a strategy with seeds, means."
)
RECIPES = (
    "A column a recipe: the strategy's value; its difference to the mean of random subsets under the same recipe, with "
    "the interval. All recipes are trained on the same subsets."
)
# as many verdicts as one reads line by line
LISTED = 8
FIRST = ("strategy", "benchmark", "size", "difference", "difference_low", "difference_high", "p_holm", "verdict")
CONSTANT = ("pool", "recipe", "baseline", "direction", "family")
JUDGEMENT = (
    "The interval of a difference holds two kinds of chance: in the evaluation items (paired bootstrap) and in the "
    "runs (the spread over random seeds, Student's t; the strategy's own run is taken to vary as much as a random "
    "one). Its p value is two-sided: how often a random subset in the strategy's place would differ as much.",
    "A family is every strategy against random in this comparison: {family}. “Better” and “worse” need p below 0.05 "
    "after Holm's correction for the family, so that not one of them is there by chance in 95 % of such tables. Strict "
    "random and full stand beside it as baselines: they are not in the family and get no verdict.",
)


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """The strategies against random subsets, and the runs."""
    evaluations = job.evaluations()
    return {"table": compare(evaluations, job.params["baselines"]), "runs": runs_table(evaluations)}


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    random = [name for name, kind in job.params["baselines"].items() if kind == "random"]
    subsets = [pl.read_csv(path, schema_overrides=NAMES) for path in job.inputs["subset_table"]]
    used = job.params["selection_benchmarks"]
    # no strategy may have a quality rule
    table = subsets[0] if subsets else None
    name = job.names["comparison"]
    return page(name, job.evaluations(), made["table"], made["runs"], random, used, table)


def page(
    name: str,
    evaluations: pl.DataFrame,
    table: pl.DataFrame,
    runs: pl.DataFrame,
    random: Sequence[str],
    selection_benchmarks: Sequence[str],
    subsets: pl.DataFrame | None,
) -> str:
    """``evaluations`` and ``table``: from ``instructmining.tables.comparison``; ``runs``: from ``benchmark_tables``;
    ``random``: the strategies of kind random; ``selection_benchmarks``: those that a quality rule or a search has
    already used; ``subsets``: from ``subset_table``, None where no strategy has a quality rule."""
    parts = [pages.words("Does a selected subset do better than random subsets of the same size?", HOW)]
    used = sorted(set(evaluations["benchmark"]) & set(selection_benchmarks))
    if used:
        parts.append(pages.warning(seen_warning(used)))
    for (pool, recipe), group in evaluations.group_by("pool", "recipe", maintain_order=True):
        parts.append(pages.heading(f"Pool {pool}, recipe {recipe}"))
        charts = [
            figures.against_size(
                frame, list(random), titled(frame.row(0, named=True), "used for selection" * (benchmark in used))
            )
            for (benchmark,), frame in group.group_by("benchmark", maintain_order=True)
        ]
        parts.append(pages.charts(*charts))
        here = table.filter(pl.col("pool") == pool, pl.col("recipe") == recipe)
        parts += _verdicts(compared(here))
        beside = here.filter(pl.col("role") != STRATEGY)
        if beside.height:
            parts += [pages.heading("Baselines beside random", 3)]
            parts += [pages.bullets([line(row) for row in beside.iter_rows(named=True)])]
    columns = "difference = value - random_mean; sd: standard deviation over seeds; p_holm: adjusted for the family."
    parts += [
        pages.heading("Selected against random"),
        pages.words(JUDGEMENT[0], JUDGEMENT[1].format(family=_family(table)), *reach_words(table)),
        pages.table(pages.arranged(table, FIRST, CONSTANT), note=f"Also as results/tables/{name}.csv. {columns}"),
        *_recipes(table, evaluations["recipe"].unique(maintain_order=True).to_list()),
        *_subsets(name, subsets),
        pages.heading("Runs and benchmarks"),
        pages.words(RUNS),
        pages.table(wide(runs), note=f"Also, number by number, as results/tables/runs/{name}.csv."),
        pages.heading("Every evaluation"),
        pages.table(
            pages.arranged(evaluations.drop("path"), ["strategy", "seed", "size", "benchmark", "value", "unit"]),
            note="value: in the unit that stands beside it.",
        ),
    ]
    return pages.page(f"Comparison: {name}", parts)


def _verdicts(rows: pl.DataFrame) -> list[pages.Part]:
    """A line a comparison; of many only those that came out, and how many did not."""
    decisive = rows.filter(pl.col("verdict").is_in([BETTER, WORSE])) if rows.height > LISTED else rows
    parts = [pages.bullets([line(row) for row in decisive.iter_rows(named=True)])] if decisive.height else []
    if decisive.height < rows.height:
        rest = f"{rows.height - decisive.height} of {rows.height} comparisons with random are neither better nor worse"
        parts.append(pages.words(f"{rest}: the table below has each."))
    return parts


def titled(evaluation: Mapping[str, Any], *more: str) -> str:
    """A chart's title: the benchmark of an evaluation, which way is better, and what else there is to say."""
    told = [evaluation["direction"].replace("_", " "), *filter(None, more)]
    return f"{evaluation['benchmark']} ({'; '.join(told)})"


def _recipes(table: pl.DataFrame, recipes: Sequence[str]) -> list[pages.Part]:
    """Strategies against random by recipe, where there are several."""
    found = by_recipe(table, recipes)
    return [] if found.is_empty() else [pages.heading("Recipes"), pages.words(RECIPES), pages.table(found)]


def _subsets(name: str, subsets: pl.DataFrame | None) -> list[pages.Part]:
    if subsets is None:
        return []
    note = f"Also as results/tables/subsets/{name}.csv."
    shown = subsets.drop([key for key in ("pool", "recipe", "rule") if subsets[key].n_unique() == 1])
    return [pages.heading("Subsets"), pages.words(SUBSETS), pages.table(shown, note=note)]


def line(row: Mapping[str, Any]) -> Markup:
    """One row of the comparison table in words."""
    label = "" if row["size"] == str(row["examples"]) else f" ({row['size']})"
    told = Markup("{}, {} examples{}, {}: {}: <strong>{}</strong>").format(
        row["pool"], f"{row['examples']:,}", label, row["benchmark"], sentence(row), row["verdict"]
    )
    if row["difference_low"] is not None:
        told += f" (difference {row['difference']:+.4f}, {row['difference_low']:+.4f} to {row['difference_high']:+.4f}"
        told += ")" if row["p_holm"] is None else f"; p {row['p_value']:.2g}, Holm {row['p_holm']:.2g})"
    return told


def _family(table: pl.DataFrame) -> str:
    size = max(table["family"].drop_nulls().to_list(), default=0)
    return _counted(size) if size else "none here, since random has no spread"


def _counted(size: int) -> str:
    return "1 comparison" if size == 1 else f"{size} comparisons"


def reach_words(table: pl.DataFrame) -> list[str]:
    """What differences the study could have found at all."""
    judged = table.filter(pl.col("family").is_not_null())
    if judged.is_empty():
        return []
    seeds, family = min(judged["random_seeds"].to_list()), max(judged["family"].to_list())
    now, more = reach(seeds, family), reach(10, family)
    told = f"With {seeds} random seeds and {_counted(family)}, the clearest difference must exceed {now:.1f} standard "
    told += "deviations of the random seeds to count, even if the items leave no doubt"
    return [f"{told}; with 10 seeds {more:.1f}." if seeds < 10 else f"{told}."]


def seen_warning(benchmarks: Sequence[str]) -> str:
    """What to say of benchmarks that selection has already used."""
    return (
        f"{', '.join(benchmarks)}: used to fit a quality rule or to drive a search, so the comparison on it is made on "
        "a set used for selection and flatters the selected subset."
    )

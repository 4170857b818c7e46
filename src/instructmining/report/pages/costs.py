"""Page "Costs": what each strategy took, by parts, against finetuning on everything and against its score."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.costs import jobs as costs
from instructmining.costs import ledger
from instructmining.costs.tables import (
    KEY,
    QUANTITIES,
    dearer,
    everything_table,
    has_price,
    measure,
    money,
    parts_table,
    strategies_table,
)
from instructmining.jobs import paths
from instructmining.jobs.files import read_json
from instructmining.report import html as pages
from instructmining.report.charts import costs as cost_figures
from instructmining.report.job import Job
from instructmining.settings import Page

# What the jobs measured (results/costs) is no input: a lost measurement would have its job done again.
SPEC = Page(
    version=2,
    category="2 Comparison",
    caption=(
        "Costs of comparison {comparison}, from the jobs' own measurements: the selection by each strategy, the "
        "finetuning on its subset, and finetuning on everything; and the score that each cost buys."
    ),
    table_caption=(
        "Costs of comparison {comparison}: hours, GPU-hours, core-hours and money of every strategy, with and without "
        "the fit of its quality rule. The parts are in results/tables/costs/{comparison}/parts.csv."
    ),
    for_each="dag.shown.each_comparison",
    path="costs/{comparison}.html",
    tables={"strategies": "costs/{comparison}/strategies.csv", "parts": "costs/{comparison}/parts.csv"},
    shown_tables={"strategies": "costs as CSV"},
    inputs={
        "evaluations": "dag.comparisons.comparison_evaluation_files",
        "subsets": "dag.comparisons.comparison_subset_files",
        "runs": "dag.comparisons.comparison_runs",
        "rankings": "dag.comparisons.comparison_rankings",
    },
    params={
        "random": "dag.comparisons.random_strategies",
        "prices": "dag.comparisons.prices",
        "jobs": "costs.jobs.digest_of",
    },
    labels={"what": "costs"},
    subcategory="{comparison}",
    versions=["COSTS"],
    order=40,
)

HOW = (
    "Every job's own measurement of its wall-clock time (results/costs), times the GPUs and cores that the config has "
    "it hold. Hours are added up over jobs that may have run at the same time; waiting in a queue is not in them, and "
    "of a job that was interrupted only the last part is. As measured when this page was made."
)
PARTS_ARE = (
    "fit: everything that only the quality rule needs, its mixtures' finetunings, evaluations and indicators; score: "
    "the indicators and embeddings of the pool that the ranking reads, with their preference heads, and for Cherry the "
    "finetuning of the model that scores; select: ranking and subset; search: the trials behind a size best-…, for the "
    "strategy that they were made with (others borrow the size for nothing). Reading data, preparing models, checks of "
    "indicators and the comparison's own evaluations belong to no strategy."
)
SHARED = (
    "What two strategies or sizes share, an indicator or the fit of a quality rule, counts in full for each of them, "
    "so the rows add up to more than was paid. The fit is paid once, however many pools and sizes its rule then "
    "selects for: hence every figure with it and without it. Of a strategy with seeds the figures are means: its user "
    "pays for one."
)
CHART = (
    "A point is a strategy at one size: its score, and what selecting and finetuning cost together. The thin line to "
    "its left leads to the cost without the fit. Grey: the mean of random subsets and one standard deviation over "
    "seeds. Dashed: the score of the whole pool, and the cost of finetuning on it{how}."
)
HEADLINES = "total = selection + fit + finetune; everything: finetuning on the whole pool."
UNITS = {"gpu_hours": "GPU-hours", "cpu_hours": "core-hours"}
SHOWN = ("selection", "fit", "finetune", "total", "everything")


def tables(job: Job) -> dict[str, pl.DataFrame]:
    """The costs of the strategies, and those of the parts of each selection."""
    name, prices = job.names["comparison"], job.config["costs"]
    measured = ledger.read_ledger(job.root / paths.COSTS, costs.comparison_jobs(job.config, name))
    runs = [read_json(path) for path in job.inputs["runs"]]
    parts = parts_table(job.config, name, measured)
    everything = everything_table(job.config, name, measured, runs, job.pool_rows())
    priced = has_price(parts, prices)
    return {
        "strategies": strategies_table(parts, everything, prices),
        "parts": parts.with_columns(money(prices, priced)),
    }


def draw(job: Job, made: Mapping[str, pl.DataFrame]) -> str:
    """The page of a job."""
    name, params = job.names["comparison"], job.params
    jobs = costs.comparison_jobs(job.config, name)
    measured = ledger.read_ledger(job.root / paths.COSTS, jobs)
    missing = [one for one in jobs if one not in measured.seconds]
    units = {Path(path).stem: unit_words(read_json(path)) for path in job.inputs["evaluations"]}
    parts = made["parts"].drop("money")
    evaluations, prices = job.evaluations(), params["prices"]
    return page(name, parts, made["strategies"], evaluations, units, prices, params["random"], jobs, missing)


def page(
    name: str,
    parts: pl.DataFrame,
    strategies: pl.DataFrame,
    evaluations: pl.DataFrame,
    units: Mapping[str, str],
    prices: Mapping[str, Any],
    random: Sequence[str],
    jobs: Sequence[str],
    missing: Sequence[str],
) -> str:
    """``parts`` and ``strategies``: from ``cost_tables``; ``evaluations``: from ``comparison.read_evaluations``;
    ``units``: what each benchmark's value is, in words (``unit_words``); ``random``: the random strategies; ``jobs``:
    all that are counted, ``missing``: those of them without a cost file."""
    unit = measure(parts, prices)
    label = UNITS.get(unit, prices["currency"])
    facts = {**price_facts(prices), "jobs measured": f"{len(jobs) - len(missing):,} of {len(jobs):,}"}
    content = [pages.words("What does each selection cost, and is it worth it?", HOW), pages.facts(facts)]
    content += [pages.warning(text) for text in (missing_sentence(jobs, missing), unpriced(parts, prices)) if text]
    for (pool, recipe), group in strategies.group_by("pool", "recipe", maintain_order=True):
        content.append(pages.heading(f"Pool {pool}, recipe {recipe}"))
        content.append(pages.words(everything_sentence(group.row(0, named=True), unit, label)))
        content += [pages.warning(line) for line in flags(group, unit)]
        scores = evaluations.filter(pl.col("pool") == pool, pl.col("recipe") == recipe)
        limit, how = group[f"everything_{unit}"][0], group["everything"][0]
        charts = [
            cost_figures.cost_score(
                points(group, frame, unit),
                list(random),
                limit,
                str(benchmark),
                f"cost ({label})",
                units[str(benchmark)],
            )
            for (benchmark,), frame in scores.group_by("benchmark", maintain_order=True)
        ]
        content.append(pages.charts(*charts, note=chart_note(how)))
        content.append(pages.table(headline_table(group, unit), note=f"In {label}. {HEADLINES}", rows=25))
    content += [
        pages.heading("Parts of each selection"),
        pages.words(PARTS_ARE, SHARED),
        pages.table(
            pages.arranged(parts_shown(parts, prices), ["strategy", "size", "part", "hours"], ["pool", "recipe"]),
            note=f"Also, for every seed, as results/tables/costs/{name}/parts.csv; with hours and money of the "
            f"headlines as results/tables/costs/{name}/strategies.csv.",
            rows=25,
        ),
    ]
    return pages.page(f"Costs: {name}", content)


def chart_note(how: str | None) -> str:
    """How to read ``cost_figures.cost_score``; ``how``: the cost of everything is known (the column everything)."""
    return CHART.format(how={"measured": "", "estimated": " (estimated)"}.get(how or "", ", which is not known"))


def unit_words(evaluation: Mapping[str, Any]) -> str:
    """What the value of an evaluation is, for an axis."""
    told = [str(evaluation[key]).replace("_", " ") for key in ("unit", "direction") if key in evaluation]
    return ", ".join(told) or "value"


def price_facts(prices: Mapping[str, Any]) -> dict[str, str]:
    told = {"an hour of a GPU": prices["gpu_hour"], "an hour of a core": prices["cpu_hour"]}
    return {what: "not priced" if price is None else f"{price:g} {prices['currency']}" for what, price in told.items()}


def missing_sentence(jobs: Sequence[str], missing: Sequence[str]) -> str | None:
    """How many of the ``jobs`` that are counted had no cost file, by rule; None if none."""
    if not missing:
        return None
    rules = Counter(job.split("/")[0] for job in missing)
    told = ", ".join(f"{rule} {count:,}" for rule, count in sorted(rules.items()))
    return (
        f"{len(missing):,} of {len(jobs):,} jobs had no cost file ({told}): they count nothing, so rows whose column "
        "missing is not 0 cost at least what they say."
    )


def unpriced(parts: pl.DataFrame, prices: Mapping[str, Any]) -> str | None:
    """Which hours have no price where others have; None if none do."""
    if measure(parts, prices) != "money":
        return None
    held = {"GPU": ("gpu_hours", "gpu_hour"), "CPU": ("cpu_hours", "cpu_hour")}
    free = [name for name, (hours, price) in held.items() if prices[price] is None and parts[hours].sum()]
    return f"{' and '.join(free)} time has no price in the config and counts nothing in money." if free else None


def everything_sentence(row: Mapping[str, Any], unit: str, label: str) -> str:
    """What finetuning on everything costs, and how that is known."""
    if row[f"everything_{unit}"] is None:
        return "Finetuning on everything: not known, no run on this pool was measured."
    how = (
        "measured" if row["everything"] == "measured" else "estimated: extrapolated from tokens of the runs on subsets"
    )
    return f"Finetuning on everything: {row[f'everything_{unit}']:.4g} {label} ({how})."


def flags(group: pl.DataFrame, unit: str) -> list[str]:
    """A sentence for each strategy that costs more than finetuning on everything, with the sizes at which it does."""
    sizes: dict[tuple[str, str], list[str]] = {}
    for row in group.iter_rows(named=True):
        if what := dearer(row, unit):
            sizes.setdefault((row["strategy"], what), []).append(row["size"])
    return [
        f"{strategy} ({', '.join(found)}): {what} costs more than finetuning on everything."
        for (strategy, what), found in sizes.items()
    ]


def points(strategies: pl.DataFrame, evaluations: pl.DataFrame, unit: str) -> pl.DataFrame:
    """What ``cost_figures.cost_score`` draws, from the rows of one pool and recipe and one benchmark's evaluations."""
    scores = evaluations.group_by(KEY, maintain_order=True).agg(
        pl.col("examples").mean(), pl.col("value").mean(), sd=pl.col("value").std()
    )
    found = strategies.join(scores, on=KEY, maintain_order="left").with_columns(
        total=pl.col(f"total_{unit}"), without_fit=pl.col(f"selection_{unit}") + pl.col(f"finetune_{unit}")
    )
    return found.select("strategy", "size", "examples", "value", "sd", "seeds", "total", "without_fit")


def headline_table(group: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Selection, its fit, finetuning and everything in one unit, with what is dearer than everything."""
    verdicts = [dearer(row, unit) or "" for row in group.iter_rows(named=True)]
    dear = pl.Series("dearer than everything", verdicts, dtype=pl.String)
    shown = [pl.col(f"{name}_{unit}").alias(name) for name in SHOWN]
    renamed = group.select("strategy", "size", *shown, pl.col("everything").alias("everything is"), "missing")
    return renamed.with_columns(dear)


def parts_shown(parts: pl.DataFrame, prices: Mapping[str, Any]) -> pl.DataFrame:
    """Hours and money of each part, means over seeds; parts without a job are left out."""
    found = (
        parts.filter(pl.col("jobs") > 0)
        .group_by(*KEY, "part", maintain_order=True)
        .agg(pl.col(QUANTITIES).mean(), pl.col("jobs", "missing").sum())
    )
    priced = measure(parts, prices) == "money"
    if not priced:
        return found.drop("paid")
    return found.with_columns(money(prices, priced)).drop("paid")

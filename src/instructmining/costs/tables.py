"""Tables of costs: every part of every selection, each strategy beside finetuning on everything, and what is dearer."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from instructmining.config.names import Config
from instructmining.costs import jobs as costs
from instructmining.costs.jobs import FINETUNE, PARTS, Amount
from instructmining.costs.ledger import Ledger

Runs = Sequence[Mapping[str, Any]]

KEY = ["pool", "recipe", "strategy", "size"]
QUANTITIES = ["hours", "gpu_hours", "cpu_hours", "paid"]
# what a headline adds up: the fit of a quality rule is paid once, however many pools and sizes it selects for
HEADLINES = {
    "fit": ("fit",),
    "selection": tuple(part for part in PARTS if part != "fit"),
    "selection_with_fit": PARTS,
    "finetune": (FINETUNE,),
    "total": (*PARTS, FINETUNE),
}
MEASURED, ESTIMATED, UNKNOWN = "measured", "estimated", "unknown"
PARTS_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("pool", "recipe", "strategy", "seed", "size", "part"), pl.String),
    **dict.fromkeys(QUANTITIES, pl.Float64),
    "jobs": pl.Int64,
    "missing": pl.Int64,
}
EVERYTHING_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("pool", "recipe", "everything"), pl.String),
    **dict.fromkeys([f"everything_{quantity}" for quantity in QUANTITIES], pl.Float64),
}


def parts_table(config: Config, name: str, ledger: Ledger) -> pl.DataFrame:
    """One row for each recipe, subset and part of a comparison; the run on the subset is part ``finetune``.

    Hours as in ``costs.Amount``; ``missing`` of ``jobs`` were not measured. What two subsets share is in the rows of
    both: the rows of one subset add up to its cost, those of a pool to more than was paid for it.
    """
    rows = []
    for (recipe, subset), parts in costs.comparison_plan(config, name).items():
        order, pool, size = subset.split("/")
        strategy, _, seed = order.partition("-")
        for part, jobs in parts.items():
            rows.append((pool, recipe, strategy, seed or None, size, part, *costs.amount(config, ledger, jobs)))
    return pl.DataFrame(rows, schema=PARTS_SCHEMA, orient="row")


def everything_table(
    config: Config, name: str, ledger: Ledger, runs: Runs, pool_rows: Mapping[str, int]
) -> pl.DataFrame:
    """What finetuning on a whole pool costs, a row for each pool and recipe; ``everything`` says how that is known.

    ``runs``: train.json of the comparison's runs; ``pool_rows``: examples of each pool. Without a run on everything
    it is ``estimate``d.
    """
    rows = []
    for pool in config["comparisons"][name]["pools"]:
        for recipe in config["comparisons"][name]["recipes"]:
            found, how = _everything(config, pool, recipe, ledger, runs, pool_rows[pool])
            rows.append((pool, recipe, how, *([None] * len(QUANTITIES) if found is None else found[: len(QUANTITIES)])))
    return pl.DataFrame(rows, schema=EVERYTHING_SCHEMA, orient="row")


def _everything(
    config: Config, pool: str, recipe: str, ledger: Ledger, runs: Runs, rows: int
) -> tuple[Amount | None, str]:
    for strategy, settings in config["strategies"].items():
        job = costs.finetune_job(recipe, f"{strategy}/{pool}/all")
        if settings["kind"] == "full" and job in ledger.seconds:
            return costs.amount(config, ledger, [job]), MEASURED
    found = estimate(config, pool, recipe, ledger, runs, rows)
    return found, UNKNOWN if found is None else ESTIMATED


def estimate(config: Config, pool: str, recipe: str, ledger: Ledger, runs: Runs, rows: int) -> Amount | None:
    """Finetuning on a pool of ``rows`` examples, extrapolated from tokens; None where no run on it was measured.

    Tokens an example are those of the pool's random subsets, which are like the pool; of all runs on it where there
    is none. Seconds a token are those of the run with the most tokens; loading and saving are taken as they are.
    """
    measured = []
    for run in runs:
        strategy, *place = run["subset"].split("/")
        job = costs.finetune_job(recipe, run["subset"])
        if run["recipe"] == recipe and place[0] == pool and job in ledger.seconds:
            kind = config["strategies"][strategy.partition("-")[0]]["kind"]
            measured.append((run, job, kind == "random"))
    if not measured:
        return None
    like = [run for run, _, random in measured if random] or [run for run, _, _ in measured]
    tokens = rows * sum(run["tokens"] for run in like) / sum(run["examples"] for run in like)
    # of runs with as many tokens the last by name: `runs` may come in any order
    largest, job, _ = max(measured, key=lambda found: (found[0]["tokens"], found[1]))
    seconds, training = ledger.seconds[job], min(ledger.seconds[job], largest["seconds"]["train"])
    factor = (seconds - training + training * tokens / largest["tokens"]) / seconds if seconds else 1.0
    return costs.amount(config, ledger, [job]).times(factor)


def strategies_table(parts: pl.DataFrame, everything: pl.DataFrame, prices: Mapping[str, Any]) -> pl.DataFrame:
    """One row for each pool, recipe, strategy and size: ``HEADLINES`` and everything, in hours and money.

    Means over a strategy's ``seeds``: who uses it pays for one. ``money`` is null without any price.
    """
    sums = [
        pl.col(quantity).filter(pl.col("part").is_in(chosen)).sum().alias(f"{headline}_{quantity}")
        for headline, chosen in HEADLINES.items()
        for quantity in QUANTITIES
    ]
    orders = parts.group_by(*KEY, "seed", maintain_order=True).agg(*sums, pl.col("jobs", "missing").sum())
    found = (
        orders.group_by(KEY, maintain_order=True)
        .agg(pl.exclude("seed", "jobs", "missing").mean(), pl.col("jobs", "missing").sum(), seeds=pl.len())
        .join(everything, on=["pool", "recipe"], how="left", maintain_order="left")
    )
    headlines = [*HEADLINES, "everything"]
    priced = has_price(parts, prices)
    found = found.with_columns(money(prices, priced, f"{headline}_") for headline in headlines)
    shown = [f"{headline}_{quantity}" for headline in headlines for quantity in (*QUANTITIES[:3], "money")]
    return found.select(*KEY, "seeds", *shown, "everything", "jobs", "missing")


def measure(parts: pl.DataFrame, prices: Mapping[str, Any]) -> str:
    """What costs are compared in: money where there is a price, else hours of GPUs, else of cores."""
    if has_price(parts, prices):
        return "money"
    return "gpu_hours" if parts["gpu_hours"].sum() else "cpu_hours"


def has_price(parts: pl.DataFrame, prices: Mapping[str, Any]) -> bool:
    """Whether anything has a price: hours in the config, or answers over an API."""
    return prices["gpu_hour"] is not None or prices["cpu_hour"] is not None or bool(parts["paid"].sum())


def dearer(row: Mapping[str, Any], unit: str) -> str | None:
    """What of a row of ``strategies_table`` costs more than finetuning on everything, in words; None if nothing does.

    ``unit``: one of ``measure``'s answers. The strongest that holds is said.
    """
    limit = row[f"everything_{unit}"]
    # the run on everything is one of the rows
    if limit is None or row["size"] == "all":
        return None
    fit = row[f"fit_{unit}"] > 0
    if row[f"selection_{unit}"] > limit:
        return f"its selection alone{', the fit of its quality rule left out,' if fit else ''}"
    if row[f"selection_with_fit_{unit}"] > limit:
        return "its selection with the fit of its quality rule"
    return "its selection and finetuning together" if row[f"total_{unit}"] > limit else None


def money(prices: Mapping[str, Any], priced: bool, prefix: str = "") -> pl.Expr:
    """Price times hours held, and what was paid for an API; an hour without a price counts nothing.

    Of a frame's columns ``{prefix}gpu_hours``, ``{prefix}cpu_hours``, ``{prefix}paid``; null unless ``priced``.
    Diddee & Ippolito 2024, Tables 2 and 6, have wall-clock hours times the price of a machine of eight GPUs.
    """
    held = [pl.col(f"{prefix}{name}s") * (prices[name] or 0.0) for name in ("gpu_hour", "cpu_hour")]
    found = pl.sum_horizontal(*held, f"{prefix}paid", ignore_nulls=False) if priced else pl.lit(None, pl.Float64)
    return found.alias(f"{prefix}money")

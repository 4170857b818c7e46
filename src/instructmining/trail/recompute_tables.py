"""The tables of comparisons and studies computed again; as in ``instructmining.trail.recompute_data``."""

import polars as pl

from instructmining.config import comparison_baselines, comparison_evaluations
from instructmining.config.studies import ablated, dataset_pools, repeated_recipes
from instructmining.costs import jobs as costs
from instructmining.costs import ledger
from instructmining.costs import tables as cost_tables
from instructmining.jobs.files import read_json
from instructmining.selection import overlap
from instructmining.tables import ablation, agreement, comparison, dataset_losses, size_scan
from instructmining.tables import benchmarks as benchmark_tables
from instructmining.tables import subsets as subset_table
from instructmining.trail.study import (
    Computed,
    Expected,
    InPart,
    Study,
    evaluations_of,
    ids_of,
    last_three,
    pool_rows,
)

Frame = pl.DataFrame


def compared(study: Study, file: str, name: str) -> tuple[Frame, Frame]:
    """A comparison and its runs, from evaluations, their items and subsets."""
    found = evaluations_of(study, file)
    return comparison.compare(found, comparison_baselines(study.config, name)), benchmark_tables.runs(found)


def benchmark(study: Study, file: str, name: str, one: str) -> tuple[Expected]:
    """A benchmark's items; where the archive does not hold the texts of its dataset, with the prompts as found."""
    ran = [parts for parts in comparison_evaluations(study.config, name) if parts[-1] == one]
    order = {str(study.folder / f"results/evaluations/{'/'.join(parts)}.json"): i for i, parts in enumerate(ran)}
    found = evaluations_of(study, file)
    # the first run's answers are shown, and strategies are columns in the order of runs
    found = found.sort(pl.col("path").replace_strict(order, return_dtype=pl.Int64))
    dataset = study.config["benchmarks"][one].get("dataset")
    texts = f"results/datasets/{dataset}/examples.parquet"
    if dataset is None or texts in study.files:
        return (benchmark_tables.items(found, study.path(texts) if dataset else None),)
    items = benchmark_tables.items(found, None)
    if items["prompt"].null_count() < items.height:
        return (items,)
    prompts = pl.read_csv(study.path(file), columns=["id", "prompt"], infer_schema=False).unique("id", keep="first")
    as_found = items.drop("prompt").join(prompts, on="id", how="left", maintain_order="left")
    return (InPart(as_found.select(items.columns), "prompts", [texts]),)


def overlaps(study: Study, file: str, *_: str) -> tuple[Frame]:
    """Shares that subsets have in common."""
    frames = {last_three(path): pl.read_parquet(path) for path in study.made_from(file, "subsets")}
    return (overlap.table(frames, pool_rows(study, file)),)


def agreements(study: Study, file: str) -> tuple[Frame, ...]:
    """Correlations between benchmarks, sizes and recipes."""
    table = agreement.agreement(evaluations_of(study, file))
    return tuple(table.filter(pl.col("between") == between) for between in ("benchmark", "size", "recipe"))


def cost_parts(study: Study, file: str, name: str) -> tuple[Frame, Frame]:
    """What selecting and training cost, from what the jobs measured."""
    config, prices = study.config, study.config["costs"]
    measured = ledger.read_ledger(study.folder / "results/costs", costs.comparison_jobs(config, name))
    runs = [read_json(path) for path in study.made_from(file, "runs", "train.json")]
    parts = cost_tables.parts_table(config, name, measured)
    everything = cost_tables.everything_table(config, name, measured, runs, pool_rows(study, file))
    money = cost_tables.money(prices, cost_tables.has_price(parts, prices))
    return cost_tables.strategies_table(parts, everything, prices), parts.with_columns(money)


def compared_subsets(study: Study, file: str, *_: str) -> tuple[Frame]:
    """What a comparison's subsets are under its quality rules, and what they took."""
    (costs_file,) = study.made_from(file, "tables/costs")
    parts = pl.read_csv(costs_file, schema_overrides=cost_tables.PARTS_SCHEMA)
    scores = {last_three(path)[1:]: pl.read_parquet(path) for path in study.made_from(file, "rankings")}
    return (subset_table.table(evaluations_of(study, file), parts, ids_of(study, file), scores),)


def scanned(study: Study, file: str, *_: str) -> tuple[Frame]:
    """What values do against size."""
    random = [name for name, settings in study.config["strategies"].items() if settings["kind"] == "random"]
    return (size_scan.scan(evaluations_of(study, file), random)[0],)


def ablations(study: Study, file: str, name: str) -> tuple[Frame, Frame]:
    """Quality rules without each of their indicators."""
    left_out = ablated(study.config, name)
    full = study.config["strategies"][study.config["studies"][name]["strategy"]]["quality_rule"]
    rules = {rule: read_json(study.path(f"results/quality_rules/{rule}.json")) for rule in [full, *left_out]}
    recipes = repeated_recipes(study.config, name)
    differences = ablation.table(evaluations_of(study, file), left_out, recipes, ids_of(study, file))
    return differences, ablation.coefficients(rules, left_out)


def losses_by_dataset(study: Study, file: str, name: str) -> tuple[Frame]:
    """Random examples of each dataset."""
    return (dataset_losses.table(evaluations_of(study, file), dataset_pools(study.config, name)),)


TABLES: Computed = {
    ("results/tables/{comparison}.csv", "results/tables/runs/{comparison}.csv"): compared,
    ("results/tables/benchmarks/{comparison}/{benchmark}.csv",): benchmark,
    ("results/tables/overlaps/{comparison}.csv",): overlaps,
    tuple(f"results/tables/agreement/{between}.csv" for between in ("benchmarks", "sizes", "recipes")): agreements,
    tuple(f"results/tables/costs/{{comparison}}/{table}.csv" for table in ("strategies", "parts")): cost_parts,
    ("results/tables/subsets/{comparison}.csv",): compared_subsets,
    ("results/tables/size_scans/{study}.csv",): scanned,
    tuple(f"results/tables/ablations/{{study}}/{table}.csv" for table in ("differences", "rules")): ablations,
    ("results/tables/dataset_losses/{study}.csv",): losses_by_dataset,
}

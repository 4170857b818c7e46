"""The tables of a study's comparisons computed again; as in ``instructmining.trail.recompute``."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from instructmining import (
    ablation,
    agreement,
    comparison,
    cost_tables,
    costs,
    dataset_losses,
    ledger,
    overlap,
    subset_table,
)
from instructmining.config.baselines import comparison_baselines
from instructmining.config.studies import ablated, dataset_pools, repeated_recipes, studies_of_kind
from instructmining.files import read_json
from instructmining.trail.differences import Difference, of_csv
from instructmining.trail.recompute import Study


def comparisons(study: Study) -> Iterator[Difference]:
    """The tables of comparisons, from evaluations, their items and subsets."""
    for name in study.config["comparisons"]:
        file = f"results/tables/{name}.csv"
        if study.whole(file):
            table = comparison.compare(_evaluations(study, file), comparison_baselines(study.config, name))
            yield from of_csv(file, table, study.folder / file)
            study.computed.add(file)


def overlaps(study: Study) -> Iterator[Difference]:
    """Shares that subsets have in common."""
    for file in study.below("tables/overlaps", ".csv"):
        if not study.whole(file):
            continue
        chosen = study.made_from(file, "subsets")
        frames = {_last_three(path): pl.read_parquet(path) for path in chosen}
        table = overlap.table(frames, _pool_rows(study, file))
        yield from of_csv(file, table, study.folder / file)
        study.computed.add(file)


def agreements(study: Study) -> Iterator[Difference]:
    """Correlations between benchmarks, sizes and recipes."""
    for file in study.below("tables/agreement", ".csv"):
        if study.whole(file):
            table = agreement.agreement(_evaluations(study, file))
            between = Path(file).stem.removesuffix("s")
            yield from of_csv(file, table.filter(pl.col("between") == between), study.folder / file)
            study.computed.add(file)


def cost_parts(study: Study) -> Iterator[Difference]:
    """What selecting and training cost, from what the jobs measured."""
    config, prices = study.config, study.config["costs"]
    for name in config["comparisons"]:
        files = [f"results/tables/costs/{name}/{table}.csv" for table in ("parts", "strategies")]
        if not all(map(study.whole, files)):
            continue
        measured = ledger.read_ledger(study.folder / "results/costs", costs.comparison_jobs(config, name))
        runs = [read_json(path) for path in study.made_from(files[0], "runs", "train.json")]
        rows = _pool_rows(study, files[0])
        parts = cost_tables.parts_table(config, name, measured)
        everything = cost_tables.everything_table(config, name, measured, runs, rows)
        money = cost_tables.money(prices, cost_tables.has_price(parts, prices))
        tables = (parts.with_columns(money), cost_tables.strategies_table(parts, everything, prices))
        for file, table in zip(files, tables, strict=True):
            yield from of_csv(file, table, study.folder / file)
            study.computed.add(file)


def compared_subsets(study: Study) -> Iterator[Difference]:
    """What a comparison's subsets are under its quality rules, and what they took."""
    for file in study.below("tables/subsets", ".csv"):
        if not study.whole(file):
            continue
        costs_file = study.made_from(file, "tables/costs")[0]
        parts = pl.read_csv(costs_file, schema_overrides=cost_tables.PARTS_SCHEMA)
        scores = {_last_three(path)[1:]: pl.read_parquet(path) for path in study.made_from(file, "rankings")}
        table = subset_table.table(_evaluations(study, file), parts, _ids(study, file), scores)
        yield from of_csv(file, table, study.folder / file)
        study.computed.add(file)


def ablations(study: Study) -> Iterator[Difference]:
    """Quality rules without each of their indicators."""
    for name in studies_of_kind(study.config, "ablation"):
        files = [f"results/tables/ablations/{name}/{table}.csv" for table in ("differences", "rules")]
        if not all(map(study.whole, files)):
            continue
        left_out, file = ablated(study.config, name), files[0]
        full = study.config["strategies"][study.config["studies"][name]["strategy"]]["quality_rule"]
        rules = {rule: read_json(study.folder / f"results/quality_rules/{rule}.json") for rule in [full, *left_out]}
        recipes = repeated_recipes(study.config, name)
        tables = (
            ablation.table(_evaluations(study, file), left_out, recipes, _ids(study, file)),
            ablation.coefficients(rules, left_out),
        )
        for file, table in zip(files, tables, strict=True):
            yield from of_csv(file, table, study.folder / file)
            study.computed.add(file)


def losses_by_dataset(study: Study) -> Iterator[Difference]:
    """Random examples of each dataset."""
    for name in studies_of_kind(study.config, "datasets"):
        file = f"results/tables/dataset_losses/{name}.csv"
        if study.whole(file):
            table = dataset_losses.table(_evaluations(study, file), dataset_pools(study.config, name))
            yield from of_csv(file, table, study.folder / file)
            study.computed.add(file)


def _ids(study: Study, file: str) -> dict[tuple[str, str, str], pl.Series]:
    return {_last_three(path): pl.read_parquet(path)["id"] for path in study.made_from(file, "subsets")}


def _evaluations(study: Study, file: str) -> pl.DataFrame:
    return comparison.read_evaluations(study.made_from(file, "evaluations", ".json"), study.made_from(file, "subsets"))


def _pool_rows(study: Study, file: str) -> dict[str, int]:
    rankings = study.made_from(file, "rankings")
    return {Path(path).stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in rankings}


def _last_three(path: str) -> tuple[str, str, str]:
    order, pool, size = Path(path).with_suffix("").parts[-3:]
    return order, pool, size

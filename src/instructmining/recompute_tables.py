"""The tables of a study's comparisons computed again; as in ``instructmining.recompute``."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from instructmining import agreement, comparison, cost_tables, costs, ledger, overlap
from instructmining.config.baselines import comparison_baselines
from instructmining.differences import Difference, of_csv
from instructmining.files import read_json
from instructmining.recompute import Study


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


def _evaluations(study: Study, file: str) -> pl.DataFrame:
    return comparison.read_evaluations(study.made_from(file, "evaluations", ".json"), study.made_from(file, "subsets"))


def _pool_rows(study: Study, file: str) -> dict[str, int]:
    rankings = study.made_from(file, "rankings")
    return {Path(path).stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in rankings}


def _last_three(path: str) -> tuple[str, str, str]:
    order, pool, size = Path(path).with_suffix("").parts[-3:]
    return order, pool, size

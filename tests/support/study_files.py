"""A made-up results tree of studies: an ablation with seeds, and losses by dataset."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

import artifacts
from instructmining.jobs.files import write_parquet

ABLATED = {"s_without_reward": "reward", "s_without_mtld": "mtld"}
RECIPES = {"small": "small", "small_seed1": "small", "small_seed2": "small"}
DATASETS = {"s_alpaca": "alpaca", "s_good": "good"}


def subset(results: Path, name: str, ids: range) -> str:
    path = results / f"subsets/{name}.parquet"
    write_parquet(pl.DataFrame({"id": [f"{i:020x}" for i in ids], "dataset": "x"}), path, {})
    return str(path)


def evaluation(results: Path, recipe: str, name: str, benchmark: str, level: float) -> str:
    path = results / f"evaluations/{recipe}/{name}/{benchmark}.json"
    artifacts.write_evaluation(path, artifacts.items(level))
    return str(path)


def ablation(results: Path, seeds: int = 3) -> tuple[list[str], list[str]]:
    """Evaluations and subsets: without reward clearly worse, half the examples; without mtld the same examples."""
    levels = {"best": 1.80, "s_without_reward": 2.10, "s_without_mtld": 1.80}
    subsets = [
        subset(results, f"{name}/unseen/40", range(20, 60) if name == "s_without_reward" else range(40))
        for name in levels
    ]
    evaluations = [
        evaluation(results, recipe, f"{name}/unseen/40", "held_out", level + 0.004 * i)
        for name, level in levels.items()
        for i, recipe in enumerate(list(RECIPES)[:seeds])
    ]
    return evaluations, subsets


def by_dataset(results: Path, draws: int = 3, pools: Sequence[str] = tuple(DATASETS)) -> tuple[list[str], list[str]]:
    evaluations, subsets = [], []
    for pool, level in zip(pools, (1.9, 1.7), strict=True):
        for i in range(draws):
            name = f"s_random-{i}/{pool}/10"
            subsets.append(subset(results, name, range(10 * i, 10 * i + 10)))
            evaluations.append(evaluation(results, "small", name, "held_out", level + 0.01 * i))
    return evaluations, subsets

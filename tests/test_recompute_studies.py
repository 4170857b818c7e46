"""The tables of studies computed again from an archive's files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import study_files
from instructmining import ablation, comparison, cost_tables, dataset_losses, subset_table
from instructmining.files import write_csv, write_json, write_parquet
from instructmining.trail.differences import Difference
from instructmining.trail.recompute import Study
from instructmining.trail.recompute_tables import ablations, compared_subsets, losses_by_dataset

CONFIG: dict[str, Any] = {
    "strategies": {"best": {"kind": "quality_rule", "quality_rule": "fitted"}},
    "quality_rules": {"fitted": {"indicators": ["reward", "mtld"]}},
    "studies": {
        "s": {"kind": "ablation", "strategy": "best", "recipes": ["small"], "seeds": 3},
        "d": {"kind": "datasets", "datasets": ["alpaca", "good"]},
    },
}
FIT = {"r_squared": 0.5, "loo_r_squared": 0.3, "coefficients": {"intercept": 0.5, "reward": -0.1}}


def study(root: Path, made: dict[str, list[str]]) -> Study:
    files = frozenset(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    inputs = {file: tuple(Path(path).relative_to(root).as_posix() for path in paths) for file, paths in made.items()}
    return Study(root, CONFIG, files, inputs, set())


def ids(subsets: list[str]) -> dict[Any, pl.Series]:
    return {Path(path).with_suffix("").parts[-3:]: pl.read_parquet(path)["id"] for path in subsets}


def an_ablation(root: Path) -> Study:
    evaluations, subsets = study_files.ablation(root / "results")
    rules = dict.fromkeys(("fitted", *study_files.ABLATED), FIT)
    paths = [root / f"results/quality_rules/{name}.json" for name in rules]
    for path in paths:
        write_json(path, FIT)
    folder = "results/tables/ablations/s"
    frame = comparison.read_evaluations(evaluations, subsets)
    table = ablation.table(frame, study_files.ABLATED, study_files.RECIPES, ids(subsets))
    write_csv(table, root / folder / "differences.csv")
    write_csv(ablation.coefficients(rules, study_files.ABLATED), root / folder / "rules.csv")
    inputs = [*evaluations, *subsets, *map(str, paths)]
    return study(root, {f"{folder}/{name}.csv": inputs for name in ("differences", "rules")})


def losses(root: Path) -> Study:
    found = {pool.replace("s_", "d_"): dataset for pool, dataset in study_files.DATASETS.items()}
    evaluations, subsets = study_files.by_dataset(root / "results", pools=list(found))
    file = "results/tables/dataset_losses/d.csv"
    write_csv(dataset_losses.table(comparison.read_evaluations(evaluations, subsets), found), root / file)
    return study(root, {file: [*evaluations, *subsets]})


def subsets_of_a_comparison(root: Path) -> Study:
    evaluations, subsets = study_files.ablation(root / "results", seeds=1)
    ranking = root / "results/rankings/best/unseen.parquet"
    every = pl.DataFrame({"id": [f"{i:020x}" for i in range(60)]}).with_row_index("rank")
    write_parquet(every.with_columns(score=pl.col("rank") / 100), ranking, {})
    rows = [
        ("unseen", "small", name, None, "40", "finetune", 0.1, 0, 0, 0, 1, 0) for name in ("best", *study_files.ABLATED)
    ]
    parts = pl.DataFrame(rows, schema=cost_tables.PARTS_SCHEMA, orient="row")
    costs = root / "results/tables/costs/s/parts.csv"
    write_csv(parts.with_columns(money=pl.lit(None, pl.Float64)), costs)
    scores = {("best", "unseen"): pl.read_parquet(ranking)}
    frame = comparison.read_evaluations(evaluations, subsets)
    file = "results/tables/subsets/s.csv"
    write_csv(subset_table.table(frame, parts, ids(subsets), scores), root / file)
    return study(root, {file: [*evaluations, *subsets, str(ranking), str(costs)]})


CASES = [
    (an_ablation, ablations, "results/tables/ablations/s/differences.csv", "overlap"),
    (an_ablation, ablations, "results/tables/ablations/s/rules.csv", "reward"),
    (losses, losses_by_dataset, "results/tables/dataset_losses/d.csv", "value"),
    (subsets_of_a_comparison, compared_subsets, "results/tables/subsets/s.csv", "rule_value"),
]


@pytest.mark.parametrize(("build", "compute", "file", "column"), CASES)
def test_a_table_is_computed_again_and_a_figure_that_was_changed_is_told(
    build: Callable[[Path], Study],
    compute: Callable[[Study], Iterator[Difference]],
    file: str,
    column: str,
    tmp_path: Path,
) -> None:
    found = build(tmp_path)
    assert list(compute(found)) == [] and file in found.computed
    table = pl.read_csv(tmp_path / file)
    write_csv(table.with_columns(pl.col(column) + 0.5), tmp_path / file)
    told = [str(difference) for difference in compute(found)]
    assert told and all(file in line and column in line for line in told)

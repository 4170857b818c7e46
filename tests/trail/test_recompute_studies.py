"""The tables of studies computed again from an archive's files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import study_files
from instructmining.costs import tables as cost_tables
from instructmining.jobs.files import write_csv, write_json, write_parquet
from instructmining.tables import ablation, comparison, dataset_losses, size_scan
from instructmining.tables import subsets as subset_table
from instructmining.trail.recompute import recompute
from instructmining.trail.study import Study

CONFIG: dict[str, Any] = {
    "strategies": {"best": {"kind": "quality_rule", "quality_rule": "fitted"}, "random": {"kind": "random"}},
    "quality_rules": {"fitted": {"indicators": ["reward", "mtld"]}},
    "studies": {
        "s": {"kind": "ablation", "strategy": "best", "recipes": ["small"], "seeds": 3},
        "z": {"kind": "size_scan"},
        "d": {"kind": "datasets", "datasets": ["alpaca", "good"]},
    },
}
FIT = {"r_squared": 0.5, "loo_r_squared": 0.3, "coefficients": {"intercept": 0.5, "reward": -0.1}}


def study(root: Path, made: dict[str, list[str]]) -> Study:
    files = frozenset(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    inputs = {file: tuple(Path(path).relative_to(root).as_posix() for path in paths) for file, paths in made.items()}
    return Study(root, CONFIG, files, inputs)


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


def a_size_scan(root: Path) -> Study:
    made = []
    for place, size in enumerate((10, 20, 30, 40)):
        for order in ("best", "random-0", "random-1"):
            name = f"{order}/unseen/{size}"
            ids = study_files.subset(root / "results", name, range(size))
            level = 1.9 - 0.1 * place + 0.01 * len(order)
            made.append((study_files.evaluation(root / "results", "small", name, "held_out", level), ids))
    evaluations, subsets = map(list, zip(*made, strict=True))
    file = "results/tables/size_scans/z.csv"
    write_csv(size_scan.scan(comparison.read_evaluations(evaluations, subsets), ["random"])[0], root / file)
    return study(root, {file: [*evaluations, *subsets]})


def told(found: Study, file: str) -> list[str]:
    return [str(difference) for difference in recompute(found).differences if difference.file == file]


CASES = [
    (an_ablation, "results/tables/ablations/s/differences.csv", "overlap"),
    (an_ablation, "results/tables/ablations/s/rules.csv", "reward"),
    (losses, "results/tables/dataset_losses/d.csv", "value"),
    (subsets_of_a_comparison, "results/tables/subsets/s.csv", "rule_value"),
    (a_size_scan, "results/tables/size_scans/z.csv", "p_value"),
]


@pytest.mark.parametrize(("build", "file", "column"), CASES)
def test_a_table_is_computed_again_and_a_figure_that_was_changed_is_told(
    build: Callable[[Path], Study], file: str, column: str, tmp_path: Path
) -> None:
    found = build(tmp_path)
    # what its inputs were made from is not there
    assert told(found, file) == [] and file in recompute(found).computed
    table = pl.read_csv(tmp_path / file)
    write_csv(table.with_columns(pl.col(column) + 0.5), tmp_path / file)
    lines = told(found, file)
    assert lines and all(column in line for line in lines)

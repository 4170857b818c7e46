"""The tables of studies computed again from an archive's files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import study_files
from instructmining.costs import tables as cost_tables
from instructmining.jobs.files import write_csv, write_json, write_parquet
from instructmining.trail.recompute import recompute
from instructmining.trail.study import Study
from study_tables import write_tables

RULE = {"kind": "quality_rule", "quality_rule": "fitted"}
SIZED = {"pools": ["unseen"], "recipes": ["small"], "benchmarks": ["held_out"]}
CONFIG: dict[str, Any] = {
    "benchmarks": {"held_out": {"kind": "loss"}},
    "strategies": {
        "best": RULE,
        "random": {"kind": "random", "seeds": 2},
        "s_random": {"kind": "random", "seeds": 3},
        **dict.fromkeys(study_files.ABLATED, RULE),
    },
    "quality_rules": {"fitted": {"indicators": ["reward", "mtld"]}},
    "studies": {
        "s": {"kind": "ablation", "strategy": "best", "recipes": ["small"], "seeds": 3},
        "z": {"kind": "size_scan"},
        "d": {"kind": "datasets", "datasets": ["alpaca", "good"]},
    },
    "comparisons": {
        "s": {**SIZED, "strategies": ["best", *study_files.ABLATED], "sizes": [40], "recipes": [*study_files.RECIPES]},
        "z": {**SIZED, "strategies": ["best", "random"], "sizes": [10, 20, 30, 40]},
        "d": {**SIZED, "strategies": ["s_random"], "sizes": [10], "pools": ["d_alpaca", "d_good"]},
        "small": {**SIZED, "strategies": ["best", *study_files.ABLATED], "sizes": [40]},
    },
}
FIT = {"r_squared": 0.5, "loo_r_squared": 0.3, "coefficients": {"intercept": 0.5, "reward": -0.1}}


def study(root: Path, page: str, **names: str) -> Study:
    """With the tables of a page."""
    write_tables(root, CONFIG, page, names)
    return Study(root, CONFIG, frozenset(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()), {})


def an_ablation(root: Path) -> Study:
    study_files.ablation(root / "results")
    for name in ("fitted", *study_files.ABLATED):
        write_json(root / f"results/quality_rules/{name}.json", FIT)
    return study(root, "ablation", study="s")


def losses(root: Path) -> Study:
    study_files.by_dataset(root / "results", pools=["d_alpaca", "d_good"])
    return study(root, "dataset_losses", study="d")


def subsets_of_a_comparison(root: Path) -> Study:
    study_files.ablation(root / "results", seeds=1)
    ranking = root / "results/rankings/best/unseen.parquet"
    every = pl.DataFrame({"id": [f"{i:020x}" for i in range(60)]}).with_row_index("rank")
    write_parquet(every.with_columns(score=pl.col("rank") / 100), ranking, {})
    rows = [
        ("unseen", "small", name, None, "40", "finetune", 0.1, 0, 0, 0, 1, 0) for name in ("best", *study_files.ABLATED)
    ]
    parts = pl.DataFrame(rows, schema=cost_tables.PARTS_SCHEMA, orient="row")
    write_csv(parts.with_columns(money=pl.lit(None, pl.Float64)), root / "results/tables/costs/small/parts.csv")
    return study(root, "subsets", comparison="small")


def a_size_scan(root: Path) -> Study:
    for place, size in enumerate((10, 20, 30, 40)):
        for order in ("best", "random-0", "random-1"):
            name = f"{order}/unseen/{size}"
            study_files.subset(root / "results", name, range(size))
            level = 1.9 - 0.1 * place + 0.01 * len(order)
            study_files.evaluation(root / "results", "small", name, "held_out", level)
    return study(root, "size_scan", study="z")


def told(found: Study, file: str) -> list[str]:
    return [str(difference) for difference in recompute(found).differences if difference.file == file]


CASES = [
    (an_ablation, "results/tables/ablations/s/differences.csv", "overlap"),
    (an_ablation, "results/tables/ablations/s/rules.csv", "reward"),
    (losses, "results/tables/dataset_losses/d.csv", "value"),
    (subsets_of_a_comparison, "results/tables/subsets/small.csv", "rule_value"),
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

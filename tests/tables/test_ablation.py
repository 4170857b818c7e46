"""A quality rule without each of its indicators: differences, verdicts, refitted coefficients."""

from pathlib import Path

import polars as pl
import pytest

import study_files
from instructmining.evaluations import HIGHER, LOWER
from instructmining.tables import ablation, comparison


def table(folder: Path, seeds: int = 3) -> pl.DataFrame:
    evaluations, subsets = study_files.ablation(folder, seeds)
    ids = {Path(path).with_suffix("").parts[-3:]: pl.read_parquet(path)["id"] for path in subsets}
    frame = comparison.read_evaluations(evaluations, subsets)
    return ablation.table(frame, study_files.ABLATED, study_files.RECIPES, ids, draws=300)


def test_each_ablated_rule_stands_against_the_full_one_over_seeds(tmp_path: Path) -> None:
    found = table(tmp_path)
    assert found.schema == pl.Schema(ablation.TABLE_SCHEMA)
    full, reward, mtld = found.iter_rows(named=True)
    assert (full["strategy"], full["left_out"], full["verdict"], full["seeds"]) == ("best", None, ablation.FULL, 3)
    assert full["recipe"] == "small" and full["difference"] is None
    assert reward["difference"] == pytest.approx(reward["value"] - full["value"])
    assert 0 < reward["difference_low"] < reward["difference"] < reward["difference_high"]
    assert (reward["verdict"], reward["overlap"]) == (ablation.NEEDED, 0.5)
    assert (mtld["difference"], mtld["overlap"], mtld["verdict"]) == (0, 1, ablation.SAME)
    assert mtld["difference_low"] < 0 < mtld["difference_high"]
    assert reward["p_holm"] == pytest.approx(2 * reward["p_value"])


def test_the_spread_over_seeds_is_in_the_interval(tmp_path: Path) -> None:
    quiet = table(tmp_path / "quiet").row(1, named=True)
    for path in (tmp_path / "quiet/evaluations/small_seed2").rglob("*.json"):
        name = str(path.parent.relative_to(tmp_path / "quiet/evaluations/small_seed2"))
        level = 2.6 if "reward" in name else 1.6
        study_files.evaluation(tmp_path / "quiet", "small_seed2", name, "held_out", level)
    paths = sorted(str(path) for path in (tmp_path / "quiet/evaluations").rglob("*.json"))
    subsets = [str(path) for path in (tmp_path / "quiet/subsets").rglob("*.parquet")]
    ids = {Path(path).with_suffix("").parts[-3:]: pl.read_parquet(path)["id"] for path in subsets}
    frame = comparison.read_evaluations(paths, subsets)
    loud = ablation.table(frame, study_files.ABLATED, study_files.RECIPES, ids, draws=300).row(1, named=True)
    widths = [row["difference_high"] - row["difference_low"] for row in (quiet, loud)]
    assert loud["left_out"] == "reward" and widths[1] > 5 * widths[0]
    assert (quiet["verdict"], loud["verdict"]) == (ablation.NEEDED, ablation.SAME)


def test_one_seed_gives_a_difference_and_no_verdict(tmp_path: Path) -> None:
    row = table(tmp_path, seeds=1).row(1, named=True)
    assert row["difference"] > 0 and row["verdict"] == ablation.ONE_SEED
    assert row["difference_low"] is row["p_value"] is row["p_holm"] is row["sd"] is None
    assert ablation.sentence(row).endswith("50% of its examples in common")


@pytest.mark.parametrize(
    ("difference", "p_holm", "direction", "word"),
    [
        (+0.1, 0.04, LOWER, ablation.NEEDED),
        (-0.1, 0.04, LOWER, ablation.HARMFUL),
        (+0.1, 0.04, HIGHER, ablation.HARMFUL),
        (-0.1, 0.04, HIGHER, ablation.NEEDED),
        (+0.1, 0.05, LOWER, ablation.SAME),
    ],
)
def test_the_verdict_goes_by_adjusted_p_and_direction(
    difference: float, p_holm: float, direction: str, word: str
) -> None:
    assert ablation._verdict({"difference": difference, "p_holm": p_holm, "direction": direction}, 0.05) == word


def test_coefficients_of_the_refitted_rules_stand_side_by_side() -> None:
    rules = {
        "fitted": {"coefficients": {"intercept": 1.0, "reward": -0.5, "mtld": 0.1}, "r_squared": 0.5},
        "s_without_reward": {"coefficients": {"intercept": 2.0, "mtld": 0.3}, "r_squared": 0.2},
    }
    found = ablation.coefficients(
        {name: {**rule, "loo_r_squared": 0.1} for name, rule in rules.items()}, study_files.ABLATED
    )
    assert found["left_out"].to_list() == [None, "reward"]
    assert found["reward"].to_list() == [-0.5, None] and found["mtld"].to_list() == [0.1, 0.3]

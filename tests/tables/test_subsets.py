"""Subsets as the paper's Table 3: values, the rule's value, minutes."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs import changed, check
from instructmining.config import comparison_subsets
from instructmining.costs import jobs as costs
from instructmining.costs import tables as cost_tables
from instructmining.costs.ledger import Ledger
from instructmining.jobs.files import write_csv
from instructmining.tables import subsets as subset_table

CONFIG = check(changed("comparisons.first.sizes", [2]))
SUBSETS = comparison_subsets(CONFIG, "first")
# the rule has no value of the fourth
SCORES = pl.DataFrame({"id": list("abcd"), "score": [0.1, 0.3, 0.5, None]})
IDS = {
    **{"instructmining/unseen/2": "ab", "random-0/unseen/2": "bc", "random-1/unseen/2": "cd"},
    "full/unseen/all": "abcd",
}


def evaluations() -> pl.DataFrame:
    rows = []
    for i, name in enumerate(SUBSETS):
        order, pool, size = name.split("/")
        strategy, _, seed = order.partition("-")
        row = {"pool": pool, "recipe": "small", "strategy": strategy, "seed": seed or None, "size": size}
        row |= {"examples": len(IDS[name])}
        rows += [{**row, "benchmark": benchmark, "value": 2.0 + i + j} for j, benchmark in enumerate(("a", "b"))]
    return pl.DataFrame(rows, schema_overrides={"seed": pl.String}, infer_schema_length=None)


def table(folder: Path, scores: dict[tuple[str, str], pl.DataFrame]) -> pl.DataFrame:
    jobs = costs.comparison_jobs(CONFIG, "first")
    measured = Ledger({job: 120.0 for job in jobs if job != "finetune/small/random-0/unseen/2"}, {})
    # by way of the file that the table is made from
    write_csv(cost_tables.parts_table(CONFIG, "first", measured), folder / "parts.csv")
    parts = pl.read_csv(folder / "parts.csv", schema_overrides=cost_tables.PARTS_SCHEMA)
    subsets = {tuple(name.split("/")): pl.Series(list(ids)) for name, ids in IDS.items()}
    return subset_table.table(evaluations(), parts, subsets, scores)


def row(found: pl.DataFrame, strategy: str) -> dict[str, float]:
    return found.row(by_predicate=pl.col("strategy") == strategy, named=True)


def test_a_subset_has_its_rule_value_its_losses_and_its_minutes(tmp_path: Path) -> None:
    found = table(tmp_path, {("instructmining", "unseen"): SCORES})
    assert found["strategy"].to_list() == ["instructmining", "random", "full"]
    mine, random, full = (row(found, name) for name in ("instructmining", "random", "full"))
    assert mine["rule"] == "instructmining" and mine["rule_value"] == pytest.approx(0.2)
    assert mine["exp_rule_value"] == pytest.approx(np.exp(0.2))
    assert (mine["value_a"], mine["value_b"], mine["unscored"]) == (2, 3, 0)
    # two seeds: means of their values, 0.4 and 0.5, of which one example in four has none
    assert random["seeds"] == 2 and random["rule_value"] == pytest.approx(0.45) and random["unscored"] == 0.5
    assert random["value_a"] == pytest.approx(3.5)
    assert full["rule_value"] == pytest.approx(0.3) and full["unscored"] == 1


def test_minutes_are_those_of_the_costs_and_what_was_not_measured_is_counted(tmp_path: Path) -> None:
    found = table(tmp_path, {("instructmining", "unseen"): SCORES})
    mine, random = row(found, "instructmining"), row(found, "random")
    assert (mine["finetune_minutes"], mine["select_minutes"], mine["unmeasured"]) == (2, 4, 0)
    assert mine["score_minutes"] > 0 and mine["fit_minutes"] > 0 and mine["search_minutes"] == 0
    assert (random["finetune_minutes"], random["score_minutes"], random["unmeasured"]) == (1, 0, 1)


def test_each_rule_has_a_row_for_every_subset(tmp_path: Path) -> None:
    other = SCORES.with_columns(score=-pl.col("score"))
    found = table(tmp_path, {("instructmining", "unseen"): SCORES, ("other", "unseen"): other})
    assert found.height == 6
    by_rule = found.filter(strategy="full").select("rule", "rule_value").rows()
    assert dict(by_rule) == pytest.approx({"instructmining": 0.3, "other": -0.3})

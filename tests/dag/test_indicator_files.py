"""Which indicator files are read: only those that are named, and where their values are."""

from types import SimpleNamespace
from typing import Any

from configs import changed, check, selecting
from instructmining.dag import indicator_files


def near(reference: str, **settings: Any) -> dict[str, Any]:
    """The small configuration with a second entry by neighbours, of this reference, in a rule of two indicators."""
    raw = changed("indicators.near", {"scorer": "knn", "model": "tiny", "reference": reference, **settings})
    raw["mixtures"].append({"name": "more", "datasets": ["good", "alpaca"], "count": 2, "size": 20})
    rule = {"mixtures": ["base", "more"], "recipe": "small", "loss": "held_out", "indicators": ["near", "mtld"]}
    raw["quality_rules"]["fitted"] = rule
    return check(raw)


def test_only_the_entries_that_a_rule_names_are_computed_and_where_their_neighbours_are() -> None:
    dolly = [f"results/indicators/dolly/mtld/00{k}-of-004.parquet" for k in range(4)]
    one = "results/indicators/{}/{}/000-of-001.parquet".format
    mtld, wanted = [*dolly, one("alpaca", "mtld")], ["near", "mtld"]
    found = indicator_files.pool_indicators(near("dataset"), "unseen", wanted)
    assert found == [*mtld, one("dolly", "near"), one("alpaca", "near")]
    for settings in ({"reference": "pool"}, {"reference": "mixture", "reference_size": 20}):
        config = near(**settings)
        assert indicator_files.pool_indicators(config, "unseen", wanted) == [*mtld, one("pools/unseen", "near")]
        blocks = indicator_files.rule_indicators(config, "fitted")
        assert blocks[-2:] == [one("mixtures/base", "near"), one("mixtures/more", "near")]
        assert set(blocks[:-2]) == {*mtld, one("good", "mtld")}


def test_values_under_a_run_lie_with_the_pool() -> None:
    parts = [*(f"dolly-00{k}-of-004" for k in range(4)), "alpaca-000-of-001"]
    scores = [f"results/indicators/pools/unseen/ifd/{part}.parquet" for part in parts]
    assert indicator_files.pool_indicators(check(selecting()), "unseen", ["ifd"]) == scores


def test_a_dataset_s_table_has_the_columns_that_a_rule_or_a_strategy_needs() -> None:
    config = near("dataset")
    assert indicator_files.join_columns(config, SimpleNamespace(dataset="good")) == ["mtld", "near"]
    assert indicator_files.join_columns(config, SimpleNamespace(dataset="bad")) == []


def test_the_indicator_check_reads_all_columns_of_both_sides() -> None:
    config = near("dataset")
    found = indicator_files.check_inputs(config, SimpleNamespace())
    assert found["chosen"] == "results/datasets/good/examples.parquet"
    entries = ["judge", "knn_6", "lengths", "mtld", "near"]
    assert found["rejected_shards"] == [f"results/indicators/bad/{entry}/000-of-001.parquet" for entry in entries]

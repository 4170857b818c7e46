"""What follows from a checked configuration: names, columns, subsets, and warnings."""

from typing import Any

import pytest

from configs import SMALL, changed, check
from instructmining import config as cfg
from instructmining.jobs.errors import InputError


def test_names_that_follow() -> None:
    config = check(SMALL)
    assert cfg.seeded_names(config, "random") == ["random-0", "random-1"]
    assert cfg.seeded_names(config, "longest") == ["longest"]
    assert cfg.strategy_settings(config, "random-1") == ("random", {"kind": "random", "seed": 0, "index": 1})
    assert cfg.strategy_settings(config, "full") == ("full", {"kind": "full"})
    for name in ("random", "random-2", "full-0", "nothing"):
        with pytest.raises(InputError, match=f"no strategy {name} "):
            cfg.strategy_settings(config, name)
    assert cfg.columns(config) == {
        "knn_6": ("knn_6", "distance"),
        "mtld": ("mtld", "mtld"),
        "output_length": ("lengths", "output_length"),
        "ppl": ("judge", "perplexity"),
        "reward": ("judge", "reward"),
    }
    assert cfg.entries_for(config, ["reward", "ppl", "mtld"]) == ["judge", "mtld"]
    with pytest.raises(InputError, match="computes rewards"):
        cfg.entries_for(config, ["rewards"])
    assert cfg.shards(config, "dolly") == ["000-of-004", "001-of-004", "002-of-004", "003-of-004"]
    assert cfg.shards(config, "dolly", "judge") == cfg.shards(config, "dolly")
    assert cfg.shards(config, "dolly", "knn_6") == ["000-of-001"]
    assert cfg.mixture_names(config, ["base"])[:2] == ["base-000", "base-001"]
    assert len(cfg.mixture_names(config, ["base"])) == 9


def test_entries_with_one_model_share_their_embeddings() -> None:
    raw = changed("indicators.near", {"scorer": "knn", "model": "tiny", "i": 1, "reference": "pool", "seed": 3})
    raw["indicators"]["half"] = {"scorer": "knn", "model": "tiny", "precision": "bfloat16"}
    raw["indicators"]["half_too"] = {**raw["indicators"]["half"], "n_jobs": 2, "batch_tokens": 8}
    config = check(raw)
    assert cfg.neighbour_entries(config) == ["knn_6", "near", "half", "half_too"]
    owners = {entry: cfg.embedding_entry(config, entry) for entry in cfg.neighbour_entries(config)}
    assert owners == {"knn_6": "knn_6", "near": "knn_6", "half": "half", "half_too": "half"}
    assert cfg.shards(config, "dolly", "near") == ["000-of-001"]


def test_columns_of_rules_and_strategies() -> None:
    config = check(SMALL)
    assert cfg.rule_columns(config, "fitted") == ["knn_6", "mtld", "output_length", "ppl", "reward"]
    assert cfg.rule_columns(config, "published") == ["reward", "output_length", "knn_6"]
    assert cfg.rule_columns(config, "table") == ["reward"]
    assert cfg.strategy_columns(config, "instructmining") == cfg.rule_columns(config, "fitted")
    assert cfg.strategy_columns(config, "longest") == ["output_length"]
    assert cfg.strategy_columns(config, "random") == cfg.strategy_columns(config, "random-1") == []
    renamed = check(changed("quality_rules.published.columns", {"reward": "ppl"}))
    assert cfg.rule_columns(renamed, "published") == ["ppl", "output_length", "knn_6"]


def test_subsets_of_a_comparison() -> None:
    assert cfg.comparison_subsets(check(SMALL), "first") == [
        *("instructmining/unseen/16", "instructmining/unseen/best-main"),
        *("random-0/unseen/16", "random-0/unseen/best-main", "random-1/unseen/16", "random-1/unseen/best-main"),
        "full/unseen/all",
    ]


def test_sets_that_serve_twice_are_said() -> None:
    assert cfg.warnings(check(SMALL)) == [
        "search main is made on benchmark held_out, on which quality rule fitted was fitted",
        "comparison first is made on benchmark held_out, which quality rule fitted was fitted on",
        "comparison first is made on benchmark held_out, which search main used for selection",
        "indicator_check uses dataset bad, on which the preference head of judge is fitted",
        "indicator_check uses dataset good, on which the preference head of judge is fitted",
    ]
    apart = changed("indicator_check", ...)
    apart["comparisons"]["first"]["benchmarks"] = ["final"]
    apart["searches"]["main"]["loss"] = "final"
    apart["comparisons"]["first"]["sizes"] = [16]
    assert cfg.warnings(check(apart)) == []


def test_held_out_data_that_is_trained_on_is_said() -> None:
    before = cfg.warnings(check(SMALL))
    raw = changed("pools.unseen", ["dolly", "good"])
    said = "pool unseen trains on the data of the preference head of judge: dataset good"
    assert cfg.warnings(check(raw)) == [said, *before]
    raw = changed("mixtures.0.datasets", ["dolly", "bad"])
    said = "mixture block base trains on the data of the preference head of judge: dataset bad"
    assert cfg.warnings(check(raw)) == [said, *before]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"limit": 3, "seed": 1, "shards": 2}, True),
        ({"rows": [19, 30]}, True),
        ({"rows": [20, 30]}, False),
        ({"path": "data/other.json"}, False),
        ({"format": "dolly"}, False),
        ({"exclude_prompts_of": ["held_out"]}, False),
    ],
)
def test_two_names_for_the_same_rows_are_the_same_data(other: dict[str, Any], same: bool) -> None:
    raw = changed("benchmarks.held_out", {"kind": "loss", "path": "data/alpaca.json", "rows": [10, 20]})
    raw["datasets"]["alpaca"] = {"path": "data/alpaca.json", **other}
    raw["mixtures"][0]["datasets"] = ["dolly"]
    said = "pool unseen trains on the data of benchmark held_out: datasets alpaca and held_out share rows of one source"
    assert [line for line in cfg.warnings(check(raw)) if "trains on" in line] == [said] * same


def test_sets_that_serve_twice_under_two_names_are_said() -> None:
    raw = changed("benchmarks.final", {"kind": "loss", "path": "data/held_out.jsonl"})
    assert "comparison first is made on benchmark final, which search main used for selection" in cfg.warnings(
        check(raw)
    )
    raw = changed("datasets.check", {**SMALL["datasets"]["good"], "rows": [10, 30]})
    raw["indicator_check"] = {"chosen": "check", "rejected": "bad"}
    said = "indicator_check uses dataset check, on which the preference head of judge is fitted"
    assert said in cfg.warnings(check(raw))

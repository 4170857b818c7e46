"""Indicators scored under a run of the pool, embeddings, and strategies that read them: names, columns, problems."""

import re
from typing import Any

import pytest

from configs import check, selecting
from instructmining import config as cfg
from instructmining.costs import jobs as costs
from instructmining.dag.jobs import held
from instructmining.jobs.errors import InputError

DOLLY = [f"00{k}-of-004" for k in range(4)]
SHARDS = [*(("dolly", shard) for shard in DOLLY), ("alpaca", "000-of-001")]


def test_names_that_follow() -> None:
    config = check(selecting())
    assert cfg.run_entries(config) == ["ifd"]
    assert cfg.run_subset(config, "ifd", "unseen") == "cherry_seed/unseen/all"
    assert cfg.strategy_columns(config, "deita") == ["ppl", "reward"]
    assert [cfg.strategy_embeddings(config, name) for name in ("cherry_seed", "deita", "random-1")] == [
        *("prompts", "knn_6"),
        None,
    ]
    assert cfg.embedding_entry(config, "prompts") == "prompts"
    # what a rule may choose among, and what pairs are checked on, is what a dataset has by itself
    assert set(cfg.columns(config)) - set(cfg.dataset_columns(config)) == {"ifd", "ifd_ppl"}
    assert "ifd" not in cfg.rule_columns(config, "fitted")
    assert "revision" not in config["indicators"]["ifd"]
    assert config["indicators"]["judge"]["revision"] == "main"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("indicators.ifd.model", "tiny", "indicators.ifd: expected exactly one of model, run; found model and run"),
        ("indicators.ifd.run.recipe", "smal", "recipe 'smal' is not in recipes; did you mean 'small'?"),
        ("indicators.ifd.run.strategy", "random", "strategy 'random' is not in strategies; did you mean 'random-1'?"),
        ("indicators.ifd.run.size", 11, "size 11 is more than the 10 examples that strategy 'cherry_seed' ranks"),
        ("indicators.ifd.run", {"recipe": "small"}, "indicators.ifd.run: key 'strategy' missing"),
        ("searches.main.strategy", "cherry_seed", "searches.main: high 64 is more than the 10 examples that strategy"),
        (
            "strategies.random",
            {"kind": "random", "against": ["cherry_seed"], "sizes": [16]},
            "strategies.random: sizes 16 is more than the 10 examples that strategy 'cherry_seed' ranks",
        ),
        ("indicators.ifd.run.strategy", "cherry", "indicators: runs that score what selects them: cherry - cherry"),
        ("indicators.ifd.revision", "main", "indicators.ifd.revision: is only for an entry with 'model'"),
        ("strategies.deita.embeddings", "prompt", "entry 'prompt' is not in embeddings (or indicators by k-NN); did"),
        ("strategies.deita.quality", "rewards", "strategies.deita: indicator 'rewards' is not in indicators; did you"),
        ("strategies.deita.threshold", 1, "strategies.deita.threshold: expected less than 1, got 1"),
        (
            "strategies.deita.depth",
            8,
            "comparisons.first: size 16 is more than the 8 examples that strategy",
        ),
        ("embeddings.judge", {"model": "tiny"}, "embeddings.judge: name 'judge' is taken by indicators.judge"),
        ("embeddings.prompts.gpus", 2, "embeddings.prompts: gpus 2 needs device cuda"),
        (
            "quality_rules.fitted.indicators",
            ["ifd"],
            "quality_rules.fitted: indicator 'ifd' is scored under a run on each pool: a quality rule reads",
        ),
    ],
)
def test_what_cannot_be_is_one_line(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        check(selecting(path, value))


def test_a_baseline_behind_a_run_must_not_wait_for_it() -> None:
    raw = selecting("strategies.apart", {"kind": "strict_random", "against": ["cherry"]})
    check(raw)
    raw["indicators"]["ifd"]["run"] |= {"strategy": "apart-0", "size": 8}
    with pytest.raises(InputError, match="runs that score what selects them"):
        check(raw)


def test_a_run_behind_a_run_is_known_and_a_fit_behind_it_is_a_fit() -> None:
    raw = selecting("indicators.again", {"scorer": "causal", "outputs": {"ifd": "ifd_again"}})
    raw["indicators"]["again"]["run"] = {"recipe": "adapters", "strategy": "cherry", "size": 4}
    raw["strategies"]["twice"] = {"kind": "cherry", "indicator": "ifd_again"}
    first, second = ("small", "cherry_seed/unseen/all"), ("adapters", "cherry/unseen/4")
    assert cfg.scoring_runs(check(raw), "twice", "unseen") == [first, second]
    score = costs.selection_jobs(check(raw), "twice", "unseen", "16")["score"]
    assert {"finetune/small/cherry_seed/unseen/all", "finetune/adapters/cherry/unseen/4"} <= set(score)
    raw["indicators"]["again"]["run"]["strategy"] = "instructmining"
    found = costs.selection_jobs(check(raw), "twice", "unseen", "16")
    assert "fit_quality_rule/fitted" in found["fit"] and "finetune/small/mixtures/base-000" in found["fit"]
    assert "finetune/adapters/instructmining/unseen/4" in found["score"]
    assert not {*found["fit"]} & {*found["score"]}


def test_cherry_pays_for_its_pre_experience_and_deita_for_its_vectors() -> None:
    config = check(selecting())
    found = costs.selection_jobs(config, "cherry", "unseen", "16")
    assert set(found["score"]) == {
        *(f"embed/{dataset}/prompts/{shard}" for dataset, shard in SHARDS),
        *("rank_pool/cherry_seed/unseen", "select_subset/cherry_seed/unseen/all"),
        "finetune/small/cherry_seed/unseen/all",
        *(f"score_under_run/unseen/ifd/{dataset}-{shard}" for dataset, shard in SHARDS),
    }
    assert found["select"] == ["rank_pool/cherry/unseen", "select_subset/cherry/unseen/16"]
    assert found["fit"] == found["search"] == []
    score = costs.selection_jobs(config, "deita", "unseen", "16")["score"]
    assert set(score) == {
        "fit_preference_head/judge",
        *(f"score/{dataset}/judge/{shard}" for dataset, shard in SHARDS),
        *(f"embed/{dataset}/knn_6/{shard}" for dataset, shard in SHARDS),
    }
    assert all(held(config, job) == (0, 1) for job in found["score"])

"""Benchmarks in the config: whose answers are compared, who generates them, and what is refused."""

from typing import Any

import pytest

from configs import changed, check
from instructmining import config as cfg
from instructmining.jobs.errors import InputError

JUDGED = {"kind": "pairwise", "path": "data/questions.jsonl", "judge": {"model": "gpt"}}
RUN = "instructmining/unseen/16"


def config(**benchmark: Any) -> dict[str, Any]:
    raw = changed("benchmarks.judged", {**JUDGED, **benchmark})
    raw["comparisons"]["first"]["benchmarks"] += ["judged"]
    return check(raw)


def against(subset: str, **benchmark: Any) -> list[str] | None:
    return cfg.against_runs(config(**benchmark), "judged", "small", subset)


def test_reference_answers_are_no_run():
    assert against(RUN) == against("mixtures/base-000") == []


def test_a_strategy_means_its_runs_of_the_same_recipe_pool_and_size():
    assert against(RUN, against="random") == ["small/random-0/unseen/16", "small/random-1/unseen/16"]
    assert against(RUN, against="random-1") == ["small/random-1/unseen/16"]
    assert against(RUN, against="full") == ["small/full/unseen/all"]
    assert against("instructmining/unseen/best-main", against="longest") == ["small/longest/unseen/best-main"]


def test_nobody_is_compared_with_itself_or_with_another_size():
    assert against("random-0/unseen/16", against="random") == ["small/random-1/unseen/16"]
    assert against("random-1/unseen/16", against="random-1") is None
    assert against("full/unseen/all", against="random") is None
    assert against("full/unseen/all", against="full") is None
    assert against("searches/main/000", against="random") is None


def test_a_run_is_named_with_its_recipe_or_is_of_the_same():
    assert against(RUN, against="full/unseen/all") == ["small/full/unseen/all"]
    assert against(RUN, against="adapters/full/unseen/all") == ["adapters/full/unseen/all"]
    assert against(RUN, against=RUN) is None


def test_a_comparison_leaves_out_what_cannot_be_compared():
    found = cfg.comparison_evaluations(config(against="random"), "first")
    judged = [subset for _, subset, benchmark in found if benchmark == "judged"]
    assert len(judged) == 2 * 3 and "full/unseen/all" not in judged
    assert ("small", "full/unseen/all", "final") in found


def test_benchmarks_that_ask_the_same_share_their_answers():
    raw = changed("benchmarks.judged", JUDGED)
    raw["datasets"]["asked"] = {"path": "data/questions.jsonl", "format": "questions"}
    asked = {**JUDGED, "dataset": "asked"}
    del asked["path"]
    raw["benchmarks"] |= {"one": asked, "two": {**asked, "against": "random"}}
    raw["benchmarks"]["other"] = {**asked, "generation": {"max_new_tokens": 7}}
    found = check(raw)
    assert cfg.generation_owners(found) == ["judged", "one", "other"]
    assert [cfg.generation_owner(found, name) for name in ("one", "two", "other")] == ["one", "one", "other"]


WRONG = [
    ({"kind": "ifeval", "dataset": "test"}, "x: dataset test has format columns; kind ifeval needs ifeval"),
    ({"kind": "loss", "path": "a.jsonl", "format": "llmbar"}, "x: dataset x has format llmbar, which kind loss cannot"),
    ({**JUDGED, "against": "randon"}, "against: strategy 'randon' is not in strategies; did you mean 'random'?"),
    ({**JUDGED, "against": "a/b"}, "against: 'a/b': expected reference, a strategy, strategy/pool/size or recipe/"),
    ({**JUDGED, "against": "random/unseen/16"}, "against: strategy 'random' is not in strategies"),
    ({**JUDGED, "against": "longest/sea/16"}, "against: pool 'sea' is not in pools"),
    ({**JUDGED, "against": "big/longest/unseen/16"}, "against: recipe 'big' is not in recipes"),
    ({"kind": "pairwise", "path": "q.jsonl"}, "x: key 'judge' missing"),
    ({"kind": "harness"}, "x: expected exactly one of preset, tasks; found none"),
    ({"kind": "harness", "preset": "openllm-v1", "few_shot": 3}, "few_shot: is only for tasks: a preset has its own"),
    ({"kind": "harness", "preset": "openllm-v2"}, "preset: expected one of openllm-v1, chasing-random"),
]


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_each_error_is_one_line_that_names_the_key(value, message):
    with pytest.raises(InputError) as caught:
        check(changed("benchmarks.x", value))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_items_of_benchmarks_are_not_trained_on():
    with pytest.raises(InputError, match=r"alpaca: pool unseen trains on it, but format questions is of benchmarks'"):
        check(changed("datasets.alpaca.format", "questions"))


@pytest.mark.parametrize(("path", "key"), [("quality_rules.fitted.loss", "fitted"), ("searches.main.loss", "main")])
def test_a_rule_and_a_search_need_a_loss(path, key):
    raw = changed(path, "judged")
    raw["benchmarks"]["judged"] = JUDGED
    with pytest.raises(InputError, match=rf"{key}.loss: benchmark 'judged' is of kind pairwise: expected one of kind"):
        check(raw)

"""Studies in the config: what they become, under which names, and what is refused."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import SMALL, changed, check
from instructmining import config as cfg
from instructmining.config.studies import scanned_sizes
from instructmining.jobs.errors import InputError

WHERE = {"pools": ["unseen"], "recipes": ["small"], "benchmarks": ["final"]}
ABLATION = {"kind": "ablation", "strategy": "instructmining", "sizes": [16, "best-main"], **WHERE}
DATASETS = {
    **{"kind": "datasets", "datasets": ["alpaca", "good"], "size": 10},
    **{"recipes": ["small", "adapters"], "benchmarks": ["final"]},
}
SCAN = {"kind": "size_scan", "strategies": ["instructmining", "random"], "low": 4, "high": 64, "points": 5, **WHERE}
LISTED = ["mtld", "reward", "ppl"]


def raw(indicators: Any = LISTED, **studies: dict[str, Any]) -> dict[str, Any]:
    found = changed("quality_rules.fitted.indicators", indicators)
    return {**found, "studies": studies}


def problem(raw: dict[str, Any]) -> str:
    with pytest.raises(InputError) as error:
        check(raw)
    return str(error.value)


def test_an_ablation_is_a_rule_a_strategy_and_a_comparison_without_each_indicator() -> None:
    config = check(raw(table5=ABLATION))
    names = ["table5_without_mtld", "table5_without_reward", "table5_without_ppl"]
    assert cfg.ablated(config, "table5") == dict(zip(names, LISTED, strict=True))
    for name, left_out in zip(names, LISTED, strict=True):
        rest = [other for other in LISTED if other != left_out]
        assert config["quality_rules"][name] == {**config["quality_rules"]["fitted"], "indicators": rest}
        assert config["strategies"][name] == {"kind": "quality_rule", "quality_rule": name}
        assert cfg.strategy_columns(config, name) == rest
    assert config["comparisons"]["table5"] == {
        **{"pools": ["unseen"], "strategies": ["instructmining", *names], "sizes": [16, "best-main"]},
        **{"recipes": ["small"], "benchmarks": ["final"], "keep_models": False},
    }
    # what was there stays as it was
    before = check(raw())
    for section in ("quality_rules", "strategies", "comparisons", "recipes"):
        assert {name: config[section][name] for name in before[section]} == before[section]


def test_the_full_rules_runs_are_those_of_other_comparisons() -> None:
    config = check(raw(table5={**ABLATION, "benchmarks": ["held_out", "final"], "seeds": 2}))
    first, study = (set(cfg.comparison_evaluations(config, name)) for name in ("first", "table5"))
    shared = {("small", f"instructmining/unseen/{size}") for size in ("16", "best-main")}
    assert {tuple(run) for *run, _ in first & study} == shared


def test_seeds_are_recipes_that_differ_in_their_seed_alone_and_are_shared_by_studies() -> None:
    studies = {"one": {**ABLATION, "seeds": 3}, "two": {**ABLATION, "sizes": [8], "seeds": 2}}
    config = check(raw(**studies))
    small = config["recipes"]["small"]
    for i in (1, 2):
        assert config["recipes"][f"small_seed{i}"] == {**small, "seed": small["seed"] + i}
    assert config["comparisons"]["one"]["recipes"] == ["small", "small_seed1", "small_seed2"]
    assert config["comparisons"]["two"]["recipes"] == ["small", "small_seed1"]
    assert list(config["recipes"]["small_seed1"]) == list(small)


def test_a_checked_config_can_be_checked_again() -> None:
    config = check(raw(a={**ABLATION, "seeds": 2}, b=DATASETS, c=SCAN))
    assert check(config) == config


def test_candidates_of_a_rule_that_chooses_are_left_out_in_turn() -> None:
    found = raw("auto", table5=ABLATION)
    found["quality_rules"]["fitted"] |= {"candidates": LISTED}
    config = check(found)
    rule = config["quality_rules"]["table5_without_reward"]
    assert (rule["indicators"], rule["candidates"]) == ("auto", ["mtld", "ppl"])


def test_datasets_are_pools_of_one_and_random_draws() -> None:
    config = check(raw(table8=DATASETS))
    assert cfg.dataset_pools(config, "table8") == {"table8_alpaca": "alpaca", "table8_good": "good"}
    assert config["pools"]["table8_good"] == ["good"]
    subsets = cfg.comparison_subsets(config, "table8")
    assert subsets == [f"table8_random-{i}/table8_{name}/10" for name in ("alpaca", "good") for i in range(3)]
    assert len(cfg.comparison_evaluations(config, "table8")) == 12


def test_a_scan_is_a_comparison_of_geometric_sizes() -> None:
    config = check(raw(figure4=SCAN))
    assert config["comparisons"]["figure4"]["sizes"] == [4, 8, 16, 32, 64]
    assert config["comparisons"]["figure4"]["strategies"] == ["instructmining", "random"]


@given(st.integers(1, 10_000), st.integers(1, 100_000), st.integers(2, 60))
def test_scanned_sizes_go_up_from_low_to_high(low: int, more: int, points: int) -> None:
    sizes = scanned_sizes(low, low + more, points)
    assert sizes[0] == low and sizes[-1] == low + more and len(sizes) <= points
    assert all(one < other for one, other in pairwise(sizes))


@pytest.mark.parametrize(
    ("study", "words"),
    [
        ({**ABLATION, "strategy": "instructminin"}, "studies.s: strategy 'instructminin' is not in strategies; did"),
        ({**ABLATION, "strategy": "longest"}, "studies.s: strategy 'longest' is of kind longest: an ablation needs"),
        ({**ABLATION, "pools": ["unsee"]}, "studies.s: pool 'unsee' is not in pools; did you mean 'unseen'?"),
        ({**ABLATION, "recipes": ["smal"], "seeds": 3}, "studies.s: recipe 'smal' is not in recipes; did you mean"),
        ({**ABLATION, "sizes": ["best-mine"]}, "studies.s: search 'mine' is not in searches; did you mean 'main'?"),
        ({**ABLATION, "low": 3}, "studies.s.low: unknown key"),
        ({"kind": "ablations"}, "studies.s.kind: expected one of ablation, datasets, size_scan"),
        ({**DATASETS, "datasets": ["alpaka"]}, "studies.s: dataset 'alpaka' is not in datasets; did you mean"),
        ({**DATASETS, "size": 51}, "studies.s: size 51 is more than the 50 examples that alpaca can have"),
        ({**SCAN, "low": 64}, "studies.s: low 64 must be below high 64"),
        ({**SCAN, "points": 1}, "studies.s.points: expected at least 2, got 1"),
    ],
)
def test_a_mistake_in_a_study_is_one_line_under_its_name(study: dict[str, Any], words: str) -> None:
    assert problem(raw(s=study)).startswith(f"my.yaml: {words}")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"indicators": "auto"}, "quality rule fitted has indicators auto: name its indicators, or its candidates"),
        ({"indicators": ["mtld"]}, "quality rule fitted has one indicator: without it there is none"),
    ],
)
def test_a_rule_that_cannot_be_ablated_says_why(rule: dict[str, Any], words: str) -> None:
    found = raw(s=ABLATION)
    found["quality_rules"]["fitted"] |= rule
    assert problem(found).startswith(f"my.yaml: studies.s: {words}")


def test_a_published_rule_is_not_refitted() -> None:
    found = raw(s=ABLATION)
    found["strategies"]["instructmining"]["quality_rule"] = "published"
    assert "studies.s: quality rule published is published: only a rule" in problem(found)


@pytest.mark.parametrize(
    ("path", "study", "name"),
    [
        ("comparisons.s", SCAN, "comparisons.s"),
        ("quality_rules.s_without_mtld", ABLATION, "quality_rules.s_without_mtld"),
        ("strategies.s_without_mtld", ABLATION, "strategies.s_without_mtld"),
        ("recipes.small_seed1", {**ABLATION, "seeds": 2}, "recipes.small_seed1"),
        ("pools.s_good", DATASETS, "pools.s_good"),
        ("strategies.s_random", DATASETS, "strategies.s_random"),
    ],
)
def test_a_name_that_is_taken_is_refused(path: str, study: dict[str, Any], name: str) -> None:
    section, key = path.split(".")
    found = raw(s=study)
    # something that is valid where it stands
    found[section] = {**found[section], key: next(iter(found[section].values()))}
    assert problem(found) == f"my.yaml: studies.s: needs the name {name}, which is taken by the config's own"


def test_a_name_that_another_study_takes_is_refused() -> None:
    studies = {"s": {**DATASETS, "datasets": ["alpaca"]}, "s_b": {**DATASETS, "datasets": ["alpaca"]}}
    found = raw(**studies)
    found["datasets"]["b_alpaca"] = {**SMALL["datasets"]["alpaca"]}
    found["studies"]["s"]["datasets"] = ["b_alpaca"]
    assert "studies.s_b: needs the name pools.s_b_alpaca, which is taken by study s" in problem(found)


def test_a_warning_about_a_rule_is_not_repeated_for_each_ablated_one() -> None:
    config = check(raw(s={**ABLATION, "benchmarks": ["held_out"], "sizes": [16]}))
    told = [line for line in cfg.warnings(config) if line.startswith("comparison s ")]
    assert told == ["comparison s is made on benchmark held_out, which quality rule fitted was fitted on"]

"""Defaults, and one line that names the key for whatever is wrong."""

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import SMALL, changed, check
from instructmining import config as cfg
from instructmining.jobs.errors import InputError

SHA = "0" * 64


def test_defaults_are_filled_in_at_every_depth_and_the_raw_config_is_left_alone() -> None:
    before = deepcopy(SMALL)
    config = check(SMALL)
    assert before == SMALL
    assert config["recipes"]["small"]["learning_rate"] == 2.0e-5
    assert "lora" not in config["recipes"]["small"]
    assert config["recipes"]["adapters"]["lora"] == {"r": 4, "alpha": 16, "dropout": 0.0, "target_modules": None}
    assert config["indicators"]["judge"]["preference_head"]["folds"] == 5
    assert config["datasets"]["dolly"]["split"] == "train"
    assert "split" not in config["datasets"]["alpaca"]
    assert config["datasets"]["test"]["columns"]["input"] is None
    assert config["mixtures"][0]["seed"] == 0
    assert config["report"] == {"examples": 10, "ngram": 13}
    assert check({})["searches"] == {}


def test_checking_twice_changes_nothing() -> None:
    once = check(SMALL)
    assert check(once) == once


def test_a_benchmark_with_a_source_of_its_own_becomes_a_dataset() -> None:
    config = check(SMALL)
    held_out = {"kind": "loss", "dataset": "held_out", "max_length": 2048, "min_share_used": 0.9, "batch_tokens": 4096}
    assert config["benchmarks"]["held_out"] == held_out
    assert config["datasets"]["held_out"]["path"] == "data/held_out.jsonl"
    assert config["datasets"]["held_out"]["limit"] == 8
    assert config["benchmarks"]["final"] == {**held_out, "dataset": "test", "max_length": 64}


def _reversed(value: Any, names: bool = False) -> Any:
    """The same with the keys of every entry in the opposite order; those that are names stay."""
    if isinstance(value, list):
        return [_reversed(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = list(value) if names else list(value)[::-1]
    return {key: _reversed(value[key], names=False) for key in kept}


def test_the_order_in_which_keys_are_written_changes_no_param() -> None:
    """Snakemake compares params as text."""
    raw = {section: _reversed(content, names=isinstance(content, dict)) for section, content in SMALL.items()}
    # sorted where params are made
    raw["indicators"]["judge"]["outputs"] = SMALL["indicators"]["judge"]["outputs"]
    assert repr(check(raw)) == repr(check(SMALL))
    written_out = changed("recipes.small.epochs", 3)
    assert repr(check(written_out)) == repr(check(SMALL))


def test_whole_floats_become_whole_numbers() -> None:
    epochs = check(changed("recipes.small.epochs", 2.0))["recipes"]["small"]["epochs"]
    assert (epochs, type(epochs)) == (2, int)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("recipe", {}, "recipe: unknown key; did you mean 'recipes'?"),
        ("recipes.small.epoch", 1, "recipes.small.epoch: unknown key; did you mean 'epochs'?"),
        ("recipes.small.model", ..., "recipes.small: key 'model' missing"),
        ("recipes.small.model", "tinny", "recipes.small: model 'tinny' is not in models; did you mean 'tiny'?"),
        ("recipes.small.learning_rate", "2,5", "recipes.small.learning_rate: expected a number, got '2,5'"),
        ("recipes.small.learning_rate", "25", "recipes.small.learning_rate: expected a number, got '25' "
         "(YAML reads this as text: write 25.0)"),
        ("recipes.small.epochs", "1e999", "recipes.small.epochs: expected a whole number, got '1e999'"),
        ("recipes.small.learning_rate", 0, "recipes.small.learning_rate: expected more than 0, got 0"),
        ("recipes.small.learning_rate", float("nan"), "recipes.small.learning_rate: expected a finite number, got nan"),
        ("recipes.small.warmup_ratio", 1, "recipes.small.warmup_ratio: expected less than 1, got 1"),
        ("recipes.small.epochs", True, "recipes.small.epochs: expected a whole number, got True"),
        ("recipes.small.epochs", None, "recipes.small.epochs: expected a whole number, got nothing"),
        ("recipes.small.scheduler", "cosin", "recipes.small.scheduler: expected one of cosine, linear, constant; "
         "got 'cosin'; did you mean 'cosine'?"),
        ("recipes.small.lora", {}, "recipes.small.lora: is only for an entry with 'method: lora'"),
        ("recipes.small.zero_stage", 2, "recipes.small.zero_stage: is only for an entry with 'launcher: deepspeed'"),
        ("recipes.small.batch_size", 4, "recipes.small: micro_batch_size 8 is more than batch_size 4"),
        ("recipes.small.batch_size", 12, "recipes.small: batch_size 12 is not a multiple of micro_batch_size 8"),
        ("recipes.small.gpus", 2, "recipes.small: gpus above 1 need launcher torchrun or deepspeed"),
        ("recipes.small.nodes", 2, "recipes.small: nodes above 1 need launcher torchrun or deepspeed"),
        ("recipes.small.offload", "optimizer", "recipes.small.offload: is only for an entry with "
         "'launcher: deepspeed'"),
        ("recipes.small", {"model": "tiny", "launcher": "deepspeed", "offload": "optimizer", "zero_stage": 0},
         "recipes.small: offload optimizer needs zero_stage 1 or more, got 0"),
        ("recipes.small", {"model": "tiny", "launcher": "deepspeed", "offload": "optimizer_and_weights"},
         "recipes.small: offload optimizer_and_weights needs zero_stage 3, got 2"),
        ("recipes.small.runs_per_job", 0, "recipes.small.runs_per_job: expected at least 1, got 0"),
        ("recipes.small.max_grad_norm", -1, "recipes.small.max_grad_norm: expected at least 0, got -1"),
        ("recipes.adapters.lora.rank", 2, "recipes.adapters.lora.rank: unknown key"),
        ("recipes.small.max_prompt_length", 2048, "recipes.small: max_prompt_length leaves no room for a response "
         "in max_length"),
        ("models.tiny.sha256", SHA, "models.tiny.sha256: is only for an entry with 'package'"),
        ("models.tiny.package", "p", "models.tiny: expected exactly one of package, path; found package and path"),
        ("models.tiny", {"package": "p", "version": 1.0, "sha256": SHA, "file": "f"},
         "models.tiny.version: expected text, got 1.0 (put it in quotes)"),
        ("models.tiny", {"package": "p", "version": "1", "sha256": SHA},
         "models.tiny: key 'file' missing, needed with 'package'"),
        ("models.tiny", {"package": "p", "version": "v1", "sha256": SHA, "file": "f"},
         "models.tiny.version: 'v1' does not match ^[0-9][0-9A-Za-z.+!]*$"),
        ("datasets.alpaca", {"package": "../p", "version": "1", "sha256": SHA, "file": "f"},
         "datasets.alpaca.package: '../p' does not match ^[A-Za-z0-9][A-Za-z0-9._-]*$"),
        ("datasets.alpaca", {}, "datasets.alpaca: expected exactly one of path, hub, package; found none"),
        ("datasets.alpaca.hub", "x/y", "datasets.alpaca: expected exactly one of path, hub, package; "
         "found path and hub"),
        ("datasets.alpaca.revision", "main", "datasets.alpaca.revision: is only for an entry with 'hub'"),
        ("datasets.alpaca.side", "chosen", "datasets.alpaca.side: is only for an entry with 'format: preference'"),
        ("datasets.good.side", ..., "datasets.good: key 'side' missing, needed with 'format: preference'"),
        ("datasets.good.rows", [5, 5], "datasets.good: rows [5, 5]: the first must be below the second"),
        ("datasets.good.rows", [5], "datasets.good.rows: expected 2 items, got 1"),
        ("datasets.alpaca.limit", 0, "datasets.alpaca.limit: expected at least 1, got 0"),
        ("datasets.alpaca.exclude_pattern", "(", "datasets.alpaca.exclude_pattern: is no regular expression: "
         "missing ), unterminated subpattern at position 0"),
        ("datasets.test.exclude_prompts_of", ["dolly"],
         "datasets: exclusions go round in a circle: dolly - test - dolly"),
        ("datasets.My-Set", {"path": "x"}, "datasets.My-Set: a name is made of a-z, 0-9 and _"),
        ("datasets.pools", {"path": "x"}, "datasets: 'pools' is a reserved name"),
        ("datasets.mixtures", {"path": "x"}, "datasets: 'mixtures' is a reserved name"),
        ("benchmarks.mixtures", {"kind": "loss", "path": "x"}, "benchmarks: 'mixtures' is a reserved name"),
        ("pools.mixtures", ["dolly"], "pools: 'mixtures' is a reserved name"),
        ("pools.pools", ["dolly"], "pools: 'pools' is a reserved name"),
        ("strategies.mixtures", {"kind": "full"}, "strategies: 'mixtures' is a reserved name"),
        ("pools.unseen", ["doly"], "pools.unseen: dataset 'doly' is not in datasets; did you mean 'dolly'?"),
        ("pools.unseen", [], "pools.unseen: is empty"),
        ("pools.unseen", ["dolly", "dolly"], "pools.unseen: names something twice: list ['dolly', 'dolly']"),
        ("pools", None, "pools: expected a mapping, got nothing"),
        ("benchmarks.final.limit", 3, "benchmarks.final.limit: is only for an entry without 'dataset'"),
        ("benchmarks.final.min_share_used", 2, "benchmarks.final.min_share_used: expected at most 1, got 2"),
        ("pools.unseen", ["dolly", "held_out"],
         "benchmarks.held_out: pool unseen trains on the benchmark's own data, dataset held_out"),
        ("mixtures.0.datasets", ["dolly", "test"],
         "benchmarks.final: mixture block base trains on the benchmark's own data, dataset test"),
        ("benchmarks.final.dataset", "tset", "benchmarks.final: dataset 'tset' is not in datasets; "
         "did you mean 'test'?"),
        ("benchmarks.dolly", {"kind": "loss", "path": "x"},
         "benchmarks.dolly: has a source of its own, but datasets.dolly exists: rename one"),
        ("mixtures.0.datasets", ["good", "alpacca"], "mixtures[0]: dataset 'alpacca' is not in datasets; "
         "did you mean 'alpaca'?"),
        ("mixtures.0", {"name": "base", "datasets": ["alpaca"], "count": 9, "size": 51},
         "mixtures[0]: size 51 is more than the 50 examples that alpaca can have"),
        ("mixtures", SMALL["mixtures"] * 2, "mixtures[1]: name 'base' is taken by another block"),
        ("indicators.mtld.scorer", "mtdl", "indicators.mtld.scorer: expected one of lengths, mtld, knn, causal, "
         "reward, unieval, expected_score, judge; got 'mtdl'; did you mean 'mtld'?"),
        ("indicators.mtld.outputs", {"mtld": "x"}, "indicators.mtld.outputs: unknown key"),
        ("indicators.lengths.outputs", ..., "indicators.lengths: key 'outputs' missing, needed with 'scorer: lengths'"),
        ("indicators.lengths.outputs", {"outputlen": "x"}, "indicators.lengths.outputs.outputlen: unknown output; "
         "did you mean 'output_length'?"),
        ("indicators.lengths.outputs", {"output_length": "reason"},
         "indicators.lengths: column 'reason' is a reserved name"),
        ("indicators.source", {"scorer": "mtld"}, "indicators.source: column 'source' is a reserved name"),
        ("indicators.reward", {"scorer": "reward", "model": "x/y"},
         "indicators.reward: column 'reward' is already made by indicators.judge"),
        ("indicators.judge.preference_head", ..., "indicators.judge: output reward and preference_head go together: "
         "preference_head is missing"),
        ("indicators.judge.preference_head.chosen", "god", "indicators.judge.preference_head: dataset 'god' is not in "
         "datasets; did you mean 'good'?"),
        ("indicators.knn_6.n_neighbors", 6, "indicators.knn_6: n_neighbors 6 must be above i 6"),
        ("indicators.knn_6.gpus", 2, "indicators.knn_6: gpus 2 needs device cuda"),
        ("indicators.score", {"scorer": "expected_score", "model": "x/y", "prompt": "How good?"},
         "indicators.score: column 'score' is a reserved name"),
        ("indicators.quality", {"scorer": "expected_score", "model": "x/y", "prompt": "How good?"},
         "indicators.quality: prompt: expected deita_complexity, deita_quality, or a text with {instruction} or "
         "{output}"),
        ("indicators.block", {"scorer": "mtld"}, "indicators.block: column 'block' is a reserved name"),
        ("indicators.knn_6.reference", "pools", "indicators.knn_6.reference: expected one of dataset, pool, mixture; "
         "got 'pools'; did you mean 'pool'?"),
        ("indicators.knn_6.reference_size", 20, "indicators.knn_6.reference_size: is only for an entry with "
         "'reference: mixture'"),
        ("indicators.knn_6", {"scorer": "knn", "model": "tiny", "reference": "pool", "reference_size": 20},
         "indicators.knn_6.reference_size: is only for an entry with 'reference: mixture'"),
        ("indicators.knn_6", {"scorer": "knn", "model": "tiny", "reference": "mixture", "reference_size": 6},
         "indicators.knn_6: reference_size 6 must be above i 6"),
        ("indicators.knn_6", {"scorer": "knn", "model": "tiny", "reference": "mixture"},
         "quality_rules.fitted: mixtures of block 'base' have size 20, but indicators.knn_6 has reference_size 1000: "
         "they must be equal"),
        ("indicator_check.chosen", "goood", "indicator_check: dataset 'goood' is not in datasets; "
         "did you mean 'good'?"),
        ("quality_rules.fitted.preset", "instructmining-v2", "quality_rules.fitted: expected exactly one of mixtures, "
         "preset, observations; found mixtures and preset"),
        ("quality_rules.fitted.mixtures", ["bas"], "quality_rules.fitted: block 'bas' is not in mixtures; "
         "did you mean 'base'?"),
        ("quality_rules.fitted.indicators", ["rewards"], "quality_rules.fitted: indicator 'rewards' is not in "
         "indicators; did you mean 'reward'?"),
        ("quality_rules.fitted.indicators", "all", "quality_rules.fitted.indicators: 'all' does not match ^auto$"),
        ("quality_rules.fitted.max_indicators", 3,
         "quality_rules.fitted: max_indicators 3 needs at least 12 mixtures; there are 9"),
        ("quality_rules.table.candidates", ["reward"],
         "quality_rules.table: candidates are only for indicators: auto"),
        ("quality_rules.published.columns", {"rewards": "mtld"},
         "quality_rules.published.columns: name 'rewards' is not in instructmining-v1; did you mean 'reward'?"),
        ("strategies.instructmining.quality_rule", "fited", "strategies.instructmining: quality rule 'fited' is not "
         "in quality_rules; did you mean 'fitted'?"),
        ("strategies.longest.indicator", "output_len", "strategies.longest: indicator 'output_len' is not in "
         "indicators; did you mean 'output_length'?"),
        ("strategies.random", {"kind": "random", "against": ["lngest"], "sizes": [8]},
         "strategies.random: against: strategy 'lngest' is not in strategies; did you mean 'longest'?"),
        ("strategies.random", {"kind": "random", "against": ["full"], "sizes": [8]},
         "strategies.random: against: strategy 'full' is of kind full, a baseline itself"),
        ("strategies.random", {"kind": "random", "against": ["random"], "sizes": [8]},
         "strategies.random: against names 'random' itself"),
        ("strategies.random", {"kind": "random", "against": ["longest"]},
         "strategies.random: key 'sizes' missing, needed with 'against'"),
        ("strategies.random", {"kind": "random", "overlap": 0.3},
         "strategies.random.overlap: is only for an entry with 'against'"),
        ("strategies.strict", {"kind": "strict_random"},
         "strategies.strict: key 'against' missing, needed with 'kind: strict_random'"),
        ("strategies.strict", {"kind": "strict_random", "against": ["random"]},
         "strategies.strict: against: strategy 'random' is of kind random, a baseline itself"),
        ("strategies.strict", {"kind": "strict_random", "against": []}, "strategies.strict.against: is empty"),
        ("searches.main.low", 512, "searches.main: low 512 is above high 64"),
        ("searches.main.low", 0, "searches.main.low: expected at least 1, got 0"),
        ("searches.main.low", 60, "searches.main: trials 6 are more than the 5 sizes between low and high"),
        ("searches.main.parallel", 7, "searches.main: parallel 7 is more than trials 6"),
        ("searches.main.strategy", "full", "searches.main: strategy 'full' is of kind full: it has no sizes to search"),
        ("searches.main.strategy", "random", "searches.main: strategy 'random' has seeds: name one of "
         "random-0, random-1"),
        ("searches.main.strategy", "random-2", "searches.main: strategy 'random-2' is not in strategies; "
         "did you mean 'random-1'?"),
        ("searches.main.loss", "heldout", "searches.main: loss 'heldout' is not in benchmarks; "
         "did you mean 'held_out'?"),
        ("comparisons.first.sizes", [0], "comparisons.first.sizes[0]: expected at least 1, got 0"),
        ("comparisons.first.sizes", ["best-man"], "comparisons.first: search 'man' is not in searches; "
         "did you mean 'main'?"),
        ("comparisons.first.sizes", ..., "comparisons.first: sizes are missing: only a strategy of kind full "
         "needs none"),
        ("comparisons.first.strategies", ["randm"], "comparisons.first: strategy 'randm' is not in strategies; "
         "did you mean 'random'?"),
    ],
)  # fmt: skip
def test_each_error_is_one_line_that_names_the_key(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check(changed(path, value))
    assert re.sub(r" \(and \d+ more problems?\)$", "", str(caught.value)) == f"my.yaml: {message}"


def test_the_first_problem_by_path_comes_with_the_number_of_the_others() -> None:
    raw = changed("recipes.small.epoch", 1)
    raw["datasets"]["alpaca"]["limt"] = 3
    raw["searches"]["main"]["low"] = "x"
    with pytest.raises(InputError) as caught:
        check(raw)
    message = "my.yaml: datasets.alpaca.limt: unknown key; did you mean 'limit'? (and 2 more problems)"
    assert str(caught.value) == message


@pytest.mark.parametrize("raw", [None, [], "text", {1: {}}, {"pools": {True: ["a"]}}, {"a\nb": 1}])
def test_what_is_no_config_at_all(raw: Any) -> None:
    with pytest.raises(InputError, match=r"^my\.yaml: [^\n]+$"):
        check(raw)


def test_sizes_beyond_a_pool_of_known_size() -> None:
    raw = changed("datasets.dolly.limit", 10)
    with pytest.raises(InputError, match=r"searches\.main: high 64 is more than the 60 examples that dolly, alpaca"):
        check(raw)


def test_sizes_of_a_baseline_beyond_a_pool_that_it_ranks() -> None:
    raw = changed("datasets.dolly.limit", 20)
    raw["strategies"]["random"] |= {"against": ["longest"], "sizes": [8, 71]}
    message = r"strategies\.random: sizes 71 is more than the 70 examples that dolly, alpaca can have"
    with pytest.raises(InputError, match=message):
        check(raw)
    raw["strategies"]["random"]["sizes"] = [16]
    raw["strategies"]["strict"] = {"kind": "strict_random", "against": ["longest"], "depth": 71}
    check(raw)
    raw["comparisons"]["first"]["strategies"].append("strict")
    with pytest.raises(InputError, match=r"strategies\.strict: depth 71 is more than the 70 examples"):
        check(raw)


def test_a_baseline_without_against_has_no_new_settings() -> None:
    config = check(SMALL)
    assert config["strategies"]["random"] == {"kind": "random", "seeds": 2, "seed": 0}
    assert cfg.against_orders(config, "random-1") == []
    raw = changed("strategies.random", {"kind": "random", "against": ["longest", "instructmining"], "sizes": [16]})
    config = check(raw)
    assert (config["strategies"]["random"]["overlap"], config["strategies"]["random"]["redraws"]) == (0.3, 100)
    assert cfg.against_orders(config, "random-1") == ["longest", "instructmining"]


def test_a_size_without_a_limit_is_warned_of() -> None:
    raw = changed("strategies.random", {"kind": "random", "against": ["longest"], "sizes": [8]})
    told = "comparison first takes size 16, at which strategy random limits no overlap"
    assert told in cfg.warnings(check(raw))
    raw["strategies"]["random"]["sizes"] = [8, 16]
    assert told not in cfg.warnings(check(raw))


def test_rows_of_several_instances_set_no_upper_bound() -> None:
    raw = changed("datasets.alpaca", {"path": "a.json", "rows": [0, 10]})
    raw["mixtures"][0]["datasets"] = ["alpaca"]
    with pytest.raises(InputError, match=r"mixtures\[0\]: size 20 is more than the 10 examples that alpaca can have"):
        check(raw)
    raw["datasets"]["alpaca"]["format"] = "instances"
    check(raw)
    raw["datasets"]["alpaca"]["limit"] = 15
    with pytest.raises(InputError, match="size 20 is more than the 15 examples"):
        check(raw)


@pytest.mark.parametrize("key", ["sha256", "archive"])
def test_one_package_has_one_archive(key: str) -> None:
    package = {"package": "p", "version": "1", "sha256": SHA, "file": "f", "archive": "sdist"}
    raw = changed("models.tiny", package)
    raw["datasets"]["alpaca"] = {**package, "file": "other"}
    check(raw)
    raw["datasets"]["alpaca"][key] = {"sha256": "1" * 64, "archive": "wheel"}[key]
    message = f"my.yaml: datasets.alpaca: {key} is not that of models.tiny, which also names p 1"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check(raw)
    raw["datasets"]["alpaca"]["version"] = "2"
    check(raw)


def test_several_gpus_share_the_batch() -> None:
    raw = changed("recipes.small", {"model": "tiny", "launcher": "torchrun", "gpus": 3, "micro_batch_size": 2})
    raw["recipes"]["small"]["batch_size"] = 16
    with pytest.raises(InputError, match=r"is not a multiple of gpus x nodes x micro_batch_size = 6$"):
        check(raw)
    raw["recipes"]["small"]["batch_size"] = 12
    assert check(raw)["recipes"]["small"]["gpus"] == 3


def test_a_rule_is_applied_at_the_density_at_which_it_was_fitted() -> None:
    raw = changed("indicators.knn_6.reference", "mixture")
    raw["indicators"]["knn_6"]["reference_size"] = 20
    assert check(raw)["indicators"]["knn_6"]["reference_size"] == 20
    raw["mixtures"].append({"name": "small", "datasets": ["dolly"], "count": 9, "size": 10})
    check(raw)
    raw["quality_rules"]["fitted"]["mixtures"].append("small")
    with pytest.raises(InputError, match=r"fitted: mixtures of block 'small' have size 10, but indicators\.knn_6 has"):
        check(raw)
    raw["quality_rules"]["fitted"]["candidates"] = ["mtld", "ppl"]
    check(raw)


def test_a_rule_from_a_table_needs_nothing_else_until_a_strategy_uses_it() -> None:
    raw: dict[str, Any] = {"quality_rules": {"table": {"observations": "table.csv"}}}
    assert cfg.rule_columns(check(raw), "table") == []
    raw["strategies"] = {"mine": {"kind": "quality_rule", "quality_rule": "table"}}
    with pytest.raises(InputError, match="quality rule table needs `candidates`"):
        check(raw)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [p for key, item in inner for p in _paths(item, (*path, key))]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["auto", "dolly"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_deleted_renamed_or_replaced_passes_or_is_one_line(data: st.DataObject) -> None:
    raw = deepcopy(SMALL)
    for _ in range(data.draw(st.integers(1, 2))):
        *parents, last = data.draw(st.sampled_from(_paths(raw)))
        node: Any = raw
        for part in parents:
            node = node[part]
        how = data.draw(st.sampled_from(["delete", "rename", "replace"]))
        if how == "replace":
            node[last] = data.draw(JUNK)
        else:
            value = node.pop(last)
            if how == "rename" and isinstance(node, dict):
                node[data.draw(st.text(max_size=4) | st.just(f"{last}s"))] = value
        if not raw:
            break
    try:
        config = check(raw)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert check(config) == config
        assert isinstance(cfg.warnings(config), list)
        assert all(cfg.comparison_subsets(config, name) for name in config["comparisons"])

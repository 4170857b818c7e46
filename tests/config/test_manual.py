"""The configs that come along, the manual and the schema say the same."""

import re
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from configs import ROOT, SCHEMA, check
from instructmining import config as cfg

README = (ROOT / "config/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["config.yaml", "paper.yaml", "chasing_random.yaml", "chasing_random_small.yaml", "published.yaml"]
)
def test_the_configs_that_come_along_are_valid(name: str) -> None:
    path = ROOT / "config" / name
    cfg.load_defaults_and_check(yaml.safe_load(path.read_text(encoding="utf-8")), SCHEMA, str(path))


def test_the_benchmarks_are_laid_over_the_embedded_default() -> None:
    default, laid = (
        yaml.safe_load((ROOT / "config" / name).read_text()) for name in ("config.yaml", "benchmarks.yaml")
    )
    # as Snakemake does: section by section, names that are new
    merged = {name: {**default.get(name, {}), **laid[name]} if name in laid else part for name, part in default.items()}
    assert set(laid) <= set(default) and not any(set(laid[name]) & set(default[name]) for name in laid)
    config = check(merged)
    kinds = {config["benchmarks"][name]["kind"] for name in config["comparisons"]["benchmarks"]["benchmarks"]}
    assert kinds == {"loss", "ifeval", "llmbar", "pairwise"}


def test_the_paper_config_is_the_published_experiment() -> None:
    path = ROOT / "config/paper.yaml"
    config = check(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert len(cfg.mixture_names(config, ["base"])) == 129
    assert cfg.entries_for(config, cfg.strategy_columns(config, "instructmining")) == ["reward", "unieval"]
    assert len(cfg.columns(config)) == 9
    assert {(s["low"], s["high"]) for s in config["searches"].values()} == {(512, 10000)}


def test_chasing_random_is_four_pools_eight_strategies_three_budgets_and_three_seeds() -> None:
    config = check(yaml.safe_load((ROOT / "config/chasing_random.yaml").read_text(encoding="utf-8")))
    pools = [pool for comparison in config["comparisons"].values() for pool in comparison["pools"]]
    assert sorted(pools) == sorted(config["pools"]) and len(pools) == 4
    kinds = {"quality_rule", "cherry", "deita", "alpagasus", "longest", "random", "strict_random", "full"}
    for comparison in config["comparisons"].values():
        strategies = [config["strategies"][name] for name in comparison["strategies"]]
        assert sorted(settings["kind"] for settings in strategies) == sorted(kinds)
        assert {settings["seeds"] for settings in strategies if "seeds" in settings} == {3}
        assert comparison["sizes"] == [1000, 5000, 10000]
    assert config["strategies"]["strict_random"]["depth"] == 10_000
    recipe = config["recipes"]["llama_7b"]
    published = {"epochs": 3, "batch_size": 128, "learning_rate": 2e-5, "max_length": 512, "warmup_ratio": 0.03}
    assert {key: recipe[key] for key in published} == published
    assert cfg.warnings(config) == []


# --- the manual


def _objects() -> dict[str, dict[str, Any]]:
    return {node["title"]: node for node in SCHEMA["$defs"].values() if "title" in node}


def _defaults(node: dict[str, Any]) -> dict[str, Any]:
    """Key -> its default, ``required``, or ``none``; defaults of an if/then belong to their key."""
    required = node.get("required", [])
    found: dict[str, Any] = {key: "required" if key in required else "none" for key in node["properties"]}
    clauses = [inner for clause in node.get("allOf", []) for inner in clause.get("allOf", [clause])]
    for part in [node, *(clause["then"] for clause in clauses)]:
        for key, child in part.get("properties", {}).items():
            if isinstance(child, dict) and "default" in child:
                found[key] = child["default"]
    return found


def _manual(title: str) -> dict[str, Any]:
    match = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", README, re.MULTILINE | re.DOTALL)
    assert match, f"config/README.md has no section {title}"
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|[^|]*\|[^|]+\|$", match[1], re.MULTILINE)
    return {key: yaml.safe_load(default.strip("`")) for key, default in rows}


@pytest.mark.parametrize("title", _objects())
def test_the_manual_has_every_key_with_its_default(title: str) -> None:
    expected = _defaults(_objects()[title])
    if "dataset" in expected:
        # a source of its own is explained where datasets are
        source = SCHEMA["$defs"]["dataset"]["properties"]
        expected = {key: default for key, default in expected.items() if key not in source}
    assert _manual(title) == expected


def test_the_manual_has_every_section() -> None:
    sections = re.findall(r"^## (\w+)$", README, re.MULTILINE)
    assert set(SCHEMA["properties"]) == set(sections)


def test_the_ten_lines_of_the_manual_are_a_valid_config() -> None:
    example = re.search(r"## A study in ten lines\n+```yaml\n(.*?)```", README, re.DOTALL)
    assert example
    assert cfg.comparison_subsets(check(yaml.safe_load(example[1])), "first")[0] == "random-0/all/100"


def test_the_schema_is_one_and_forbids_unknown_keys_everywhere() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for name, node in SCHEMA["$defs"].items():
        chosen_by_kind = any("$ref" in clause.get("then", {}) for clause in node.get("allOf", []))
        if node["type"] == "object" and not chosen_by_kind:
            assert node.get("additionalProperties") is False, name
        for key, child in node.get("properties", {}).items():
            if "title" in node:
                assert child.get("description"), f"{name}.{key} has no description"

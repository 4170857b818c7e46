"""The configs that come along, the manual and the schema say the same."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from configs import ROOT, SCHEMA, check
from instructmining import config as cfg
from instructmining.config.building import config_schema
from instructmining.config.manual import row, tables, with_tables
from instructmining.jobs.errors import InputError
from instructmining.settings import whole

README = (ROOT / "config/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["config.yaml", "paper.yaml", "chasing_random.yaml", "chasing_random_small.yaml", "published.yaml"]
)
def test_the_configs_that_come_along_are_valid(name: str) -> None:
    path = ROOT / "config" / name
    cfg.load_defaults_and_check(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))


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


def test_the_schema_and_the_tables_of_the_manual_are_what_the_settings_say() -> None:
    """Else: `make generate`."""
    assert with_tables(README) == README
    schema = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text(encoding="utf-8"))
    assert schema == config_schema()


def test_the_manual_has_a_table_for_every_entry_and_each_key_once() -> None:
    for title, (table, _) in tables().items():
        assert README.count(table) >= 1, title
        keys = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
        assert len(keys) == len(set(keys)), title


def test_a_kind_that_the_manual_lacks_gets_a_part_at_the_end_of_its_section() -> None:
    title = "strategies: longest"
    start = README.index(f"### {title}\n")
    without = README[:start] + README[README.index("### ", start + 4) :]
    manual = with_tables(without)
    assert manual.index(f"### {title}\n") < manual.index("## searches\n")
    assert tables()[title][0] in manual


def test_the_manual_has_every_section() -> None:
    sections = re.findall(r"^## (\w+)$", README, re.MULTILINE)
    assert set(SCHEMA["properties"]) - {"defaults"} == set(sections)


def test_the_ten_lines_of_the_manual_are_a_valid_config() -> None:
    example = re.search(r"## A study in ten lines\n+```yaml\n(.*?)```", README, re.DOTALL)
    assert example
    assert cfg.comparison_subsets(check(yaml.safe_load(example[1])), "first")[0] == "random-0/all/100"


def test_the_schema_forbids_unknown_keys_everywhere_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for path, node in _objects(SCHEMA, "config"):
        assert node.get("additionalProperties") is False, path
        for key, child in node.get("properties", {}).items():
            assert child.get("description"), f"{path}.{key} has no description"


def _objects(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node with keys of its own, save those that only say of which kind an entry is."""
    kinds = [clause["then"] for clause in node.get("allOf", []) if clause.get("then", {}).get("type")]
    if node.get("type") == "object" and "properties" in node and not kinds:
        yield path, node
    children = {**node.get("properties", {}), **node.get("patternProperties", {})}
    if "items" in node:
        children["items"] = node["items"]
    children |= {f"kind {place}": kind for place, kind in enumerate(kinds)}
    for key, child in children.items():
        yield from _objects(child, f"{path}.{key}")


def test_a_config_may_ask_for_newer_defaults() -> None:
    assert check({"defaults": 2})["defaults"] == 2
    assert "defaults" not in check({})
    with pytest.raises(InputError, match=r"^my\.yaml: defaults: expected one of 1, 2; got 3$"):
        check({"defaults": 3})


def test_a_newer_default_holds_from_its_generation_on() -> None:
    setting = whole(3, "so many", newer_defaults={2: 5})
    assert [setting.default_of(generation) for generation in (1, 2, 3)] == [3, 5, 5]
    assert row("seeds", setting, "all") == "| `seeds` | whole number | `3`; 5 with `defaults: 2` | so many | all |\n"

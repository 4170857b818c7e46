"""Inputs and params of the rules, from the files themselves: plain functions of a config."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from instructmining import versions
from instructmining.config import strategy_settings

RULES = Path(__file__).parents[1] / "rules/inputs"


def functions(name: str, config: dict[str, Any]) -> SimpleNamespace:
    """What rules/inputs/{name}.smk defines, for a checked config."""
    found: dict[str, Any] = {"config": config, "versions": versions, "strategy_settings": strategy_settings}
    exec(compile((RULES / f"{name}.smk").read_text(encoding="utf-8"), name, "exec"), found)
    return SimpleNamespace(**found)


def test_a_benchmark_on_selection_data_is_one_under_any_name():
    config = {
        "benchmarks": {
            "fit": {"dataset": "a"},
            "fit_longer": {"dataset": "a"},
            "search": {"dataset": "b"},
            "test": {"dataset": "c"},
        },
        "quality_rules": {"fitted": {"loss": "fit"}, "published": {"preset": "instructmining-v2"}},
        "searches": {"main": {"loss": "search"}},
    }
    assert functions("report", config).get_selection_benchmarks(None) == ["fit", "fit_longer", "search"]


def test_a_ranking_is_made_again_for_its_strategy_and_for_all_strategies(monkeypatch):
    monkeypatch.setattr(versions, "RANKINGS", 7)
    found = functions("rankings", {"strategies": {"random": {"kind": "random", "seeds": 2}}})
    version = found.get_ranking_version(SimpleNamespace(ranking="random-1"))
    assert version == [versions.STRATEGIES["random"], 7]

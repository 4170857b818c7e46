"""What of an entry is a param, and what a new key does to finished studies."""

from typing import Any

import pytest

from configs import SMALL, check
from instructmining.config import params, sections
from instructmining.config.building import config_schema
from instructmining.settings import NOTHING, Fields, mapping, whole


def test_a_recipe_is_known_by_what_its_runs_depend_on() -> None:
    recipe = check(SMALL)["recipes"]["small"]
    without = {"checkpoint_minutes", "runs_per_job", "threads"}
    assert params.result_params("recipes", recipe) == {k: v for k, v in recipe.items() if k not in without}


def test_how_fast_a_scorer_goes_is_no_param() -> None:
    entry = {"scorer": "reward", "model": "tiny", "batch_tokens": 9, "gpus": 4, "max_length": 7}
    assert params.result_params("indicators", entry) == {"scorer": "reward", "model": "tiny", "max_length": 7}


def test_keys_inside_a_mapping_are_told_apart_too() -> None:
    run = {"recipe": "small", "strategy": "best", "size": "all", "keep_model": True}
    entry = {"scorer": "causal", "run": run, "outputs": {"ifd": "ifd"}}
    assert params.result_params("indicators", entry)["run"] == {"recipe": "small", "strategy": "best", "size": "all"}


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Section costs with two keys that are newer than finished studies."""
    inner = Fields({"deep": whole(1, "depth", same_as_before=1)})
    keys = Fields(
        {
            "old": whole(0, "an old key"),
            "new": whole(7, "a new key", same_as_before=7, newer_defaults={2: 9}),
            "speed": whole(1, "how fast", again=NOTHING),
            "nested": mapping(inner, {}, "keys of its own"),
        },
        again="the pages",
    )
    monkeypatch.setitem(sections.SECTIONS, "costs", sections.Section("Prices", shape="single", fields=keys))
    config_schema.cache_clear()
    yield check({"costs": {}})["costs"]
    config_schema.cache_clear()


def test_a_new_key_at_its_old_behaviour_is_no_param_and_comes_back_in_the_job(newer: dict[str, Any]) -> None:
    assert newer == {"old": 0, "new": 7, "speed": 1, "nested": {"deep": 1}}
    kept = params.result_params("costs", newer)
    assert kept == {"old": 0, "nested": {}}
    assert params.complete("costs", kept) == {"old": 0, "new": 7, "nested": {"deep": 1}}


def test_a_new_key_at_another_value_is_a_param(newer: dict[str, Any]) -> None:
    assert params.result_params("costs", {**newer, "new": 8}) == {"old": 0, "new": 8, "nested": {}}


def test_a_config_with_newer_defaults_has_the_new_key_at_its_new_default(newer: dict[str, Any]) -> None:
    asked = check({"defaults": 2, "costs": {}})["costs"]
    assert asked["new"] == 9
    assert params.result_params("costs", asked)["new"] == 9

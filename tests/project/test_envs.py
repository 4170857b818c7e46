"""The lock, the conda environments and pyproject.toml say the same."""

import re
import runpy
from importlib.metadata import requires, version
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
lock_script = runpy.run_path(str(ROOT / "envs/lock.py"))
LOCK = (ROOT / "requirements.lock").read_text()


@pytest.mark.parametrize("name", ["base", "models"])
def test_conda_environments_are_those_of_the_lock(name):
    written = (ROOT / f"envs/{name}.yaml").read_text()
    assert written == lock_script["environment"](name, LOCK)
    assert yaml.safe_load(written)["dependencies"][-1]["pip"]


def test_every_dependency_is_pinned():
    pins = lock_script["pins"](LOCK)
    groups = lock_script["groups"]()
    wanted = [need for group, needs in groups.items() if group != "deepspeed" for need in needs]
    names = {lock_script["normalised"](re.match(r"[\w.-]+", need)[0]) for need in wanted}
    assert names <= set(pins)


def test_deepspeed_is_pinned_beside_the_lock():
    pins = lock_script["pins"]((ROOT / "envs/deepspeed.lock").read_text())
    assert set(lock_script["groups"]()["deepspeed"]) <= set(pins)
    assert not set(pins) & set(lock_script["pins"](LOCK))


@pytest.mark.skipif(find_spec("deepspeed") is None, reason="DeepSpeed is not installed")
def test_deepspeed_needs_no_more_than_both_locks_have():
    pins = {**lock_script["pins"](LOCK), **lock_script["pins"]((ROOT / "envs/deepspeed.lock").read_text())}
    assert pins["deepspeed"] == version("deepspeed")
    needs = [need for need in requires("deepspeed") if "extra ==" not in need]
    assert {lock_script["normalised"](re.match(r"[\w.-]+", need)[0]) for need in needs} <= set(pins)


def test_no_pin_names_a_build_of_one_machine():
    assert not re.search(r"==\S*\+", LOCK)


def test_rules_name_only_environments_that_exist():
    named = {
        match
        for path in (ROOT / "rules").glob("*.smk")
        for match in re.findall(r'conda:\s+"\.\./envs/(\w+)\.yaml"', path.read_text())
    }
    assert named == set(lock_script["ENVIRONMENTS"])

"""Mistakes in config files that a loaded mapping no longer shows."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from configs import ROOT, SMALL, changed, check
from instructmining.config.loading import checked_config, laid_over, load_config
from instructmining.jobs.errors import InputError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets: {}\npools: {}\ndatasets: {}\n", "line 3: key 'datasets' is written twice, first in line 1"),
        ("recipes:\n  a: {model: x,\n      model: y}\n", "line 3: key 'model' is written twice, first in line 2"),
        (
            "strategies:\n  yes: {kind: full}\n",
            "line 2: the name yes is not text: put it in quotes, or use another name",
        ),
        ("pools:\n  007: [a]\n", "line 2: the name 007 is not text: put it in quotes, or use another name"),
        ("pools:\n\ta: [b]\n", "line 2, column 1: expected YAML: the line begins with a tab: indent it with spaces"),
        # libyaml takes the first two, Snakemake's parser does not
        ("pools:\n  a:\t[b]\n", "line 2, column 5: expected YAML: here stands a tab: use spaces"),
        ("pools:\n  a: [b]\t# why\n", "line 2, column 9: expected YAML: here stands a tab: use spaces"),
        ("pools:\n  - a\n  -\tb\n", "line 3, column 4: expected YAML: here stands a tab: use spaces"),
        ("pools:\n  ? [a, b]\n  : 1\n", "line 2: the name of a list or a mapping is not text: "),
        ("pools: {a: [b}\n", "line 1, column 14: expected YAML: "),
        ("pools: *nobody\n", "line 1, column 8: expected YAML: found undefined alias"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: {message}") and "\n" not in str(caught.value)


def test_merged_keys_are_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("a: &one {x: 1, y: 2}\nb: {<<: *one, y: 3}\n")
    assert load_config(path)["b"] == {"x": 1, "y": 3}


def test_tabs_stand_where_snakemake_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    path.write_text('{\n\t"pools": {"a": ["b"]}\n}\n')
    assert load_config(path) == {"pools": {"a": ["b"]}}
    path.write_text('pools: {a: ["one\ttwo"]}\n')
    assert load_config(path) == {"pools": {"a": ["one\ttwo"]}}


@pytest.mark.parametrize(
    ("under", "over"),
    [
        ("a: {b: 1, c: [1]}\n", "a: {c: [2], d: {e: 3}}\n"),
        ("a: 1\n", "a: {b: 2}\n"),
        ("a: 1\nb: {c: 1}\n", "a: {}\nb: {}\nd: {}\n"),
        ("a: {b: {c: 1}}\n", "a: {b: 1}\n"),
    ],
)
def test_files_are_laid_over_one_another_as_snakemake_does(under: str, over: str) -> None:
    snakemakes = yaml.safe_load(under)
    update_config(snakemakes, yaml.safe_load(over))
    assert laid_over(yaml.safe_load(under), yaml.safe_load(over)) == snakemakes


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: No such file or directory$"):
        load_config(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes("origin: Zürich".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.yaml: expected UTF-8: "):
        load_config(tmp_path / "latin.yaml")


@pytest.mark.parametrize("written", ["2e-5", "2E-5", "+2.e-5", "0.2e-4"])
def test_numbers_with_an_exponent_are_numbers(tmp_path: Path, written: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"models: {{m: {{path: x}}}}\nrecipes: {{a: {{model: m, learning_rate: {written}}}}}\n")
    assert checked_config([path])["recipes"]["a"]["learning_rate"] == pytest.approx(2e-5)


def test_only_where_a_number_is_asked_for() -> None:
    config = check(changed("datasets.dolly.origin", "1e5"))
    assert config["datasets"]["dolly"]["origin"] == "1e5"
    assert check(changed("recipes.small.epochs", "3e0"))["recipes"]["small"]["epochs"] == 3


def test_the_raw_config_is_left_alone() -> None:
    raw = changed("recipes.small.learning_rate", "2e-5")
    check(raw)
    assert raw["recipes"]["small"]["learning_rate"] == "2e-5" and SMALL["recipes"]


def run(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "instructmining.config.check", *map(str, files)]
    return subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False)


def test_the_command_says_one_line_and_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("pools:\n\ta: [b]\n")
    done = run(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == f"{path}: line 2, column 1: expected YAML: the line begins with a tab: indent it with spaces\n"
    )


def test_the_configs_that_come_along_pass() -> None:
    done = run(ROOT / "config/config.yaml", ROOT / "config/benchmarks.yaml")
    assert (done.returncode, done.stderr) == (0, "")

"""A small study: tiny random models, a few dozen made-up rows, every stage. And how to run Snakemake on it."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tiny import tiny_llama, tiny_sentence_transformer

ROOT = Path(__file__).parents[2]
WORDS = ("sky", "blue", "child", "city", "paris", "answer", "because", "water", "light", "green", "river", "seven")
RECIPE = {
    "model": "models/llama",
    "template": "alpaca_short",
    "epochs": 1,
    "batch_size": 4,
    "micro_batch_size": 4,
    "learning_rate": 2.0e-3,
    "max_length": 96,
}


def rows(name: str, count: int, words: int, first: int = 0) -> list[dict[str, str]]:
    """Alpaca rows of about ``words`` words; the same name and row give the same text."""
    found = []
    for i in range(first, first + count):
        draw = random.Random(f"{name} {i}")
        output = " ".join(draw.choices(WORDS, k=draw.randint(words // 2, words * 2)))
        found.append({"instruction": f"Say something about {name} number {i}", "input": "", "output": output})
    return found


def write_rows(path: Path, data: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in data))


def build(folder: Path) -> dict[str, Any]:
    """Write models, data and config.yaml below ``folder``; returns the config."""
    tiny_llama(folder / "models/llama")
    tiny_sentence_transformer(folder / "models/embedder")
    for name, count, words in (("plain", 30, 12), ("long", 30, 40), ("pool_a", 24, 15), ("pool_b", 24, 30)):
        write_rows(folder / f"data/{name}.jsonl", rows(name, count, words))
    for name in ("fit", "search", "test"):
        write_rows(folder / f"data/{name}.jsonl", rows(name, 8, 20))
    pairs = [
        {"prompt": f"Compare {i}", "chosen": good["output"], "rejected": bad["output"]}
        for i, (good, bad) in enumerate(zip(rows("good", 24, 25), rows("bad", 24, 25), strict=True))
    ]
    write_rows(folder / "data/pairs.jsonl", pairs)
    config = small_config()
    write_config(folder, config)
    return config


def small_config() -> dict[str, Any]:
    jsonl = ("plain", "long", "pool_a", "pool_b", "fit", "search", "test")
    pairs = {"path": "data/pairs.jsonl", "format": "preference"}
    sides = {
        f"{use}_{side}": {**pairs, "side": side, "rows": part}
        for use, part in (("head", [0, 14]), ("check", [14, 24]))
        for side in ("chosen", "rejected")
    }
    return {
        "datasets": {**{name: {"path": f"data/{name}.jsonl", "format": "alpaca"} for name in jsonl}, **sides},
        "pools": {"unseen": ["pool_a", "pool_b"]},
        "benchmarks": {f"{name}_loss": {"kind": "loss", "dataset": name} for name in ("fit", "search", "test")},
        "mixtures": [{"name": "base", "datasets": ["plain", "long"], "count": 6, "size": 8, "seed": 0}],
        "recipes": {"tiny": dict(RECIPE)},
        "indicators": {
            "lengths": {"scorer": "lengths", "model": "models/llama", "outputs": {"output_length": "output_length"}},
            "knn_2": {"scorer": "knn", "model": "models/embedder/model", "i": 2},
            "causal": {
                "scorer": "causal",
                "model": "models/llama",
                "template": "alpaca_short",
                "max_length": 96,
                "outputs": {"perplexity": "perplexity", "reward": "reward"},
                "preference_head": {"chosen": "head_chosen", "rejected": "head_rejected", "layer": 1, "folds": 3},
            },
        },
        "indicator_check": {"chosen": "check_chosen", "rejected": "check_rejected"},
        "quality_rules": {
            "fitted": {
                "mixtures": ["base"],
                "recipe": "tiny",
                "loss": "fit_loss",
                "indicators": "auto",
                "max_indicators": 1,
                "bootstrap": 200,
            }
        },
        "strategies": {
            "instructmining": {"kind": "quality_rule", "quality_rule": "fitted"},
            "random": {"kind": "random", "seeds": 2},
            "longest": {"kind": "longest", "indicator": "output_length"},
            "full": {"kind": "full"},
        },
        "searches": {
            "main": {
                "strategy": "instructmining",
                "pool": "unseen",
                "recipe": "tiny",
                "loss": "search_loss",
                "low": 4,
                "high": 16,
                "trials": 2,
            }
        },
        "comparisons": {
            "main": {
                "pools": ["unseen"],
                "strategies": ["instructmining", "random", "longest", "full"],
                "sizes": [6, "best-main"],
                "recipes": ["tiny"],
                "benchmarks": ["test_loss"],
                "keep_models": False,
            }
        },
    }


def write_config(folder: Path, config: dict[str, Any]) -> None:
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def _command(folder: Path, arguments: tuple[str, ...], config: str) -> dict[str, Any]:
    """Snakemake on the study in ``folder``, with no hub to be reached, as subprocess wants it."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    return {
        "args": [*command, "--configfile", config, "--directory", str(folder), *arguments],
        "cwd": folder,
        "text": True,
        "env": {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"},
    }


def snakemake(folder: Path, *arguments: str, config: str = "config.yaml") -> subprocess.CompletedProcess[str]:
    """Run Snakemake on the study in ``folder``."""
    return subprocess.run(**_command(folder, arguments, config), capture_output=True, check=False)


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Snakemake at work on the study in ``folder``, leader of a process group; what it says is in snakemake.out."""
    with (folder / "snakemake.out").open("w") as out:
        process = subprocess.Popen(
            **_command(folder, arguments, "config.yaml"), stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 180) -> Any:
    """What ``condition`` gives as soon as it is true."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.02)
    return found


def processes(part: str) -> dict[int, str]:
    """Process id -> command line of those that have ``part`` in it."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may just end
            command = (process / "cmdline").read_text(errors="replace")
            if part in command:
                found[int(process.name)] = command
    return found


def running_jobs(folder: Path, script: str) -> list[int]:
    """Process ids of the jobs of ``workflow/scripts/{script}.py`` that work on the study in ``folder``."""
    found = processes(f"{folder}/.snakemake/scripts/")
    return [pid for pid, command in found.items() if command.rstrip("\0").endswith(f".{script}.py")]


def jobs(output: str) -> dict[str, int]:
    """Rule -> number of jobs, from the table that Snakemake prints; empty if there is nothing to be done."""
    tables = re.findall(r"^job +count\n[- ]+\n((?:\w+ +\d+\n)+)", output, re.MULTILINE)
    if not tables:
        return {}
    found = {name: int(count) for name, count in (line.split() for line in tables[0].splitlines())}
    targets = ("all", "subsets", "chosen", "searches")
    return {name: count for name, count in found.items() if name not in ("total", *targets)}


def change(folder, edit):
    """Edit the study's config in place."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    edit(config)
    write_config(folder, config)


def planned(folder, *targets):
    """{rule: jobs} of a dry run."""
    done = snakemake(folder, "--dry-run", *targets)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    return jobs(done.stdout + done.stderr)

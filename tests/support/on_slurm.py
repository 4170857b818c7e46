"""Snakemake with the slurm profile, as a user types it in a clone, and Slurm's account of its jobs."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

# without the plugin's GPUs: a config of `device: cpu` asks for none, and here no GPU is real
GPU_RULES = ("embed", "fit_preference_head", "score", "finetune", "finetune_kept", "finetune_mixtures", "evaluate_loss")


@contextmanager
def changed_profile(folder: Path, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """The clone's profile, changed by ``change`` for a while."""
    path = folder / "profiles/slurm/config.yaml"
    before = path.read_text()
    profile = yaml.safe_load(before)
    change(profile)
    path.write_text(yaml.safe_dump(profile))
    try:
        yield
    finally:
        path.write_text(before)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`snakemake --profile slurm`, typed in the clone."""
    command = ["snakemake", "--profile", "slurm", "--configfile", "config.yaml", *arguments]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    log = (folder / "snakemake.log").open("w")
    return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, text=True, env={**os.environ, "PATH": path})


def run(folder: Path, *arguments: str, seconds: float = 1200) -> str:
    """What Snakemake printed; fails if it did."""
    process = start(folder, *arguments)
    try:
        status = process.wait(timeout=seconds)
    finally:
        process.kill()
    printed = (folder / "snakemake.log").read_text()
    assert status == 0, printed[-4000:]
    return printed


def accounted() -> list[dict[str, str]]:
    """Slurm's account of all jobs; under `rule` and `wildcards` what Snakemake wrote into the comment."""
    keys = ("JobIDRaw", "JobName", "Partition", "NodeList", "NNodes", "AllocTRES", "Timelimit", "State", "Comment")
    command = ["sacct", "-X", "-n", "-P", "--starttime=now-1day", f"--format={','.join(keys)}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [dict(zip(keys, line.split("|"), strict=True)) for line in lines]
    for job in found:
        rule, _, wildcards = job["Comment"].removeprefix("rule_").partition("_wildcards_")
        job |= {"rule": rule, "wildcards": wildcards}
    return found

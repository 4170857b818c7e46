"""A cluster, and a clone of the project on it whose profile is changed as profiles/README.md tells a user to."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from slurm.cluster import cluster, missing
from small import ROOT, build, processes, write_config

# without the plugin's GPUs: a config of `device: cpu` asks for none, and here no GPU is real
GPU_RULES = ("embed", "fit_preference_head", "score", "finetune", "finetune_kept", "finetune_mixtures", "evaluate_loss")


@pytest.fixture(scope="session")
def slurm():
    """The cluster is up."""
    if reason := missing():
        pytest.skip(reason)
    # not below pytest's folder, which the database's user may not enter
    root = Path(tempfile.mkdtemp(prefix="slurm-"))
    with cluster(root):
        yield root
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def clone(slurm, tmp_path_factory):
    """The project and the small study's data in one folder, as a user would have them."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("rules", "workflow", "src", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    (folder / "slurm").symlink_to("profiles/slurm")
    config = build(folder)
    config["recipes"]["tiny"]["runs_per_job"] = 3
    write_config(folder, config)
    with changed_profile(folder, _for_this_site):
        yield folder
    # Slurm leaves alone what runs on a node that was called down
    for process in processes(str(folder)):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _for_this_site(profile: dict[str, Any]) -> None:
    profile["slurm-init-seconds-before-status-checks"] = 2
    profile["latency-wait"] = 10
    for rule in GPU_RULES:
        profile["set-resources"][rule] |= {"gpu": 1, "gpu_model": "a100"}


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

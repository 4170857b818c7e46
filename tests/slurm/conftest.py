"""A cluster, and a clone of the project on it whose profile is changed as profiles/README.md tells a user to."""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from on_slurm import GPU_RULES, changed_profile
from slurm_cluster import cluster, missing
from small import ROOT, build, processes, write_config


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

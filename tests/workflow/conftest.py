import fcntl
import os
import shutil

import pytest

from slow_run import build_slow, copy_before
from small import build, snakemake


def made_once(name, make, tmp_path_factory):
    """A folder of this worker, made by ``make(folder)`` on the first of the run's workers that asks for it."""
    own = tmp_path_factory.getbasetemp() / name
    if "PYTEST_XDIST_WORKER" not in os.environ:
        make(own)
        return own
    shared = own.parents[1] / name
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            make(own)
            shutil.copytree(own, shared)
    if not own.exists():
        shutil.copytree(shared, own)
    return own


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """The small study, run once from nothing; tests that change it work on a copy."""

    def make(folder):
        build(folder)
        done = snakemake(folder)
        assert done.returncode == 0, done.stderr[-4000:]

    return made_once("study", make, tmp_path_factory)


@pytest.fixture
def copy(study, tmp_path):
    """A copy of the finished study, dates and Snakemake's records included."""
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    return folder


@pytest.fixture(scope="session")
def undisturbed(study, tmp_path_factory):
    """The small study with a slow run and slow scores: see slow_run.py."""
    return made_once("undisturbed", lambda folder: build_slow(study, folder), tmp_path_factory)


@pytest.fixture
def begun(undisturbed, tmp_path):
    """A copy in which the slow run and the slow scores are still to be made."""
    folder = tmp_path / "study"
    copy_before(undisturbed, folder)
    return folder

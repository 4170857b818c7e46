import shutil

import pytest

from workflow.slow_run import build_slow, copy_before
from workflow.small import build, snakemake


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """The small study, run once from nothing; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("study")
    build(folder)
    done = snakemake(folder)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture
def copy(study, tmp_path):
    """A copy of the finished study, dates and Snakemake's records included."""
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    return folder


@pytest.fixture(scope="session")
def undisturbed(study, tmp_path_factory):
    """The small study with a slow run and slow scores: see slow_run.py."""
    folder = tmp_path_factory.mktemp("undisturbed") / "study"
    build_slow(study, folder)
    return folder


@pytest.fixture
def begun(undisturbed, tmp_path):
    """A copy in which the slow run and the slow scores are still to be made."""
    folder = tmp_path / "study"
    copy_before(undisturbed, folder)
    return folder

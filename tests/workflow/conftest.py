import shutil

import pytest

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

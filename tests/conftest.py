"""Settings for all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from mounts import small_tmpfs, unmount

# a shared machine may stall any example: no test is timed. In CI the same examples every time.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
# `make test-long`: ten times as many examples, and other ones each time
settings.register_profile("long", settings.get_profile("steady"), max_examples=1000, derandomize=False)
settings.load_profile("long" if os.environ.get("LONG") else "steady")


class ByFile(LoadFileScheduling):
    """Under `-n` a file's tests stay on one worker, and all that share the cluster."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return "tests/slurm" if file.startswith("tests/slurm/") else file


# optional: so that `-p no:xdist` works
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


def pytest_collection_modifyitems(items):
    """The longest first."""
    items.sort(key=lambda item: not (item.get_closest_marker("workflow") or item.get_closest_marker("slurm")))


@pytest.fixture
def tmpfs(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    small_tmpfs(folder, "1m")
    yield folder
    unmount(folder)

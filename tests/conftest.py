"""Settings for all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

from mounts import small_tmpfs, unmount

# a shared machine may stall any example: no test is timed. In CI the same examples every time.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks in the same hook
def pytest_collection_modifyitems(items):
    """Under `-n` a file's tests stay on one worker, and all that share the cluster; the longest come first."""
    for item in items:
        shared = "slurm" if item.get_closest_marker("slurm") else item.path.stem
        item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=lambda item: not (item.get_closest_marker("workflow") or item.get_closest_marker("slurm")))


@pytest.fixture
def tmpfs(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    small_tmpfs(folder, "1m")
    yield folder
    unmount(folder)

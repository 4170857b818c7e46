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


def pytest_collection_modifyitems(items):
    """Under `-n` a file's tests stay together, and so do all that share the small study, the longest, or a cluster."""
    for item in items:
        shared = next((name for name in ("workflow", "slurm") if item.get_closest_marker(name)), item.path.stem)
        item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)


@pytest.fixture
def tmpfs(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    small_tmpfs(folder, "1m")
    yield folder
    unmount(folder)

from pathlib import Path

import pytest

import artifacts
from report_pages import all_pages


@pytest.fixture(scope="session")
def results(tmp_path_factory) -> Path:
    return artifacts.build(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def made(results) -> dict[str, str]:
    """Name -> HTML of every page of the report."""
    return all_pages(results)

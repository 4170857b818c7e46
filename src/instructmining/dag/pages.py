"""The report's pages, by their specs: which a config has, and what a page reads.

A spec (`instructmining.settings.specs.Page`) names functions of the package; they are imported when they are needed.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instructmining.dag.names import Config, Wildcards
from instructmining.jobs import paths
from instructmining.settings import Page
from instructmining.settings import versions as all_versions
from instructmining.settings.discovery import specs


def pages() -> dict[str, Page]:
    """Module of report/pages -> its spec, in the order of the report."""
    return specs("report/pages")


def page_path(name: str) -> str:
    """The path of a page, with its wildcards in braces."""
    return f"{paths.ALL_FIGURES}/{pages()[name].path}"


def table_path(name: str, table: str = "table") -> str:
    """The path of one table of a page, with its wildcards in braces."""
    return f"{paths.ALL_TABLES}/{pages()[name].tables[table]}"


def wildcard_names(spec: Page) -> list[str]:
    """The wildcards of a page, in the order of its path."""
    path = spec.path or next(iter(spec.tables.values()))
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def job_name(name: str) -> str:
    """The name of the jobs of a page, with wildcards: report_examples/{strategy}/{pool}, report_data/data."""
    wildcards = [f"{{{one}}}" for one in wildcard_names(pages()[name])]
    return "/".join([f"report_{name}", *(wildcards or [name])])


def function(name: str) -> Callable[..., Any]:
    """A function of the package by its name in a spec: ``dag.comparisons.baselines``."""
    module, _, attribute = name.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"instructmining.{module}"), attribute)
    return found


def input_function(spec: Page, name: str) -> Callable[[Config, Wildcards], list[str]]:
    """The function that lists the files of one input of a page."""
    source = spec.inputs[name]
    if "/" not in source:
        return function(source)
    wildcards = wildcard_names(spec)
    return lambda config, values: [source.format(**{one: getattr(values, one) for one in wildcards})]


def version(spec: Page) -> list[int]:
    """The version of a page, and those of what its tables are computed by."""
    return [spec.version, *(getattr(all_versions, name) for name in spec.versions)]


def report_pages(config: Config) -> list[str]:
    """The report's pages for what the config has."""
    return [
        page_path(name).format(**each) for name, spec in pages().items() if spec.path for each in _each(spec, config)
    ]


def report_tables(config: Config) -> list[str]:
    """The tables of these pages, and the tables that have no page."""
    return [
        table_path(name, table).format(**each)
        for name, spec in pages().items()
        for each in _each(spec, config)
        for table in spec.tables
    ]


def _each(spec: Page, config: Config) -> list[dict[str, str]]:
    found: list[dict[str, str]] = function(spec.for_each)(config)
    return found


def kinds_of_pages(config: Config, wildcards: Wildcards) -> list[str]:
    """Which kinds of pages the report has: comparisons, examples, data, …; sorted."""
    found = [Path(page).relative_to(paths.ALL_FIGURES) for page in report_pages(config)]
    return sorted({page.with_suffix("").parts[0] for page in found})

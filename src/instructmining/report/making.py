"""Making a page of the report and its tables: one function for the workflow, ``make verify`` and the tests."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from instructmining.jobs.files import write_csv, write_text
from instructmining.report.job import Job
from instructmining.settings.discovery import load, specs

ROOM = "report/pages"
Table = pl.DataFrame | str


def tables(name: str, job: Job) -> dict[str, Table]:
    """The tables of a page, by the names of its spec; text for a table that is no CSV.

    There may be more: what the page alone shows, and what takes too long to compute twice.
    """
    if not specs(ROOM)[name].tables:
        return {}
    found: dict[str, Table] = load(ROOM, name, "page of the report").tables(job)
    return found


def write(
    rule: str,
    config: dict[str, Any],
    names: Mapping[str, str],
    inputs: Mapping[str, str | Sequence[str]],
    params: Mapping[str, Any],
    outputs: Mapping[str, str],
) -> None:
    """Make the page and tables of rule ``report_{name}``. ``outputs``: name of the table, or ``page`` -> its path."""
    name = rule.removeprefix("report_")
    files = {key: [path] if isinstance(path, str) else list(path) for key, path in inputs.items()}
    job = Job(config, names, files, params)
    made = tables(name, job)
    for table in specs(ROOM)[name].tables:
        content = made[table]
        if isinstance(content, str):
            write_text(outputs[table], content)
        else:
            write_csv(content, outputs[table])
    if "page" in outputs:
        write_text(outputs["page"], load(ROOM, name, "page of the report").draw(job, made))

"""The report's script, given what Snakemake gives it: an input that is a list stays a list under its name."""

import multiprocessing
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

io = pytest.importorskip("snakemake.iocontainers")
SCRIPT = Path(__file__).parents[2] / "workflow/scripts/report.py"


def given(**files):
    """Inputs as Snakemake hands them over: a list under a name is a named list, a path is text."""
    return io.Namedlist(
        fromdict={name: io.Namedlist(value) if isinstance(value, list) else value for name, value in files.items()}
    )


def run(rule, folder, **parts):
    """Run the script of the report for a rule; returns the text of its page."""
    job = {"output": given(page=str(folder / "page.html")), "log": [str(folder / "job.log")], "threads": 1}
    job |= {"rule": rule, "params": {}, "wildcards": {}, "config": {}} | parts
    for part in ("params", "wildcards"):
        job[part] = io.Namedlist(fromdict=job[part])
    # the script's log takes its process's stdout and stderr
    process = multiprocessing.get_context("spawn").Process(
        target=runpy.run_path, args=(str(SCRIPT), {"snakemake": SimpleNamespace(**job)})
    )
    process.start()
    process.join()
    assert process.exitcode == 0, (folder / "job.log").read_text()
    page = folder / "page.html"
    return page.read_text(encoding="utf-8") if page.exists() else ""

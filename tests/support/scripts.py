"""Scripts of workflow/scripts, given what Snakemake gives them: an input that is a list stays a list under its name."""

import multiprocessing
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

io = pytest.importorskip("snakemake.iocontainers")
SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


def given(**files):
    """Inputs as Snakemake hands them over: a list under a name is a named list, a path is text."""
    return io.Namedlist(
        fromdict={name: io.Namedlist(value) if isinstance(value, list) else value for name, value in files.items()}
    )


def run(script, folder, **parts):
    """Run a script; returns the text of its output."""
    job = {"output": [str(folder / "page.html")], "log": [str(folder / "job.log")], "threads": 1, "params": {}}
    job |= parts
    job["params"] = SimpleNamespace(**job["params"])
    # the script's log takes its process's stdout and stderr
    process = multiprocessing.get_context("spawn").Process(
        target=runpy.run_path, args=(str(SCRIPTS / f"{script}.py"), {"snakemake": SimpleNamespace(**job)})
    )
    process.start()
    process.join()
    assert process.exitcode == 0, (folder / "job.log").read_text()
    return (folder / "page.html").read_text(encoding="utf-8")

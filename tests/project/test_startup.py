"""Every job of a cluster reads the Snakefile two or three times: what it imports must be light."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "scipy", "statsmodels", "sklearn", "pandas", "numpy", "polars", "pyarrow", "flaml")


def imported(statements: str) -> set[str]:
    """Top packages that a fresh process has after these statements."""
    show = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", f"{statements}\n{show}"]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def imports_of_the_rules() -> str:
    """Our own import statements in rules/, brackets and all."""
    lines, statements = [line for path in ROOT.glob("rules/**/*.smk") for line in path.read_text().splitlines()], []
    for place, line in enumerate(lines):
        if line.startswith(("from instructmining", "import instructmining")):
            stop = next(i for i in range(place, len(lines)) if "(" not in line or lines[i] == ")")
            statements += lines[place : stop + 1]
    return "\n".join(statements)


def test_the_rules_import_the_package():
    assert "instructmining" in imported(imports_of_the_rules())


def test_reading_the_snakefile_imports_nothing_heavy():
    assert not imported(imports_of_the_rules()) & set(HEAVY)


@pytest.mark.parametrize("module", ["scorers.causal", "evaluations.loss"])
def test_scoring_and_evaluating_do_not_import_what_only_a_fit_needs(module):
    assert not imported(f"import instructmining.{module}") & {"sklearn", "pandas", "statsmodels"}


def test_snakemake_still_has_the_limit_that_the_snakefile_takes_away():
    """Set on a scheduler that calls it otherwise, it would do nothing, and nobody would notice."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    assert "workflow.scheduler.job_rate_limiter = None" in (ROOT / "Snakefile").read_text()
    assert "if self.job_rate_limiter is not None" in inspect.getsource(JobScheduler.schedule)
    assert "if self.job_rate_limiter is None" in inspect.getsource(JobScheduler.job_selector)

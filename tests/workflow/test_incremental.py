"""docs/incremental.md says which jobs a change of a finished study makes; these tests read it and hold it to that.

Nothing is computed. After each invocation `pretend` writes what it would have made, so that the next is planned as
after a real one; the doc says what is assumed about it, and UNCHANGED names the files that come out as before.
"""

import json
import re
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from small import ROOT, change, jobs, rows, snakemake, write_rows

pytestmark = pytest.mark.workflow

DOC = (ROOT / "docs/incremental.md").read_text()
PAGES = "pages of the report"
# files that an invocation makes again as they were; all others it makes are different
UNCHANGED = {
    "A dataset for a pool": (
        "results/subsets/instructmining/*",
        "results/subsets/longest/*",
        "results/subsets/searches/*",
    ),
    "More trials": ("results/subsets/*",),
}
ALLOWED = ["--allowed-rules", "select_trial", "select_subset", "chosen", "--"]
TWO = ("`snakemake subsets`", "`snakemake`")


@dataclass
class Case:
    title: str
    edit: dict[str, Any]
    plans: dict[str, dict[str, Any]]  # invocation -> rule -> jobs, and the set of pages


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _plan(table: list[list[str]], column: int) -> dict[str, Any]:
    """Rule -> jobs, and the set of pages, of one column."""
    filled = {row[0].strip("`"): row[column] for row in table if row[column]}
    return {name: set(cell.split(", ")) if name == PAGES else int(cell) for name, cell in filled.items()}


def read_cases(text: str) -> list[Case]:
    """The doc's sections that have a table."""
    cases = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        head, _, *table = [_cells(line) for line in section.splitlines() if line.startswith("|")] or [[], []]
        if head:
            block = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
            plans = {name: _plan(table, column) for column, name in enumerate(head) if column}
            cases.append(Case(section.splitlines()[0], yaml.safe_load(block[1]) if block else {}, plans))
    return cases


CASES = read_cases(DOC)


def lay_over(config: dict[str, Any], edit: dict[str, Any]) -> None:
    """Sections within sections; everything else takes the old value's place."""
    for key, value in edit.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            lay_over(config[key], value)
        else:
            config[key] = value


def plan(folder: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """What would be done, as the doc puts it, and Snakemake's own words."""
    done = snakemake(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    said = done.stdout + done.stderr
    found: dict[str, Any] = {name: n for name, n in jobs(said).items() if not name.startswith("report_")}
    if pages := {name.removeprefix("report_") for name in jobs(said) if name.startswith("report_")}:
        found[PAGES] = pages
    return found, said


def pretend(folder: Path, said: str, unchanged: tuple[str, ...]) -> None:
    """Write the outputs of a dry run's jobs in their order, with Snakemake's records, as if they had been made."""
    for block in re.split(r"^ *(?:local)?rule \w+:$", said, flags=re.MULTILINE)[1:]:
        found = dict(re.findall(r"^ +(input|output): (.+)$", block, re.MULTILINE))
        inputs = [name for name in found.get("input", "").split(", ") if (folder / name).is_file()]
        sums = {name: "sha256:" + sha256((folder / name).read_bytes()).hexdigest() for name in inputs}
        record = json.dumps({"record_format_version": 6, "incomplete": False, "input_checksums": sums})
        for name in found["output"].split(", ") if "output" in found else []:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and any(fnmatch(name, pattern) for pattern in unchanged):
                path.touch()
            elif path.name != "model":  # temporary: gone when the run is evaluated
                path.write_text("made again")
            (folder / ".snakemake/metadata" / urlsafe_b64encode(name.encode()).decode()).write_text(record)


def arguments(invocation: str) -> list[str]:
    """What a table's head says is called."""
    name, *targets = invocation.strip("`").split()
    assert name == "snakemake"
    return [*ALLOWED, *targets] if targets == ["chosen"] else targets


def plans(folder: Path, invocations: Iterable[str], unchanged: tuple[str, ...], *options: str) -> dict[str, Any]:
    """What each invocation would do after those before it."""
    found = {}
    for invocation in invocations:
        found[invocation], said = plan(folder, *options, *arguments(invocation))
        pretend(folder, said, unchanged)
    return found


@pytest.mark.parametrize("case", [case for case in CASES if case.edit], ids=lambda case: case.title)
def test_a_change_makes_the_jobs_that_the_document_names(copy, case):
    for name in ("short", "pool_c"):
        write_rows(copy / f"data/{name}.jsonl", rows(name, 12, 6))
    change(copy, lambda config: lay_over(config, case.edit))
    assert plans(copy, case.plans, UNCHANGED.get(case.title, ())) == case.plans


def test_a_plot_drawn_otherwise_makes_its_pages_alone(copy, tmp_path):
    """In a checkout in which pages have another version."""
    checkout = tmp_path / "checkout"
    for name in ("rules", "workflow", "src", "envs", "profiles", "config"):
        shutil.copytree(ROOT / name, checkout / name)
    shutil.copy(ROOT / "Snakefile", checkout)
    for page in (checkout / "src/instructmining/report/pages").glob("*.py"):
        page.write_text(page.read_text().replace("    version=2,", "    version=12,"))
    (case,) = (case for case in CASES if not case.edit)
    assert plans(copy, case.plans, (), "--snakefile", str(checkout / "Snakefile")) == case.plans


def test_a_finished_study_has_nothing_to_do(copy):
    assert plans(copy, TWO, ()) == {name: {} for name in TWO}


def test_the_document_has_the_cases():
    assert len(CASES) == len({case.title for case in CASES}) >= 12
    assert set(UNCHANGED) <= {case.title for case in CASES}

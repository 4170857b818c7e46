"""A page of the report is one file: added to a copy of the checkout, it is a target, is made, and is in the report."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from instructmining.report.captions import captions
from small import rows, write_rows

ROOT = Path(__file__).parents[2]
PAGE = '''"""How long the names of datasets are."""

import polars as pl

from instructmining.report import html
from instructmining.settings import Page

SPEC = Page(
    version=4,
    category="9 Mine",
    caption="Dataset names and their lengths.",
    for_each="dag.shown.if_datasets",
    path="my_page.html",
    inputs={"summaries": "dag.data_pages.all_summaries"},
    params={"shown": "dag.data_pages.number_of_examples"},
    tables={"lengths": "my_lengths.csv"},
    shown_tables={"lengths": "lengths as CSV"},
    labels={"what": "names"},
)


def tables(job):
    names = [path.split("/")[-2] for path in job.inputs["summaries"]]
    return {"lengths": pl.DataFrame({"name": names, "length": [len(name) for name in names]})}


def draw(job, made):
    return html.page("Names", [html.words(f"{job.params['shown']} examples."), html.table(made["lengths"])])
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what Snakemake needs of the checkout, with one page more."""
    folder = tmp_path / "checkout"
    for name in ("src", "rules", "workflow", "envs", "config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    (folder / "src/instructmining/report/pages/my_page.py").write_text(PAGE)
    return folder


def run(checkout: Path, folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


@pytest.mark.workflow
def test_one_file_is_enough(checkout: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "data/pool.jsonl", rows("pool", 6, 8))
    config = {"datasets": {"pool": {"path": "data/pool.jsonl"}}, "report": {"examples": 17}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    snakemake = ("-m", "snakemake", "--snakefile", str(checkout / "Snakefile"), "--configfile", "config.yaml")
    assert "report_my_page" in run(checkout, tmp_path, *snakemake, "--dry-run", "--quiet", "rules")
    # the report reads captions from files
    run(checkout, checkout, "workflow/generate.py")
    run(checkout, tmp_path, *snakemake, "--cores", "1")
    assert "17 examples." in (tmp_path / "results/figures/my_page.html").read_text(encoding="utf-8")
    assert (tmp_path / "results/tables/my_lengths.csv").read_text() == "name,length\npool,4\n"
    assert (tmp_path / "logs/report_my_page/my_page.log").exists()
    assert "Dataset names and their lengths." in (tmp_path / "results/report.html").read_text(encoding="utf-8")


def test_captions_are_those_of_the_specs() -> None:
    """`make generate` writes them."""
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "workflow/report").glob("*.rst")}
    assert found - {"workflow/report/workflow.rst"} == captions().keys()
    stale = [name for name, text in captions().items() if (ROOT / name).read_text(encoding="utf-8") != text]
    assert stale == []

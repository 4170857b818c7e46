"""The tables of ``studies.build``'s study, as the workflow makes them, and its indicator check."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from instructmining import config
from instructmining.dag import pages
from instructmining.indicators import check as indicator_check
from instructmining.jobs.files import write_csv, write_json, write_text
from instructmining.report import making
from instructmining.settings import Page
from instructmining.trail.recompute_tables import job_of
from instructmining.trail.study import Study
from study_builder import Builder

TEXTS = "datasets/{}/examples.parquet"
# tables that other pages read come first
FIRST = ("costs", "subsets")


def build(study: Builder) -> None:
    _check(study)
    specs = pages.pages()
    for name in [*FIRST, *(name for name in specs if name not in FIRST)]:
        if specs[name].tables:
            for names in pages.function(specs[name].for_each)(study.config):
                _tables(study, name, specs[name], names)


def _tables(study: Builder, page: str, spec: Page, names: dict[str, str]) -> None:
    read = files_read(study.config, spec, names)
    # published coefficients have no observations in this study
    if not all((study.root / path).exists() for path in read):
        return
    files = write_tables(study.root, study.config, page, names)
    # by name, as Snakemake records inputs
    inputs = sorted(path.removeprefix("results/") for path in read)
    study.job(pages.job_name(page).format(**names), inputs, *(path.removeprefix("results/") for path in files))


def files_read(config: dict[str, Any], spec: Page, names: dict[str, str]) -> list[str]:
    """The inputs of a page."""
    wildcards: Any = SimpleNamespace(**names)
    return [path for name in spec.inputs for path in pages.input_function(spec, name)(config, wildcards)]


def write_tables(root: Path, config: dict[str, Any], page: str, names: dict[str, str]) -> list[str]:
    """Make the tables of a page below ``root``; returns their paths."""
    spec, files = pages.pages()[page], []
    archive = Study(root, config, frozenset(files_read(config, spec, names)), {})
    made = making.tables(page, job_of(archive, spec, names))
    for table in spec.tables:
        files.append(pages.table_path(page, table).format(**names))
        content = made[table]
        if isinstance(content, str):
            write_text(root / files[-1], content)
        else:
            write_csv(content, root / files[-1])
    return files


def _check(study: Builder) -> None:
    sides, columns = ("chosen", "rejected"), config.dataset_columns(study.config)
    texts = [TEXTS.format(side) for side in sides]
    shards = [[f"indicators/{side}/{entry}/000-of-001.parquet" for entry in ("lengths", "mtld")] for side in sides]
    paths = [[str(study.path(name)) for name in names] for names in (texts, *shards)]
    found = indicator_check.check_files(paths[0], paths[1:], columns, study.config["indicator_check"], 1)
    write_json(study.path("indicator_check.json"), found)
    study.job("check_indicators/indicators", [*texts, *shards[0], *shards[1]], "indicator_check.json")

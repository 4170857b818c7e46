"""The report's tables computed again, by the functions of its pages; as in `instructmining.trail.recompute_data`.

Inputs and params are those of the page's spec. Files that only the page shows need not be in the archive.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import polars as pl

from instructmining.dag import pages
from instructmining.report import making
from instructmining.report.job import Job
from instructmining.settings import Page
from instructmining.trail.study import Absent, Computed, Expected, InPart, Study


class Found(Mapping[str, Any]):
    """Values by name, each looked for when it is asked for: what is absent is told only where it is needed."""

    def __init__(self, functions: Mapping[str, Callable[[], Any]]) -> None:
        self.functions = functions

    def __getitem__(self, name: str) -> Any:
        return self.functions[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)


def job_of(study: Study, spec: Page, names: Mapping[str, str]) -> Job:
    """The job of a page, with the archive's files."""
    wildcards: Any = SimpleNamespace(**names)

    def files(name: str) -> list[str]:
        return study.paths(pages.input_function(spec, name)(study.config, wildcards))

    def value(source: str) -> Any:
        return pages.function(source)(study.config, wildcards)

    inputs = Found({name: partial(files, name) for name in spec.inputs})
    params = Found({name: partial(value, source) for name, source in spec.params.items()})
    return Job(study.config, names, inputs, params, study.folder)


def tables(page: str, study: Study, file: str, *values: str) -> list[Expected]:
    """The tables of a page, in the order of its spec."""
    spec = pages.pages()[page]
    job = job_of(study, spec, dict(zip(pages.wildcard_names(spec), values, strict=True)))
    if page == "benchmark":
        return [_items(study, job, file)]
    if page == "contamination":
        # no input: which datasets subsets are of is known from the subsets alone
        study.examples(sorted({name for frame in job.subsets().values() for name in frame["dataset"].unique()}))
    made = making.tables(page, job)
    return [made[name] for name in spec.tables]


def _items(study: Study, job: Job, file: str) -> Expected:
    """A benchmark's items; where the archive does not hold the texts of its dataset, with the prompts as found."""
    try:
        return making.tables("benchmark", job)["table"]
    except Absent as absent:
        if not all(name.startswith("results/datasets/") for name in absent.names):
            raise
        texts = absent.names
    others = {name: job.inputs[name] for name in job.inputs if name != "examples"}
    items = making.tables("benchmark", job._replace(inputs={**others, "examples": []}))["table"]
    assert isinstance(items, pl.DataFrame)
    prompts = pl.read_csv(study.path(file), columns=["id", "prompt"], infer_schema=False).unique("id", keep="first")
    as_found = items.drop("prompt").join(prompts, on="id", how="left", maintain_order="left")
    return InPart(as_found.select(items.columns), "prompts", texts)


def _patterns(page: str, spec: Page) -> tuple[str, ...]:
    return tuple(pages.table_path(page, name) for name in spec.tables)


TABLES: Computed = {_patterns(name, spec): partial(tables, name) for name, spec in pages.pages().items() if spec.tables}

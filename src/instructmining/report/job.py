"""What the functions of a page are given: the files, params and wildcards of one job, and the config."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from instructmining.tables.comparison import read_evaluations


class Job(NamedTuple):
    """One page, or its tables alone, of one study.

    Attributes:
        config: the checked config.
        names: wildcard -> value.
        inputs: name of the spec -> paths, always as a list.
        params: name of the spec -> value.
        root: the study's folder; paths in params and those of measurements are relative to it.
    """

    config: dict[str, Any]
    names: Mapping[str, str]
    inputs: Mapping[str, list[str]]
    params: Mapping[str, Any]
    root: Path = Path()

    def evaluations(self) -> pl.DataFrame:
        """The job's ``evaluations`` and ``subsets``; from ``comparison.read_evaluations``.

        ``per_item``, where the job has it, names the items of the evaluations, which are read where a table needs them.
        """
        self.inputs.get("per_item")
        return read_evaluations(self.inputs["evaluations"], self.inputs["subsets"])

    def subsets(self) -> dict[tuple[str, str, str], pl.DataFrame]:
        """(order, pool, size) -> the ids and datasets of each of the job's ``subsets``."""
        places = [Path(path).with_suffix("").parts[-3:] for path in self.inputs["subsets"]]
        frames = map(pl.read_parquet, self.inputs["subsets"])
        return {(place[0], place[1], place[2]): frame for place, frame in zip(places, frames, strict=True)}

    def pool_rows(self) -> dict[str, int]:
        """Pool -> its examples, of the job's ``rankings``."""
        rankings = self.inputs["rankings"]
        return {Path(path).stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in rankings}

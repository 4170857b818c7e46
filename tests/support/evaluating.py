"""Jobs of evaluations whose files are written from frames."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl

from instructmining.data.examples import DETAILS, EXAMPLE_SCHEMA
from instructmining.evaluations.job import EvaluationJob
from instructmining.jobs.files import write_parquet


def job(
    folder: Path,
    examples: pl.DataFrame,
    details: Sequence[Mapping[str, Any]] | None = None,
    answers: pl.DataFrame | None = None,
    others: Sequence[pl.DataFrame] = (),
    **named: Any,
) -> EvaluationJob:
    """A job that reads these frames, in new files below ``folder``; ``examples`` may lack columns."""
    missing = {"dataset": pl.lit("d"), "row": pl.int_range(pl.len(), dtype=pl.Int64)}
    rows = examples.with_columns(**{name: value for name, value in missing.items() if name not in examples.columns})
    rows = rows.select(EXAMPLE_SCHEMA.names()).cast(dict(EXAMPLE_SCHEMA))
    if details is not None:
        rows = rows.with_columns(pl.Series(DETAILS, [json.dumps(one) for one in details], pl.String))
    frames = {"examples": [rows], "answers": [] if answers is None else [answers], "others": others}
    paths = {kind: [_written(folder, frame) for frame in several] for kind, several in frames.items()}
    (written,) = paths["examples"]
    return EvaluationJob(examples=written, answers="".join(paths["answers"]), others=paths["others"], **named)


def _written(folder: Path, frame: pl.DataFrame) -> str:
    path = folder / f"inputs/{uuid4().hex}.parquet"
    write_parquet(frame, path)
    return str(path)

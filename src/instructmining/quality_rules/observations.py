"""Observations: one row a mixture, its indicator means and its loss. What a quality rule is fitted on.

An observations frame has ``mixture`` (str), one float64 column per indicator, and ``loss`` (nats, above 0).
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from instructmining.jobs.errors import InputError

NOT_INDICATORS = ("mixture", "loss", "log_loss", "predicted_log_loss")


def mixture_examples(paths: Iterable[str | Path]) -> pl.DataFrame:
    """The examples of all mixtures, one after the other: ``id``, ``dataset``, ``mixture`` and its ``block``."""
    return pl.concat(
        pl.read_parquet(path, columns=["id", "dataset"]).with_columns(
            mixture=pl.lit(Path(path).stem), block=pl.lit(Path(path).stem.rpartition("-")[0])
        )
        for path in paths
    )


def from_runs(
    examples: pl.DataFrame, losses: Mapping[str, float | None], columns: Sequence[str]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Average each indicator over each mixture's examples and set its loss beside it.

    ``examples``: ``mixture``, ``id``, ``dataset`` and ``columns``, which may have another value in another mixture;
    ``losses``: mixture -> loss. Nulls are left out of a mean and counted: the second value is, per indicator, how many
    of the distinct examples used have none somewhere. A mean depends on the set of a mixture's examples, not on their
    order.

    InputError if a mixture has no value at all, or a loss is missing or not positive.
    """
    table = examples.select("mixture", "id", "dataset", pl.col(columns).cast(pl.Float64).fill_nan(None))
    parts = table.partition_by("mixture", maintain_order=True)
    names, means = [part["mixture"][0] for part in parts], []
    for name, part in zip(names, parts, strict=True):
        values = part.sort("dataset", "id").select(columns).to_numpy(order="c")
        missing = np.isnan(values).all(axis=0)
        if missing.any():
            raise InputError(f"mixture {name}: no example has a value of {columns[int(missing.argmax())]}")
        means.append(np.nanmean(values, axis=0))
    known = table.group_by("id", "dataset").agg(pl.col(columns).is_not_null().all())
    frame = pl.DataFrame(
        {
            "mixture": names,
            **dict(zip(columns, np.array(means).T, strict=True)),
            "loss": [_positive(losses[name], f"mixture {name}") for name in names],
        }
    )
    return frame, {column: known.height - int(known[column].sum()) for column in columns}


def from_csv(path: str | Path, columns: Sequence[str] = (), origin: str | None = None) -> pl.DataFrame:
    """Read observations from a CSV: ``loss``, indicator columns, and ``mixture`` if it has one (else ``row-000``, …).

    ``origin`` says where to get the file, for whoever does not have it.

    ``columns`` must be there and hold numbers; of the others, those that hold only numbers come along. Without
    ``columns`` every column with a number in it must hold only numbers.

    InputError names the file that is not there, or the missing column or one that stands there twice, or the line and
    the cell that is not a number or that names a mixture again.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file{f'; where to get it: {origin}' if origin else ''}")
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            header = [name.strip() for name in next(csv.reader(file), [])]
        if twice := [name for name, count in Counter(header).items() if name and count > 1]:
            raise InputError(f"{path}: column {', '.join(twice)} stands there more than once")
        text = pl.read_csv(path, infer_schema=False).rename(str.strip)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected a CSV file in UTF-8: {error}") from error
    except (OSError, PolarsError, csv.Error) as error:
        raise InputError(f"{path}: expected a CSV file: {str(error).splitlines()[0]}") from error
    missing = [name for name in (*columns, "loss") if name not in text.columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; it has {', '.join(text.columns)}")
    numbers = text.select(pl.all().str.strip_chars().cast(pl.Float64, strict=False))
    numbers = numbers.select(pl.when(pl.all().is_finite()).then(pl.all()))
    others = [name for name in text.columns if name not in NOT_INDICATORS and name not in columns]
    if not columns:
        wanted = [name for name in others if numbers[name].count()]
    else:
        wanted = [*columns, *(name for name in others if text.height and not numbers[name].null_count())]
    for name in (*wanted, "loss"):
        if numbers[name].null_count():
            row = int(numbers[name].is_null().arg_max() or 0)
            raise InputError(f"{path}, line {row + 2}: {name}: expected a number, found {text[name][row]!r}")
    for row, loss in enumerate(numbers["loss"]):
        _positive(loss, f"{path}, line {row + 2}")
    if "mixture" in text.columns and text["mixture"].is_duplicated().any():
        row = int(text["mixture"].is_first_distinct().not_().arg_max() or 0)
        raise InputError(f"{path}, line {row + 2}: mixture: {text['mixture'][row]!r} stands there more than once")
    named = text["mixture"] if "mixture" in text.columns else pl.Series([f"row-{i:03d}" for i in range(text.height)])
    return numbers.select(named.alias("mixture"), *wanted, "loss")


def empty(columns: Sequence[str]) -> pl.DataFrame:
    """No observations, with these indicator columns."""
    return pl.DataFrame(schema={"mixture": pl.String, **dict.fromkeys([*columns, "loss"], pl.Float64)})


def indicator_columns(observations: pl.DataFrame) -> list[str]:
    """The indicator columns of an observations frame."""
    return [name for name in observations.columns if name not in NOT_INDICATORS]


def _positive(loss: float | None, where: str) -> float:
    if loss is None or not np.isfinite(loss) or loss <= 0:
        raise InputError(f"{where}: loss: expected a number above 0, found {loss}")
    return loss

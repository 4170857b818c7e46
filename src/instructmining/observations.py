"""Observations: one row a mixture, its indicator means and its loss. What a quality rule is fitted on.

An observations frame has ``mixture`` (str), one float64 column per indicator, and ``loss`` (nats, above 0).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from instructmining.errors import InputError

NOT_INDICATORS = ("mixture", "loss", "log_loss", "predicted_log_loss")


def from_runs(
    mixtures: Mapping[str, pl.DataFrame],
    indicators: pl.DataFrame,
    losses: Mapping[str, float | None],
    columns: Sequence[str],
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Average each indicator over each mixture's examples and set its loss beside it.

    ``mixtures``: name -> frame with ``id``, ``dataset``; ``indicators``: ``id``, ``dataset`` and ``columns``;
    ``losses``: name -> loss. Nulls are left out of a mean and counted: the second value is, per indicator, how many of
    the distinct examples used have none. A mean depends on the set of a mixture's examples, not on their order.

    InputError if an example is in no indicator file, a mixture has no value at all, or a loss is missing or not
    positive.
    """
    table = indicators.sort("dataset", "id")
    places = table.select("id", "dataset").with_row_index("place")
    values = table.select(pl.col(columns).cast(pl.Float64)).to_numpy()
    used = np.zeros(len(values), dtype=bool)
    means = []
    for name, subset in mixtures.items():
        found = subset.select("id", "dataset").join(places, on=["id", "dataset"], how="left")["place"]
        if found.null_count():
            raise InputError(f"mixture {name}: {found.null_count()} of its examples have no row of indicators")
        chosen = found.sort().to_numpy()
        used[chosen] = True
        missing = np.isnan(values[chosen]).all(axis=0)
        if missing.any():
            raise InputError(f"mixture {name}: no example has a value of {columns[int(missing.argmax())]}")
        means.append(np.nanmean(values[chosen], axis=0))
    nulls = np.isnan(values[used]).sum(axis=0)
    frame = pl.DataFrame(
        {
            "mixture": list(mixtures),
            **dict(zip(columns, np.array(means).T, strict=True)),
            "loss": [_positive(losses[name], f"mixture {name}") for name in mixtures],
        }
    )
    return frame, {column: int(count) for column, count in zip(columns, nulls, strict=True)}


def from_csv(path: str | Path, columns: Sequence[str] = ()) -> pl.DataFrame:
    """Read observations from a CSV: ``loss``, indicator columns, and ``mixture`` if it has one (else ``row-000``, …).

    ``columns`` must be there and hold numbers; of the others, those that hold only numbers come along. Without
    ``columns`` every column with a number in it must hold only numbers.

    InputError names the file and the missing column, or the line and the cell that is not a number.
    """
    try:
        text = pl.read_csv(path, infer_schema=False)
    except (OSError, PolarsError) as error:
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

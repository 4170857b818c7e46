"""What two results differ in: numbers to a part in a million, everything else exactly. One line a difference.

A part in a million, since sums and least squares come out otherwise in the last digits on another machine.
"""

import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from polars.exceptions import PolarsError

_RELATIVE, _ABSOLUTE = 1e-6, 1e-12


class Difference(NamedTuple):
    """``expected``: what the other files of the archive say, ``found``: what this one says."""

    file: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.file}: expected {self.expected}, found {self.found}"


def same(expected: Any, found: Any) -> bool:
    """Whether two plain values are the same."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return math.isclose(expected, found, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return bool(expected == found)


def of_data(file: str, expected: Any, found: Any, place: str = "") -> Iterator[Difference]:
    """Of JSON data: each value that differs, by its place."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys([*expected, *found]):
            inner = f"{place}.{key}" if place else str(key)
            if key in expected and key in found:
                yield from of_data(file, expected[key], found[key], inner)
            else:
                told = ["nothing" if key not in side else _shown(side[key]) for side in (expected, found)]
                yield Difference(file, f"{inner} {told[0]}", told[1])
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from of_data(file, one, other, f"{place}[{number}]")
    elif not same(expected, found):
        yield Difference(file, f"{place} {_shown(expected)}".strip(), _shown(found))


def of_csv(file: str, expected: pl.DataFrame, path: Path) -> Iterator[Difference]:
    """Of a table: what it should be, and the CSV file that it is; rows in any order."""
    try:
        found = pl.read_csv(path, schema=expected.schema)
    except PolarsError as error:
        yield Difference(file, f"columns {', '.join(expected.columns)}", str(error).splitlines()[0])
        return
    # as the file would have it: an empty text and nothing are one there
    written = pl.read_csv(io.BytesIO(expected.write_csv().encode()), schema=expected.schema)
    yield from of_frames(file, _in_order(written), _in_order(found))


def of_frames(file: str, expected: pl.DataFrame, found: pl.DataFrame) -> Iterator[Difference]:
    """Of two frames: their shape, or each column by its first row that differs."""
    if expected.columns != found.columns:
        yield Difference(file, f"columns {', '.join(expected.columns)}", ", ".join(found.columns))
        return
    if expected.height != found.height:
        yield Difference(file, f"{expected.height} rows", str(found.height))
        return
    for column in expected.columns:
        pairs = list(zip(expected[column].to_list(), found[column].to_list(), strict=True))
        wrong = [row for row, (one, other) in enumerate(pairs) if not same(one, other)]
        if wrong:
            one, other = pairs[wrong[0]]
            more = f" (and {len(wrong) - 1} rows more)" if len(wrong) > 1 else ""
            yield Difference(file, f"{column} {_shown(one)} in row {_row(expected, wrong[0])}", _shown(other) + more)


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Sorted by what names a row, then by whole numbers: not by what may differ in its last digits."""
    keys = [name for name, kind in frame.schema.items() if kind == pl.String or kind.is_integer()]
    return frame.sort(keys, nulls_last=True) if keys else frame


def _row(frame: pl.DataFrame, number: int) -> str:
    names = [name for name, kind in frame.schema.items() if kind == pl.String]
    told = [str(frame[name][number]) for name in names[:5] if frame[name][number] is not None]
    return f"{number} ({', '.join(told)})" if told else str(number)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

"""Rows of a source, one after the other: local files and folders, the hub, a file inside a package.

Every reader yields ``(row number, row)``. Numbers start at 0; in JSON lines they are line numbers, so that
``sed -n`` finds the row (blank lines are no rows). What cannot be read is a ``Malformed`` in place of the row:
``malformed_json``, ``malformed_csv``, or ``truncated_file`` for everything behind the point where a file breaks
off. Bytes that are not UTF-8 become lone surrogates, which the caller rejects where they matter.
"""

import codecs
import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from instructmining.data.packages import open_member
from instructmining.data.streams import DECOMPRESSORS, Damaged, decompressed, plain, text_lines, text_of
from instructmining.jobs.errors import InputError

ENDINGS = ".json, .jsonl, .ndjson, .csv (each also with .gz or .zst) or .parquet"
BATCH = 1000
SPACE = re.compile(r"[ \t\n\r]*")
_STRING = r'"(?:[^"\\]|\\.)*"'
# The beginning of an object up to its first list; only scalars may come before it.
OBJECT_HEAD = re.compile(rf"\s*\{{\s*(?:{_STRING}\s*:\s*(?:{_STRING}|[\w.+-]+)\s*,\s*)*{_STRING}\s*:\s*\[", re.DOTALL)

Rows = Iterator[tuple[int, Any]]


class Malformed(NamedTuple):
    """In place of a row that could not be read: why, and what stood there."""

    reason: str
    data: Any


def read_rows(settings: dict[str, Any], archive: str | Path | None = None) -> Rows:
    """Rows of the source that a dataset's settings name.

    One of: ``path`` · ``hub``, ``revision``, ``split``, ``config_name``, ``data_files`` (a token is never config:
    huggingface_hub takes it from the environment) · ``package``, whose ``archive`` is given, and ``file``, a path
    inside it. Raises InputError if the source is missing, its ending unknown, or it is not the kind of file that
    its ending says; damage inside it is no error but a ``Malformed`` row.
    """
    if settings.get("hub"):
        return _hub(settings)
    if settings.get("package"):
        if archive is None:
            raise InputError(f"{settings['package']}: its archive has not been fetched")
        return _member(archive, settings["file"])
    path = Path(settings["path"])
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    return _file(path)


def _file(path: Path) -> Rows:
    with path.open("rb") as file:
        yield from _stream(str(path), file)


def _member(archive: str | Path, member: str) -> Rows:
    with open_member(archive, member) as file:
        yield from _stream(f"{archive}: {member}", file)


def _stream(name: str, file: IO[bytes]) -> Rows:
    endings = [ending.lower() for ending in Path(name).suffixes]
    packing = endings.pop() if endings and endings[-1] in DECOMPRESSORS else None
    ending = endings[-1] if endings else ""
    if ending == ".parquet" and packing is None:
        return _parquet(name, file)
    if ending not in READERS:
        raise InputError(f"{name}: unknown ending, expected {ENDINGS}, or a folder saved by `datasets`")
    return READERS[ending](name, decompressed(file, DECOMPRESSORS[packing]) if packing else plain(file))


def _json_lines(name: str, chunks: Iterable[bytes]) -> Rows:
    number = -1
    try:
        for number, line in enumerate(text_lines(chunks)):
            if not line or line.isspace():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = Malformed("malformed_json", line)
            yield number, row
    except Damaged as error:
        yield number + 1, Malformed("truncated_file", text_of(error.args[0]))


def _json(name: str, chunks: Iterable[bytes]) -> Rows:
    parts: list[bytes] = []
    whole = True
    try:
        for chunk in chunks:
            parts.append(chunk)
    except Damaged:
        whole = False
    text = text_of(b"".join(parts).removeprefix(codecs.BOM_UTF8))
    parts.clear()
    start = SPACE.match(text).end()  # type: ignore[union-attr]  # matches the empty string too
    if text.startswith("[", start):
        yield from _list_rows(text, start + 1, whole)
        return
    try:
        rows = _only_list(name, json.loads(text))
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise InputError(f"{name}: expected one JSON list, found more (JSON lines? then end in .jsonl)") from error
        head = OBJECT_HEAD.match(text)
        yield from _list_rows(text, head.end(), False) if head else [(0, Malformed("truncated_file", text))]
        return
    yield from enumerate(rows)
    if not whole:
        yield len(rows), Malformed("truncated_file", "")


def _only_list(name: str, data: Any) -> list[Any]:
    lists = [value for value in data.values() if isinstance(value, list)] if isinstance(data, dict) else []
    if len(lists) != 1:
        raise InputError(f"{name}: expected a list of objects, or an object with one list, found {len(lists)} lists")
    return lists[0]


def _list_rows(text: str, at: int, whole: bool) -> Rows:
    """Rows of the JSON list whose ``[`` ends at ``at``, up to where it breaks; the rest is one ``Malformed``."""
    decode = json.JSONDecoder().raw_decode
    number, at = 0, _skip(text, at)
    closed = text.startswith("]", at)
    while not closed:
        try:
            row, end = decode(text, at)
        except (ValueError, RecursionError):
            break
        yield number, row
        number, at = number + 1, _skip(text, end)
        closed = text.startswith("]", at)
        if not closed and not text.startswith(",", at):
            break
        at = at if closed else _skip(text, at + 1)
    rest = text[at + closed :]
    if not (closed and whole) or rest.strip():
        yield number, Malformed("truncated_file", rest)


def _skip(text: str, at: int) -> int:
    return SPACE.match(text, at).end()  # type: ignore[union-attr]


def _csv(name: str, chunks: Iterable[bytes]) -> Rows:
    csv.field_size_limit(sys.maxsize)
    records = csv.reader(line + "\n" for line in text_lines(chunks))
    number = -1
    header: list[str] = []
    while True:
        try:
            fields = next(records, None)
        except csv.Error as error:
            number += 1
            yield number, Malformed("malformed_csv", str(error))
            continue
        except Damaged as error:
            yield number + 1, Malformed("truncated_file", text_of(error.args[0]))
            return
        if fields is None:
            return
        if not header:
            header = fields
        elif fields:
            number += 1
            matches = len(fields) == len(header)
            yield number, dict(zip(header, fields, strict=True)) if matches else Malformed("malformed_csv", fields)


def _parquet(name: str, file: IO[bytes]) -> Rows:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(file)
        batches = (batch.to_pylist() for batch in table.iter_batches(batch_size=BATCH))
        yield from enumerate(row for rows in batches for row in rows)
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise InputError(f"{name}: expected a Parquet file: {_first_line(error)}") from error


def _folder(path: Path) -> Rows:
    import datasets

    try:
        loaded = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: expected a folder saved by `datasets`: {_first_line(error)}") from error
    if isinstance(loaded, datasets.DatasetDict):
        raise InputError(f"{path}: holds several splits, name one of their folders: {', '.join(loaded)}")
    return _table_rows(loaded)


def _hub(settings: dict[str, Any]) -> Rows:
    import datasets

    hub, revision, split = settings["hub"], settings["revision"], settings["split"]
    try:
        loaded = datasets.load_dataset(
            hub,
            settings.get("config_name"),
            data_files=settings.get("data_files"),
            revision=revision,
            split=split,
        )
    except Exception as error:
        # The loader's errors have no common class; whatever it is, the user must hear which dataset.
        raise InputError(f"{hub}@{revision}: cannot load split {split!r}: {_first_line(error)}") from error
    return _table_rows(loaded)


def _table_rows(table: Any) -> Rows:
    batches = table.iter(batch_size=BATCH)
    rows = (dict(zip(b, values, strict=True)) for b in batches for values in zip(*b.values(), strict=True))
    return enumerate(rows)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


READERS: dict[str, Callable[[str, Iterable[bytes]], Rows]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
}

"""Writing artifacts: atomically, with provenance inside, and the same bytes for the same content."""

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.jobs.disk import naming
from instructmining.jobs.errors import InputError

PART = ".part"
PROVENANCE_KEY = "provenance"
# a scorer reads its part of a file, and of a group of rows all that is before it
_ROWS_AT_ONCE = 4096


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it into place only if the block succeeds.

    A job that dies half-way leaves the old file, or none: never half of one. A killed one leaves a file
    ``.{name}.….part`` that nobody reads. OSError naming ``path`` if the disk is full or refuses to be written.
    """
    target = Path(path)
    with naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=PART)
    os.close(descriptor)
    temporary = Path(name)
    with naming(target, temporary):
        try:
            yield temporary
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """As ``replacing``, for a folder: what was at ``path`` is gone once the new one is whole."""
    target = Path(path)
    with naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=PART))
    with naming(target, temporary):
        try:
            yield temporary
            os.chmod(temporary, 0o755)
            remove_folder(target)
            os.rename(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def remove_folder(path: str | Path) -> None:
    """Remove a folder, if there is one: at once for whoever looks for it, though its files go one by one."""
    target = Path(path)
    leaving = target.with_name(f".{target.name}.{uuid.uuid4().hex}{PART}")
    with naming(target):
        try:
            os.rename(target, leaving)
        except FileNotFoundError:
            return
        shutil.rmtree(leaving)


def work_folder(artifact: str | Path) -> str:
    """Where a job keeps what it has finished of ``results/a/b.parquet`` until that is whole: results/.work/a/b."""
    path = Path(artifact)
    return str(Path(path.parts[0], ".work", *path.parts[1:]).with_suffix(""))


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, data: Any) -> None:
    """Write JSON atomically, indented, keys in the order given. NaN and infinity are refused (ValueError)."""
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON artifact; InputError names the file if it is not one."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected a JSON file: {error}") from error


def write_parquet(frame: pl.DataFrame, path: str | Path, provenance: dict[str, Any] | None = None) -> None:
    """Write a frame atomically; ``provenance`` goes into the file's key-value metadata as JSON."""
    metadata = {PROVENANCE_KEY: json.dumps(provenance or {}, sort_keys=True, allow_nan=False)}
    with replacing(path) as temporary:
        frame.write_parquet(temporary, row_group_size=_ROWS_AT_ONCE, metadata=metadata)


def read_provenance(path: str | Path) -> dict[str, Any]:
    """The provenance that ``write_parquet`` stored."""
    found: dict[str, Any] = json.loads(pl.read_parquet_metadata(path).get(PROVENANCE_KEY, "{}"))
    return found


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(path: Path) -> Any:
    """A file's hash, or a folder's names, sizes and dates; nothing for a name on the hub, which has its revision."""
    if path.is_file():
        return sha256(path)
    return [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in sorted(path.glob("*"))]


def write_csv(frame: pl.DataFrame, path: str | Path) -> None:
    """Write a CSV atomically; floats in full (shortest form that reads back the same)."""
    with replacing(path) as temporary:
        frame.write_csv(temporary)


def link_folder(source: Path, target: Path) -> None:
    """Put the files of ``source`` into the new folder ``target``, without a second copy where the disk allows it."""

    def link(old: str, new: str) -> None:
        try:
            os.link(old, new)
        except OSError:  # another disk, or one without hard links
            shutil.copyfile(old, new)

    with replacing_folder(target) as temporary:
        shutil.copytree(source, temporary, copy_function=link, dirs_exist_ok=True)


def write_seconds(path: str | Path, seconds: float) -> None:
    """A row of costs as Snakemake's ``benchmark:`` writes it, for a run that has no job of its own: seconds alone."""
    minutes, rest = divmod(int(seconds), 60)
    write_text(path, f"s\th:m:s\n{seconds:.4f}\t{minutes // 60}:{minutes % 60:02d}:{rest:02d}\n")

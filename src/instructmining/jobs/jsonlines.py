"""Files of JSON lines that only grow: what a job has finished is on disk before its next step."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from instructmining.jobs.disk import naming
from instructmining.jobs.errors import InputError


def append(path: Path, data: bytes) -> None:
    """Append whole lines; they are on disk when this returns. OSError naming the file if the disk refuses it."""
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # one call is one write to the end: a process that is killed leaves whole lines, and at most a torn last one
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _drop_torn_line(descriptor)
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read(path: Path, sound: Callable[[Any], bool], what: str) -> Iterator[Any]:
    """The lines' values, save a torn last one.

    ``sound`` says, or shows by a KeyError or TypeError, whether a value is one of ours. InputError if one is not.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
            if not sound(value):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            if number == len(lines) and not line.endswith(b"\n"):
                return
            raise InputError(f"{path}, line {number}: expected {what}") from None
        yield value


def _drop_torn_line(descriptor: int) -> None:
    """A line without its end is what a killed job was writing: another must not be glued to it."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        whole = os.pread(descriptor, size, 0).rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)

"""What a judge was asked and what it answered: JSON lines under a content key, so that no answer is asked for twice.

One file a job, ``results/answers/{entry}/{dataset}-{shard}.jsonl``, or of a benchmark's judge
``results/answers/benchmarks/{benchmark}/{recipe}.{subset, dots for slashes}.jsonl``, which only ever grows; each answer
is on disk before the next step is taken, so that a killed job loses none. All files of the entry are read. It is no
output of a rule, since Snakemake deletes those, and not under ``.work``, which may be deleted: it was paid for. The
folder may be put beside a paper: whoever has it replays the judge without asking anybody.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.disk import naming
from instructmining.errors import InputError
from instructmining.judge_messages import Message
from instructmining.locks import alone

_log = logging.getLogger(__name__)
# shorter ones are no secrets ("EMPTY", "none"), and would be cut out of ordinary words
_SHORTEST_SECRET = 8

Record = dict[str, Any]


class Request(NamedTuple):
    """One question to a judge. ``asked`` says everything that the answer depends on: its hash is the ``key``."""

    key: str
    example: str
    messages: list[Message]
    asked: dict[str, Any]


def request(example: str, messages: list[Message], settings: Mapping[str, Any]) -> Request:
    """``settings``: backend, model, prompt version, and what else is sent. The key depends on their content alone."""
    asked = {**settings, "messages": messages}
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Request(hashlib.sha256(text.encode()).hexdigest(), example, messages, asked)


class Records:
    """The records of one entry, an indicator's or a benchmark's, and the file of one job among them.

    ``answers``: key -> record with ``answer`` (text) or ``refused`` (why the judge never will). ``unknown``: those of
    requests that came to no answer, with ``error`` and the time, though they may have been billed.
    """

    def __init__(self, entry: str, part: str, root: str | Path = "results") -> None:
        self.file = Path(root) / "answers" / entry / f"{part}.jsonl"
        self.secret = ""
        self.read()

    def read(self) -> None:
        """Read all files of the entry. InputError for a line that is no record, save a torn last one."""
        self.answers: dict[str, Record] = {}
        self.unknown: list[Record] = []
        for file in sorted(self.file.parent.glob("*.jsonl")):
            for record in _records(file):
                self._take(record)

    def _take(self, record: Record) -> None:
        if "error" in record:
            self.unknown.append(record)
        else:
            self.answers.setdefault(record["key"], record)

    def add(self, record: Record) -> None:
        """Append a record; it is on disk when this returns. OSError naming the file if the disk refuses it."""
        # half of a pair of surrogates, which a server may send, becomes its JSON escape
        data = json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        if len(self.secret) >= _SHORTEST_SECRET:
            data = data.replace(json.dumps(self.secret)[1:-1].encode(), b"[key]")
        self._take(json.loads(data))
        with naming(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            # one line is one write to the end: a process that is killed leaves whole lines, and at most a torn last one
            descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                _drop_torn_line(descriptor)
                while data:
                    data = data[os.write(descriptor, data) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One job of the entry at a time, on any machine of the file system: waits for its turn, and reads again then.

        So no question is paid for by two jobs, and limits on money and requests hold for all together. The lock is the
        system's: it ends with the process, however that ends. InputError where the file system has no locks.
        """
        with alone(self.file.parent / ".lock", "another job asks this judge", "two jobs could pay twice"):
            self.read()
            yield


def _records(file: Path) -> Iterator[Record]:
    lines = file.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            if not isinstance(record["key"], str) or not {"answer", "refused", "error"} & set(record):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            if number == len(lines) and not line.endswith(b"\n"):
                return
            raise InputError(f"{file}, line {number}: expected the record of a judge's answer") from None
        yield record


def _drop_torn_line(descriptor: int) -> None:
    """A line without its end is what a killed job was writing: another must not be glued to it."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        whole = os.pread(descriptor, size, 0).rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.jobs.jsonlines import append, read
from instructmining.jobs.locks import alone
from instructmining.judge.messages import Message

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
            for record in read(file, _sound, "the record of a judge's answer"):
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
        append(self.file, data)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One job of the entry at a time, on any machine of the file system: waits for its turn, and reads again then.

        So no question is paid for by two jobs, and limits on money and requests hold for all together. The lock is the
        system's: it ends with the process, however that ends. InputError where the file system has no locks.
        """
        with alone(self.file.parent / ".lock", "another job asks this judge", "two jobs could pay twice"):
            self.read()
            yield


def _sound(record: Any) -> bool:
    return isinstance(record["key"], str) and bool({"answer", "refused", "error"} & set(record))

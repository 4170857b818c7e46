"""What is on record about the jobs that made a study: Snakemake's summary of its files, and its metadata of each.

The metadata are the one place that names every input that a job really had, with its checksum then, its params and its
times. What our own files carry as provenance says what a result depends on, not which files it was read from.
"""

import csv
import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.jobs import paths
from instructmining.jobs.errors import InputError

# of Snakemake's records: the only one whose keys are known here
RECORD_FORMAT = 6
_HEADER = ["output_file", "date", "rule", "log-file(s)", "status", "plan"]
_OK, _REMOVED, _UP_TO_DATE = "ok", "removed temp file", "no update"


class Job(NamedTuple):
    """One job. ``name`` is that of its log, {rule}/{wildcards}, by which its costs are called too.

    ``checksums``: sha256 that inputs had when it ran, for those that Snakemake compares by content. Times: seconds
    since 1970. ``surroundings``: with what it ran, see ``jobs.surroundings``; None if that is not on record.
    """

    name: str
    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    checksums: Mapping[str, str]
    params: tuple[str, ...]
    started: float
    ended: float
    surroundings: str | None = None


def job_name(log: str | Path) -> str:
    """{rule}/{wildcards} of a job, from the path of its log."""
    return str(Path(*Path(log).parts[1:]).with_suffix(""))


def read_summary(path: str | Path) -> tuple[list[str], list[str]]:
    """The study's files, of a table that ``snakemake --summary`` printed: those there, and temporary ones now gone.

    InputError where a file is missing or out of date: what is archived must be what the config makes.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise InputError(f"{path}: expected the table of snakemake --summary: {error}") from error
    if not rows or list(rows[0]) != _HEADER:
        raise InputError(f"{path}: expected the table of snakemake --summary, with columns {', '.join(_HEADER)}")
    unfinished = [row for row in rows if row["status"] not in (_OK, _REMOVED) or row["plan"] != _UP_TO_DATE]
    if unfinished:
        first = unfinished[0]
        raise InputError(
            f"{first['output_file']}: {first['status']}, {first['plan']}: {len(unfinished)} files of the study are not "
            "there, or would be made anew: make run first"
        )
    there, gone = ([row["output_file"] for row in rows if row["status"] == status] for status in (_OK, _REMOVED))
    return there, gone


def read_jobs(outputs: Iterable[str], folder: str | Path = paths.METADATA, gone: Iterable[str] = ()) -> list[Job]:
    """The jobs that made ``outputs``, by name, and those of ``gone`` that these outputs were made from.

    InputError where an output has no record, or one of another format.
    """
    folder = Path(folder)
    records = {output: _read(output, folder) for output in outputs}
    read = {path for record in records.values() for path in record["input"] or []}
    known = [output for output in sorted(read.intersection(gone)) if (folder / _record_name(output, folder)).is_file()]
    records |= {output: _read(output, folder) for output in known}
    found: dict[tuple[str, str], tuple[dict[str, Any], list[str]]] = {}
    for output, record in records.items():
        found.setdefault((_name(record, output), record["rule"]), (record, []))[1].append(output)
    return [_job(name, record, made) for (name, _), (record, made) in sorted(found.items())]


def _read(output: str, folder: Path) -> dict[str, Any]:
    path = folder / _record_name(output, folder)
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{output}: no record of the job that made it in {folder}: {error}") from error
    if record.get("record_format_version") != RECORD_FORMAT:
        raise InputError(
            f"{output}: its record in {folder} has format {record.get('record_format_version')}, expected "
            f"{RECORD_FORMAT}: another version of Snakemake wrote it"
        )
    return record


def _record_name(output: str, folder: Path) -> str:
    """As Snakemake names it: base64 in pieces that a file system takes as names, all but the last with an @."""
    longest = os.pathconf(folder, "PC_NAME_MAX") - 1 if folder.exists() else 254
    code = urlsafe_b64encode(output.encode()).decode()
    pieces = [code[start : start + longest] for start in range(0, len(code), longest)]
    return "/".join([*(f"@{piece}" for piece in pieces[:-1]), pieces[-1]])


def _name(record: Mapping[str, Any], output: str) -> str:
    logs = record["log"] or []
    return job_name(logs[0]) if logs else f"{record['rule']}/{output}"


def _job(name: str, record: Mapping[str, Any], outputs: list[str]) -> Job:
    checksums = {
        path: checksum.removeprefix("sha256:")
        for path, checksum in (record["input_checksums"] or {}).items()
        if checksum.startswith("sha256:")
    }
    params = tuple(str(param) for param in record["params"] or [])
    inputs = tuple(record["input"] or [])
    return Job(name, record["rule"], inputs, tuple(outputs), checksums, params, record["starttime"], record["endtime"])

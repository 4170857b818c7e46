"""With what each job ran, written by the job itself as it begins.

``results/jobs/{rule}/{wildcards}.json``, named like the job's log and its costs, says when it began and names its
surroundings: ``results/surroundings/{sha256}.json``, the software and machine of every job that had the same. Neither
is an input or output of a rule: no job is done again for want of one.
"""

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from instructmining.jobs import paths
from instructmining.jobs.files import read_json, sha256, write_json, write_text
from instructmining.jobs.records import Job, job_name
from instructmining.jobs.software import machine, software

# where the code is that runs; the study is where it is run
_CODE = Path(__file__).resolve().parents[3]
# by which the clock of a node may differ from that of the disk, by which Snakemake tells when a job began
_CLOCKS_DIFFER = 60.0


def record(log: str | Path) -> None:
    """Write down with what the job of ``log`` runs, in the study that is the working folder.

    A log that is not logs/{rule}/{wildcards}.log is no job's: nothing is written. OSError if the disk refuses.
    """
    path = Path(log)
    if path.parts[0] != "logs" or len(path.parts) < 3:
        return
    text = json.dumps({"software": software(_CODE), "machine": machine()}, indent=1) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not _whole(Path(), digest):
        write_text(named(digest), text)
    write_json(of_job(job_name(path)), {"surroundings": digest, "started": round(time.time(), 3)})


def of_job(name: str) -> str:
    """Path of what the job of this name says of itself."""
    return paths.job_record(name)


def named(digest: str) -> str:
    """Path of the surroundings of this name, which is the sha256 of that file."""
    return paths.SURROUNDINGS.format(digest=digest)


def with_surroundings(jobs: Iterable[Job], root: Path) -> list[Job]:
    """The jobs, each with the name of its surroundings and the time it began by its own clock.

    Unchanged are those that have none on record in ``root``: made by a version that wrote none, or what was written is
    not whole, or it is of an earlier time that the job was run.
    """
    return [_with_its_own(job, root) for job in jobs]


def read_surroundings(jobs: Iterable[Job], root: Path) -> dict[str, dict[str, Any]]:
    """``software`` and ``machine`` of the jobs that have them on record, by name."""
    names = sorted({job.surroundings for job in jobs if job.surroundings})
    return {name: read_json(root / named(name)) for name in names}


def _with_its_own(job: Job, root: Path) -> Job:
    try:
        told = json.loads((root / of_job(job.name)).read_text(encoding="utf-8"))
        digest, began = str(told["surroundings"]), float(told["started"])
    except (OSError, ValueError, LookupError, TypeError):  # a machine that lost its power leaves files empty
        return job
    # on a cluster Snakemake may say of a job that it began after its end: then its beginning tells nothing
    earlier = job.started <= job.ended and began < job.started - _CLOCKS_DIFFER
    return job if earlier or not _whole(root, digest) else job._replace(surroundings=digest, started=began)


def _whole(root: Path, digest: str) -> bool:
    path = root / named(digest)
    return path.is_file() and sha256(path) == digest

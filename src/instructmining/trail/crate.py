"""An RO-Crate of a study: its files, the jobs that made them, and with what. Plain JSON-LD (RO-Crate 1.2).

Source: https://w3id.org/ro/crate/1.2. A job is a CreateAction with inputs as objects and outputs as results, as in
Process Run Crate (https://w3id.org/ro/wfrun/process); its instruments are the rule, and the software and machine that
it ran with. What is not in the archive but was an input has an identifier that begins with ``#``, and its checksum
where the file was there.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_json
from instructmining.jobs.records import Job
from instructmining.trail import instruments
from instructmining.trail.instruments import Entity, Surroundings

METADATA_FILE = "ro-crate-metadata.json"
_SPECIFICATION = "https://w3id.org/ro/crate/1.2"
_FORMATS = {
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".tsv": "text/tab-separated-values",
}
PAPERS = {
    "https://arxiv.org/abs/2307.06290": "Instruction Mining: Instruction Data Selection for Tuning Large Language "
    "Models",
    "https://arxiv.org/abs/2410.15225": "Chasing Random: Instruction Selection Strategies Fail to Generalize",
}
_UNKNOWN = "With which software and on which machine it ran is not on record."


class Held(NamedTuple):
    """A file of the archive. ``before``: its sha256 in the study, where absolute paths were made relative."""

    sha256: str
    size: int
    before: str | None = None


class LeftOut(NamedTuple):
    """An input or output of a job that is not in the archive: why, and its sha256 where the file is there."""

    reason: str
    sha256: str | None


class About(NamedTuple):
    """What the study is of, with what it was archived, ``licence`` in words, and when."""

    name: str
    surroundings: Surroundings
    models: Sequence[tuple[str, str]]
    licence: str
    written: datetime


def crate(
    about: About,
    held: Mapping[str, Held],
    left_out: Mapping[str, LeftOut],
    jobs: Sequence[Job],
    surroundings: Mapping[str, Surroundings],
) -> Entity:
    """The content of ``ro-crate-metadata.json``.

    Every input and output of ``jobs`` is in ``held`` or ``left_out``, and what a job's ``surroundings`` names is there.
    """
    rules = sorted({job.rule for job in jobs})
    models = [_model(name, revision) for name, revision in about.models]
    papers = [{"@id": url, "@type": "ScholarlyArticle", "name": title} for url, title in PAPERS.items()]
    used = {name: instruments.references(found) for name, found in surroundings.items()}
    actions = [_action(job, held, used.get(job.surroundings or "")) for job in jobs]
    actions.append(_archiving(about))
    graph = [
        {
            "@id": METADATA_FILE,
            "@type": "CreativeWork",
            "name": "What is in this folder, and how it was made",
            "about": {"@id": "./"},
            "conformsTo": {"@id": _SPECIFICATION},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Instruction selection study {about.name}",
            "description": "Results of an InstructMining study, what they were made from, and by which jobs. "
            "`make verify` of the software computes its tables again from the files it holds.",
            "datePublished": about.written.date().isoformat(),
            "license": {"@id": "#licence"},
            "citation": [_reference(paper) for paper in papers],
            "hasPart": [{"@id": quote(path)} for path in held],
            "mentions": [_reference(entity) for entity in [*actions, *models]],
        },
        {"@id": "#licence", "@type": "CreativeWork", "name": "Licences", "description": about.licence},
        *papers,
        *(_file(path, file) for path, file in held.items()),
        *(_absent(path, file) for path, file in left_out.items()),
        *instruments.entities([about.surroundings, *surroundings.values()]),
        *models,
        *map(_rule, rules),
        *actions,
    ]
    return {"@context": f"{_SPECIFICATION}/context", "@graph": graph}


def read_crate(folder: Path) -> tuple[dict[str, Held], dict[str, tuple[str, ...]]]:
    """Files of a crate, and the inputs that each file's job had, in the crate or not; InputError if it is none."""
    path = folder / METADATA_FILE
    graph = read_json(path)
    try:
        return _read(graph)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path}: expected the RO-Crate of a study: {what}") from error


def names_below(folder: Path) -> set[str]:
    """What lies below ``folder`` and is no folder, links among it, by its path from there."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix() for path in paths}


def _read(graph: Any) -> tuple[dict[str, Held], dict[str, tuple[str, ...]]]:
    entities = {entity["@id"]: entity for entity in graph["@graph"]}
    names = {part["@id"]: entities[part["@id"]].get("name", "") for part in entities["./"]["hasPart"]}
    held = {name: Held(entities[i]["sha256"], int(entities[i]["contentSize"])) for i, name in names.items()}
    inputs: dict[str, tuple[str, ...]] = {}
    for action in (entity for entity in entities.values() if entity["@type"] == "CreateAction"):
        found = tuple(entities[part["@id"]]["name"] for part in _several(action.get("object", [])))
        inputs |= {entities[part["@id"]]["name"]: found for part in _several(action["result"])}
    return held, inputs


def _single(values: list[Entity]) -> Any:
    """One value stands alone, as the specification recommends."""
    return values[0] if len(values) == 1 else values


def _several(value: Any) -> list[Entity]:
    return value if isinstance(value, list) else [value]


def _reference(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _file(path: str, file: Held) -> Entity:
    kind = _FORMATS.get(PurePosixPath(path).suffix)
    return {
        "@id": quote(path),
        "@type": "File",
        "name": path,
        "sha256": file.sha256,
        "contentSize": str(file.size),
        **({"encodingFormat": kind} if kind else {}),
        **({"description": f"Absolute paths made relative; sha256 before: {file.before}"} if file.before else {}),
    }


def _absent(path: str, file: LeftOut) -> Entity:
    checksum = {"sha256": file.sha256} if file.sha256 else {}
    what = f"Not in this archive: {file.reason}"
    return {"@id": _absent_id(path), "@type": "CreativeWork", "name": path, "description": what, **checksum}


def _absent_id(path: str) -> str:
    return f"#left-out/{quote(path)}"


def _rule(rule: str) -> Entity:
    return {"@id": f"#rule/{rule}", "@type": "CreativeWork", "name": f"Snakemake rule {rule}"}


def _action(job: Job, held: Mapping[str, Held], used: Sequence[Entity] | None) -> Entity:
    """``used``: software and machine of the job, if they are on record."""

    def places(paths: Sequence[str]) -> Any:
        return _single([{"@id": quote(path) if path in held else _absent_id(path)} for path in paths])

    told = [] if used else [_UNKNOWN]
    told += [f"Parameters: {'; '.join(job.params)}"] if job.params else []
    return {
        "@id": f"#job/{quote(job.name)}",
        "@type": "CreateAction",
        "name": job.name,
        "instrument": _single([_reference(_rule(job.rule)), *(used or [])]),
        **({"object": places(job.inputs)} if job.inputs else {}),
        "result": places(job.outputs),
        "startTime": _time(job.started),
        "endTime": _time(job.ended),
        **({"description": " ".join(told)} if told else {}),
    }


def _archiving(about: About) -> Entity:
    return {
        "@id": "#archiving",
        "@type": "CreateAction",
        "name": "Writing this archive",
        "instrument": instruments.references(about.surroundings),
        "object": {"@id": "./"},
        "result": {"@id": METADATA_FILE},
        "endTime": about.written.isoformat(timespec="seconds"),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _model(name: str, revision: str) -> Entity:
    return {
        "@id": f"#model/{quote(name)}@{quote(revision)}",
        "@type": "CreativeWork",
        "name": name,
        "version": revision,
    }

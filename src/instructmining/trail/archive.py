"""One folder or zip of a whole study, as an RO-Crate: what a paper attaches, and ``trail.verify`` checks.

    python -m instructmining.trail.archive --config config/config.yaml --summary summary.tsv --archive study.zip

``summary.tsv`` is what ``snakemake --summary`` prints: which files are the study's. Their inputs are in Snakemake's
records of the jobs. In: everything that is numbers, names and words about them. Left out, with their checksums, unless
asked for: texts of datasets, and weights; always: packages, prepared models, embeddings (all made again from the
config). Nothing private: absolute paths are made relative, and what is still found ends the program.
"""

import argparse
import logging
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from instructmining.config.loading import checked_config
from instructmining.costs import jobs as costs
from instructmining.jobs import paths
from instructmining.jobs.errors import InputError
from instructmining.jobs.files import PART, read_json, remove_folder, sha256, write_json, write_text
from instructmining.jobs.records import Job, read_jobs, read_summary
from instructmining.jobs.software import LOCK, machine, software
from instructmining.jobs.surroundings import named, of_job, read_surroundings, with_surroundings
from instructmining.trail import crate, private
from instructmining.trail.crate import About, Held, LeftOut

CONFIG, README, REPORT, CITATION = "config.json", "README.md", paths.REPORT, "CITATION.cff"
TEXTS, WEIGHTS = "texts", "weights"
# what a file is left out for: asked for by name, or never in
_LEFT_OUT = {
    TEXTS: r"results/datasets/[^/]+/(?:examples\.parquet|rejected\.jsonl)|results/runs/.+/subset\.(?:parquet|jsonl)",
    WEIGHTS: r"results/runs/.+/model",
    "a package, named by version and sha256 in the config": r"results/packages/.+",
    "a base model, named by its revision in the config": r"results/models/.+",
    "vectors, made again from the texts": r"results/embeddings/.+",
    "runs in one folder, taken into their own": r"results/batches/.+",
}
_REASONS = {TEXTS: "texts of a dataset", WEIGHTS: "weights of a model"}
# rule -> where what its judge cost is written
_BILLS = {"score": "judge", "evaluate_pairwise": "judge_pairs"}
_README = """# {name}

A study made with InstructMining {version}, as an RO-Crate: `ro-crate-metadata.json` says what each file is, which job
made it from which files, and with what software. `config.json` is the study's configuration, with every default.

With a checkout of the software and its environment, `make verify ARCHIVE=<this folder or zip>` checks every checksum
and computes the tables again from the files here. What is not here, and why, is in `ro-crate-metadata.json` too.

Datasets and models have licences of their own: {licence}
"""
_log = logging.getLogger(__name__)


def left_out(path: str, wanted: Collection[str]) -> str | None:
    """Why a file of the study is not in the archive; None if it is."""
    for kind, pattern in _LEFT_OUT.items():
        if re.fullmatch(pattern, path):
            return None if kind in wanted else _REASONS.get(kind, kind)
    return None


def beside(config: Mapping[str, Any], jobs: Sequence[Job], root: Path) -> list[str]:
    """Files that no rule has as an output: costs, with what each job ran, what a judge answered, what a prepared model
    is, the report."""
    measured = [job.name for job in jobs]
    measured += [job for name in config["comparisons"] for job in costs.comparison_jobs(dict(config), name)]
    found = [paths.cost(job) for job in measured]
    for job in measured:
        rule, _, rest = job.partition("/")
        found += [f"{paths.COSTS}/{_BILLS[rule]}/{rest}.json"] if rule in _BILLS else []
    found += [path for job in jobs if job.surroundings for path in (of_job(job.name), named(job.surroundings))]
    found += [paths.MODEL_RECORD.format(model=name) for name in config["models"]]
    judges = [name for name, settings in config["indicators"].items() if settings["scorer"] == "judge"]
    judges += [
        f"benchmarks/{name}" for name, settings in config["benchmarks"].items() if settings["kind"] == "pairwise"
    ]
    for judge in judges:
        answers = sorted((root / paths.ALL_ANSWERS / judge).glob("*.jsonl"))
        found += [path.relative_to(root).as_posix() for path in answers]
    return [path for path in dict.fromkeys([*found, REPORT, LOCK, CITATION]) if (root / path).is_file()]


def archive(
    root: Path,
    configs: Sequence[Path],
    summary: Path,
    target: Path,
    wanted: Collection[str],
    allowed: Collection[str],
) -> dict[str, Held]:
    """Write the archive of the study in ``root`` to ``target``: a zip if its name ends so, else a folder.

    ``wanted``: of ``TEXTS`` and ``WEIGHTS``. Returns what it holds. InputError if the study is not finished, if a file
    was made from another one than is there now, if a file holds something private that ``allowed`` does not name, or if
    ``target`` is something that an archive must not replace.
    """
    _refuse_target(target)
    config = checked_config(configs)
    outputs, gone = read_summary(summary)
    if not (root / REPORT).is_file():
        raise InputError(f"{REPORT}: not there: make run writes it once everything else is made")
    jobs = with_surroundings(read_jobs(outputs, root / ".snakemake/metadata", gone), root)
    if unknown := sum(job.surroundings is None for job in jobs):
        _log.warning("%d of %d jobs have not on record with which software and machine they ran", unknown, len(jobs))
    chosen = [path for path in outputs if left_out(path, wanted) is None] + beside(config, jobs, root)
    places = private.Places(root, private.config_paths(config))
    mentioned = dict.fromkeys(path for job in jobs for path in (*job.inputs, *job.outputs))
    named = sorted({file for path in chosen for file in _files(root, path)})
    checksums = _checked(jobs, root)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=PART) as work:
        folder = Path(work) / "study"
        for path in named:
            private.copy_without_places(root / path, folder / path, places)
        write_json(folder / CONFIG, _told(config, places))
        about = _about("-".join(path.stem for path in configs), config, root)
        version = about.surroundings["software"]["version"]
        write_text(folder / README, _README.format(name=about.name, licence=about.licence, version=version))
        before = {path: checksums.get(path) or sha256(root / path) for path in named}
        held = {path: _held(folder / path, before.get(path)) for path in sorted([*named, CONFIG, README])}
        absent = {path: _absent(path, root, wanted, checksums) for path in mentioned if path not in held}
        made = [_relative(_with_its_own(job, held), places) for job in jobs]
        absent = {places.relative(path): told for path, told in absent.items()}
        write_json(folder / crate.METADATA_FILE, crate.crate(about, held, absent, made, read_surroundings(jobs, root)))
        secrets = private.this_machine(root, private.key_variables(config))
        for path in [*held, crate.METADATA_FILE]:
            private.refuse(folder / path, path, secrets, allowed)
        _put(folder, target)
    return held


def _refuse_target(target: Path) -> None:
    """InputError if nothing can be written there, or if a folder there holds more than an archive: it would be lost."""
    if not target.parent.is_dir():
        raise InputError(f"{target}: there is no folder {target.parent}")
    if target.suffix == ".zip":
        if target.is_dir():
            raise InputError(f"{target}: is a folder; expected the name of a zip")
        return
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: is a file; expected the name of a folder, or one that ends with .zip")
    old = (target / crate.METADATA_FILE).is_file()
    archived = {crate.METADATA_FILE, *crate.read_crate(target)[0]} if old else set()
    if others := crate.names_below(target) - archived:
        raise InputError(
            f"{target}: holds {min(others)}, which is of no archive and would be lost: name a new folder, or one with "
            "an older archive and nothing else"
        )


def _files(root: Path, path: str) -> list[str]:
    place = root / path
    found = [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else [place]
    return [file.relative_to(root).as_posix() for file in found if file.name != ".snakemake_timestamp"]


def _checked(jobs: Iterable[Job], root: Path) -> dict[str, str]:
    """sha256 of every input that Snakemake compares by content; InputError where it is not what a job read."""
    found: dict[str, str] = {}
    for job in jobs:
        for path, recorded in job.checksums.items():
            if not (root / path).is_file():
                continue
            if path not in found:
                found[path] = sha256(root / path)
            if found[path] != recorded:
                raise InputError(
                    f"{job.outputs[0]}: made from a {path} with sha256 {recorded[:12]}…, and that file has "
                    f"{found[path][:12]}… now: make run first"
                )
    return found


def _held(path: Path, before: str | None) -> Held:
    now = sha256(path)
    return Held(now, path.stat().st_size, before if before not in (None, now) else None)


def _absent(path: str, root: Path, wanted: Collection[str], checksums: Mapping[str, str]) -> LeftOut:
    reason = left_out(path, wanted) or ("as one: it is a folder" if (root / path).is_dir() else "a source of the study")
    known = checksums.get(path)
    return LeftOut(reason, known or (sha256(root / path) if (root / path).is_file() else None))


def _with_its_own(job: Job, held: Mapping[str, Held]) -> Job:
    """The job with what it measured and told of itself among its outputs."""
    own = [path for path in (paths.cost(job.name), of_job(job.name)) if path in held]
    return job._replace(outputs=tuple(dict.fromkeys([*job.outputs, *own])))


def _relative(job: Job, places: private.Places) -> Job:
    inputs, outputs, params = (tuple(map(places.relative, texts)) for texts in (job.inputs, job.outputs, job.params))
    return job._replace(inputs=inputs, outputs=outputs, params=params)


def _told(config: dict[str, Any], places: private.Places) -> Any:
    """The config, its absolute paths made relative."""

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: told(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [told(inner) for inner in value]
        return places.relative(value) if isinstance(value, str) else value

    return told(config)


def _about(name: str, config: Mapping[str, Any], root: Path) -> About:
    files = [root / paths.DATASET_SUMMARY.format(dataset=dataset) for dataset in config["datasets"]]
    licences = [
        f"{summary['dataset']}: {summary['licence'] or 'unknown'}"
        for summary in map(read_json, filter(Path.is_file, files))
    ]
    told = f"{'; '.join(licences)}." if licences else "none is known."
    users = [*config["recipes"].values(), *config["indicators"].values(), *config["embeddings"].values()]
    used = {_model(config, entry) for entry in users if {"model", "revision"} <= set(entry)}
    here = {"software": software(root), "machine": machine()}
    return About(name, here, sorted(used), told, datetime.now(UTC))


def _model(config: Mapping[str, Any], entry: Mapping[str, str]) -> tuple[str, str]:
    """Name and revision: a package's version, ``local`` for a folder, a commit on the hub, or ``unpinned``."""
    name, source = entry["model"], config["models"].get(entry["model"])
    if source:
        return name, f"{source['package']}=={source['version']}" if source.get("package") else "local"
    if Path(name).exists():
        return Path(name).name, "local"
    return name, "unpinned" if entry["revision"] == "main" else entry["revision"]


def _put(folder: Path, target: Path) -> None:
    if target.suffix != ".zip":
        remove_folder(target)
        folder.rename(target)
        return
    packed = folder.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as written:
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            written.write(path, path.relative_to(folder).as_posix())
    shutil.move(packed, target)


def main() -> None:
    parser = argparse.ArgumentParser(description="One folder or zip of a whole study, as an RO-Crate.")
    parser.add_argument("--config", type=Path, nargs="+", required=True, help="the study's config files")
    parser.add_argument("--summary", type=Path, required=True, help="what snakemake --summary printed")
    parser.add_argument("--archive", type=Path, required=True, help="a new folder, or a file that ends with .zip")
    parser.add_argument("--with", nargs="*", dest="wanted", choices=[TEXTS, WEIGHTS], default=[])
    parser.add_argument("--allow", nargs="*", default=[], help="texts that look private and are public")
    given = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    # one text with spaces, or several texts: make gives them as one
    allowed = {*given.allow, *(word for text in given.allow for word in text.split())}
    try:
        held = archive(Path.cwd(), given.config, given.summary, given.archive.absolute(), given.wanted, allowed)
    except InputError as error:
        sys.exit(f"error: {error}")
    size = sum(file.size for file in held.values()) / 1e6
    told = f", sha256 {sha256(given.archive)}" if given.archive.is_file() else ""
    print(f"{given.archive}: {len(held)} files, {size:.1f} MB{told}")


if __name__ == "__main__":
    main()

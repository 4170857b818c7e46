"""Check an archive of a study: every checksum, and every result that its files are enough to compute again.

    python -m instructmining.trail.verify --archive study.zip

No model is loaded and nothing is fetched. One line a difference, and a status that is not 0 where there is one.
"""

import argparse
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from polars.exceptions import PolarsError

from instructmining.errors import InputError
from instructmining.files import read_json, sha256
from instructmining.trail.archive import CONFIG
from instructmining.trail.crate import METADATA_FILE, Held, read_crate
from instructmining.trail.differences import Difference
from instructmining.trail.recompute import Study, indicators, losses, quality_rules, rankings, searches, subsets
from instructmining.trail.recompute_tables import (
    ablations,
    agreements,
    compared_subsets,
    comparisons,
    cost_parts,
    losses_by_dataset,
    overlaps,
)
from instructmining.trail.surroundings import named

_UNUSABLE = (ArithmeticError, LookupError, OSError, PolarsError, TypeError, ValueError)


def job_surroundings(study: Study) -> Iterator[Difference]:
    """With what the jobs ran: what one of them names is there, and has the content that its name says."""
    for file in study.below("surroundings", ".json"):
        if file != named(found := sha256(study.folder / file)):
            yield Difference(file, "the content that it is named by", f"sha256 {found[:16]}…")
    for file in study.below("jobs", ".json"):
        if (path := named(read_json(study.folder / file)["surroundings"])) not in study.files:
            yield Difference(file, "surroundings that are there", path)


# in the order the data flow
ALL = (
    *(losses, indicators, quality_rules, rankings, searches, subsets, comparisons, overlaps, agreements, cost_parts),
    *(compared_subsets, ablations, losses_by_dataset, job_surroundings),
)


@contextmanager
def opened(archive: Path) -> Iterator[Path]:
    """The folder of an archive, unpacked for the time being if it is a zip."""
    if archive.is_dir():
        yield archive
        return
    if not zipfile.is_zipfile(archive):
        raise InputError(f"{archive}: expected the folder or the zip of a study")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
        yield Path(folder)


def checksums(folder: Path, held: Mapping[str, Held]) -> Iterator[Difference]:
    """Files that are missing, that the crate does not name, or whose bytes are not those it names."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {METADATA_FILE}
    for name in sorted(there | set(held)):
        if name not in there:
            yield Difference(name, "a file", "none")
        elif name not in held:
            yield Difference(name, "no such file", "one")
        elif (found := sha256(folder / name)) != held[name].sha256:
            yield Difference(name, f"sha256 {held[name].sha256[:16]}…", f"{found[:16]}…")


def verify(folder: Path) -> tuple[list[Difference], Study]:
    """All differences, and the study with what was computed again. InputError if ``folder`` holds no archive."""
    held, inputs = read_crate(folder)
    found = list(checksums(folder, held))
    files = frozenset(name for name in held if (folder / name).is_file())
    if CONFIG not in files:
        return found, Study(folder, {}, files, inputs, set())
    study = Study(folder, read_json(folder / CONFIG), files, inputs, set())
    for compute in ALL:
        try:
            for difference in compute(study):
                found.append(difference)
        except _UNUSABLE as error:
            # a file that was changed may be no input at all to the function that made the result
            what = f"{type(error).__name__}: {error}".splitlines()[0].replace(f"{folder}/", "")
            found.append(Difference(compute.__name__, "results that can be computed again", what))
    return found, study


def told(study: Study) -> str:
    """How many files were computed again, and of which kinds only the checksums were looked at."""
    rest = Counter("/".join(name.split("/")[:2]) for name in study.files - study.computed)
    kinds = ", ".join(f"{count} of {kind}" for kind, count in sorted(rest.items()))
    return f"{len(study.files)} checksums; {len(study.computed)} results computed again; by checksum alone: {kinds}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Check an archive of a study.")
    parser.add_argument("--archive", type=Path, required=True, help="the folder or the zip")
    given = parser.parse_args()
    try:
        with opened(given.archive) as folder:
            found, study = verify(folder)
    except InputError as error:
        sys.exit(f"error: {error}")
    print(told(study))
    for difference in found:
        print(difference)
    sys.exit(f"{len(found)} differences" if found else 0)


if __name__ == "__main__":
    main()

"""Check an archive of a study: every checksum, and every result that its files are enough to compute again.

    python -m instructmining.trail.verify --archive study.zip

No model is loaded and nothing is fetched. One line a difference, and a status that is not 0 where there is one.
"""

import argparse
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_json, sha256
from instructmining.jobs.surroundings import named
from instructmining.trail.archive import CONFIG
from instructmining.trail.crate import METADATA_FILE, Held, names_below, read_crate
from instructmining.trail.differences import Difference
from instructmining.trail.recompute import UNKNOWN, recompute, why_by_checksum
from instructmining.trail.study import Study


class Checked(NamedTuple):
    """All differences; of the files those that were computed again, and why the others were not, or not wholly."""

    differences: list[Difference]
    files: frozenset[str]
    computed: set[str]
    left: dict[str, str]


@contextmanager
def opened(archive: Path) -> Iterator[Path]:
    """The folder of an archive, unpacked for the time being if it is a zip."""
    if archive.is_dir():
        yield archive
        return
    if not zipfile.is_zipfile(archive):
        raise InputError(f"{archive}: expected the folder or the zip of a study")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
        # damaged, with a password (RuntimeError), packed in a way that is not known here, or no room for it
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise InputError(f"{archive}: cannot be unpacked: {error}") from error
        try:
            yield Path(folder)
        except InputError as error:
            raise InputError(str(error).replace(folder, str(archive))) from error


def checksums(folder: Path, held: Mapping[str, Held]) -> Iterator[Difference]:
    """Files that are missing, that the crate does not name, or whose bytes or size are not those it names."""
    there = names_below(folder) - {METADATA_FILE}
    for name in sorted(there | set(held)):
        path = folder / name
        if name not in held:
            yield Difference(name, "no such file", "one" if path.is_file() else "a link")
        elif name not in there or not path.is_file():
            yield Difference(name, "a file", "none")
        elif (found := sha256(path)) != held[name].sha256:
            yield Difference(name, f"sha256 {held[name].sha256[:16]}…", f"{found[:16]}…")
        elif (size := path.stat().st_size) != held[name].size:
            yield Difference(METADATA_FILE, f"contentSize {size} of {name}", str(held[name].size))


def job_surroundings(folder: Path, files: Collection[str]) -> Iterator[Difference]:
    """With what the jobs ran: what one of them names is there, and has the content that its name says."""
    for file in sorted(name for name in files if name.startswith("results/surroundings/")):
        if file != named(found := sha256(folder / file)):
            yield Difference(file, "the content that it is named by", f"sha256 {found[:16]}…")
    for file in sorted(name for name in files if name.startswith("results/jobs/")):
        try:
            path = named(read_json(folder / file)["surroundings"])
        except (LookupError, TypeError, ValueError) as error:
            yield Difference(file, "the name of surroundings", f"{type(error).__name__}: {error}".splitlines()[0])
            continue
        if path not in files:
            yield Difference(file, "surroundings that are there", path)


def verify(folder: Path) -> Checked:
    """InputError if ``folder`` holds no archive."""
    held, inputs = read_crate(folder)
    differences = list(checksums(folder, held))
    files = frozenset(name for name in held if (folder / name).is_file())
    differences += job_surroundings(folder, files)
    if CONFIG not in files:
        return Checked(differences, files, set(), dict.fromkeys(files, f"needs {CONFIG}: not in the archive"))
    found = recompute(Study(folder, read_json(folder / CONFIG), files, inputs))
    return Checked([*differences, *found.differences], files, found.computed, found.left)


def told(checked: Checked) -> Iterator[str]:
    """How many files were computed again; by name those that could have been; of the rest how many, and why not."""
    yield f"{len(checked.files)} checksums; {len(checked.computed)} results computed again"
    rest = Counter[str]()
    for file, why in sorted(checked.left.items()):
        if file in checked.computed:
            yield f"computed again in part: {file}: {why}"
        elif why == why_by_checksum(file) != UNKNOWN:
            rest[f"{'/'.join(file.split('/')[:2])} ({why})"] += 1
        else:
            yield f"not computed again: {file}: {why}"
    if rest:
        yield f"by checksum alone: {', '.join(f'{count} of {kind}' for kind, count in sorted(rest.items()))}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Check an archive of a study.")
    parser.add_argument("--archive", type=Path, required=True, help="the folder or the zip")
    given = parser.parse_args()
    try:
        with opened(given.archive) as folder:
            checked = verify(folder)
    except InputError as error:
        sys.exit(f"error: {error}")
    for line in (*told(checked), *checked.differences):
        print(line)
    sys.exit(f"{len(checked.differences)} differences" if checked.differences else 0)


if __name__ == "__main__":
    main()

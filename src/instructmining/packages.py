"""Package archives from a Python package index: fetching one by its hash, opening a file inside it."""

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from instructmining import files
from instructmining.errors import InputError


def fetch_package(name: str, version: str, sha256: str, archive_kind: str, target: str | Path) -> None:
    """Download one archive (``archive_kind`` is ``wheel`` or ``sdist``) with pip and move it to ``target``.

    pip runs code of a source archive to learn its metadata and offers no way round it; it is given the hash
    because it then checks the file before that. Raises InputError if pip fails or the hash differs.
    """
    what, target = f"{name}=={version}", Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".fetch-") as folder:
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


@contextmanager
def open_member(archive: str | Path, file: str) -> Iterator[IO[bytes]]:
    """Open a file inside a wheel (zip), or a source archive (tar), there named without its top folder.

    Raises InputError if the archive is neither, or has no such file.
    """
    missing = InputError(f"{archive}: no file {file!r} in this archive")
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            if file not in wheel.namelist():
                raise missing
            with wheel.open(file) as member:
                yield member
        return
    if not tarfile.is_tarfile(archive):
        raise InputError(f"{archive}: expected a wheel (zip) or a source archive (tar)")
    with tarfile.open(archive) as sdist:
        found = next((m for m in sdist if m.isfile() and m.name.partition("/")[2] == file), None)
        stream = sdist.extractfile(found) if found else None
        if stream is None:
            raise missing
        with stream:
            yield stream

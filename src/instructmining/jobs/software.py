"""With what something is made: the code, the packages, the machine. Nothing that names a person or a host.

Every job of a study asks for this when it begins, so it takes hundredths of a second, and nothing here fails for want
of git, of a lock or of a GPU's tools.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from instructmining.jobs.files import sha256

LOCK = "requirements.lock"
_SOURCES = ("Snakefile", "rules", "src", "workflow", "profiles", "envs")
# a tool that hangs on a broken GPU, or git on a file system that is gone, must not hold up a job for ever
_SECONDS = 20
_COMMIT = "# branch.oid "
_DRIVER = Path("/proc/driver/nvidia/gpus")


def software(root: Path) -> dict[str, Any]:
    """Version, git ``commit`` and whether what runs differs from it (``dirty``; both null outside a checkout),
    ``sources``: a digest of the code itself; Python, and the installed versions of what the locks pin."""
    commit, dirty = _checkout(root)
    return {
        "version": version_here(root),
        "commit": commit,
        "dirty": dirty,
        "sources": digest(root),
        "python": platform.python_version(),
        "packages": installed(root),
    }


def version_here(root: Path) -> str | None:
    """The version that pyproject.toml says, since the package runs from its checkout; None where there is none."""
    project = root / "pyproject.toml"
    lines = project.read_text(encoding="utf-8").splitlines() if project.is_file() else []
    return next((line.partition("=")[2].strip(' "') for line in lines if line.startswith("version")), None)


def digest(root: Path) -> str:
    """sha256 over names and contents of the files that the workflow is made of."""
    lines = []
    for path in sorted(path for name in _SOURCES for path in _files(root / name)):
        try:
            lines.append(f"{sha256(path)}  {path.relative_to(root).as_posix()}\n")
        except FileNotFoundError:  # what an editor writes beside a file, and takes away again
            continue
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def machine() -> dict[str, Any]:
    """Processor, cores, memory in GiB, GPUs (model: how many) and system of this machine.

    Whole GiB, since machines bought as one kind differ by some MiB.
    """
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages * page / 2**30),
        "gpus": _gpus(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def installed(root: Path) -> dict[str, str]:
    """Installed versions of the packages that the locks pin.

    From the names of the folders {name}-{version}.dist-info: to read the metadata within takes ten times as long.
    """
    found: dict[str, str] = {}
    for place in (path for path in sys.path if os.path.isdir(path)):
        for entry in os.listdir(place):
            stem, ending = os.path.splitext(entry)
            if ending in (".dist-info", ".egg-info") and "-" in stem:
                name, version = stem.split("-")[:2]
                found.setdefault(_normalised(name), version)
    return {name: found[_normalised(name)] for name in _locked(root) if _normalised(name) in found}


def _locked(root: Path) -> Iterator[str]:
    for lock in (path for path in (root / LOCK, *sorted((root / "envs").glob("*.lock"))) if path.is_file()):
        for line in lock.read_text(encoding="utf-8").splitlines():
            if "==" in line and not line.startswith("#"):
                yield line.partition("==")[0].partition("[")[0].strip()


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(place: Path) -> list[Path]:
    found = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and ".egg-info" not in str(path)]


def _processor() -> str | None:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), None)
    except OSError:
        return None


def _gpus() -> dict[str, int]:
    if _DRIVER.is_dir():  # at once; nvidia-smi starts every GPU that sleeps
        told = [line for path in _DRIVER.glob("*/information") for line in path.read_text().splitlines()]
        names = [line.partition(":")[2].strip() for line in told if line.startswith("Model:")]
    else:
        names = (_output(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]) or "").splitlines()
    return dict(sorted(Counter(names).items()))


def _checkout(root: Path) -> tuple[str | None, bool | None]:
    """Commit, and whether the sources differ from it; nulls without git, or where ``root`` is no checkout's top."""
    if not (root / ".git").exists():
        return None, None
    # no lock: the index is the user's, who may be committing
    command = ["git", "-C", str(root), "--no-optional-locks", "-c", "core.fsmonitor=false", "status"]
    told = _output([*command, "--porcelain=v2", "--branch", "--untracked-files=normal", "--", *_SOURCES])
    lines = (told or "").splitlines()
    commit = next((line.removeprefix(_COMMIT) for line in lines if line.startswith(_COMMIT)), None)
    if commit is None or commit == "(initial)":
        return None, None
    return commit, any(not line.startswith("# ") for line in lines)


def _output(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

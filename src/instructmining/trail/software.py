"""With what a study is made: the code, the packages, the machine. Nothing that names a person or a host."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from instructmining.files import sha256

LOCK = "requirements.lock"
_SOURCES = ("Snakefile", "rules", "src", "workflow", "profiles", "envs")


def software(root: Path) -> dict[str, Any]:
    """Version, git ``commit`` and whether what runs differs from it (``dirty``; both null outside a checkout),
    ``sources``: a digest of the code itself; Python, and the installed versions of what the lock pins."""
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", *_SOURCES)
    return {
        "version": version_here(root),
        "commit": commit,
        "dirty": None if commit is None or changed is None else bool(changed),
        "sources": digest(root),
        "python": platform.python_version(),
        "packages": _installed(root / LOCK),
    }


def version_here(root: Path) -> str:
    """The version that pyproject.toml says: the package runs from its checkout."""
    lines = (root / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    return next(line.partition("=")[2].strip(' "') for line in lines if line.startswith("version"))


def digest(root: Path) -> str:
    """sha256 over names and contents of the files that the workflow is made of."""
    files = [path for name in _SOURCES for path in _files(root / name)]
    lines = [f"{sha256(path)}  {path.relative_to(root).as_posix()}\n" for path in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def machine() -> dict[str, Any]:
    """Cores, memory in GiB, GPUs, system and Python of this machine."""
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(pages * page / 2**30, 1),
        "gpus": _output(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _files(place: Path) -> list[Path]:
    found = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and ".egg-info" not in str(path)]


def _installed(lock: Path) -> dict[str, str]:
    names = [line.partition("==")[0].partition("[")[0] for line in lock.read_text().splitlines() if "==" in line]
    found = {}
    for name in (name.strip() for name in names if not name.startswith("#")):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git(root: Path, *arguments: str) -> str | None:
    """What git answers; None without git, or where ``root`` is not the top of a checkout."""
    top = _output(["git", "-C", str(root), "rev-parse", "--show-toplevel"])
    if top is None or Path(top).resolve() != root.resolve():
        return None
    return _output(["git", "-C", str(root), *arguments])


def _output(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip().replace("\n", "; ")

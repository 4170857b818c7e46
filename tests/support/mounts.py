"""File systems that are small or cannot be written, for tests of what a full disk does."""

import errno
import subprocess
from pathlib import Path

import pytest


def mount(folder: Path, *options: str) -> None:
    """Mount something on ``folder``; skips the test where that is not allowed."""
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting needs root and the right to mount: {done.stderr.strip()}")


def small_tmpfs(folder: Path, size: str) -> None:
    """A tmpfs of ``size`` (as in 1m) on ``folder``."""
    mount(folder, "-t", "tmpfs", "-o", f"size={size}", "none")


def unmount(folder: Path) -> None:
    # lazily: a process of the test may still be ending
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write a file until the file system is full; removing it makes room again."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            assert error.errno == errno.ENOSPC
    return path

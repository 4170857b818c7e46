"""One job at a time, over all machines of a file system."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from instructmining.jobs.disk import naming
from instructmining.jobs.errors import InputError

_SECONDS_BETWEEN_TRIES = 1.0
_log = logging.getLogger(__name__)


@contextmanager
def alone(path: str | Path, who: str, without: str | None = None) -> Iterator[None]:
    """Hold the lock file ``path``; while another process holds it, wait, and log that ``who`` is waited for.

    The lock is the system's: it ends with its process, however that ends. Where the file system has none: InputError
    with ``without``, what could go wrong then; a line in the log if that is None.
    """
    target, said = Path(path), False
    while True:
        with _opened(target) as lock:
            if _taken(lock.fileno(), target, without) and _is_still(target, lock.fileno()):
                yield
                return
        if not said:
            _log.info("%s: waiting for it to end", who)
        said = True
        time.sleep(_SECONDS_BETWEEN_TRIES)


def _opened(path: Path) -> TextIO:
    """Who held the lock may remove its folder at any time, also between making it and opening the file in it."""
    with naming(path):
        while True:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                return open(path, "w", encoding="utf-8")


def _taken(descriptor: int, path: Path, without: str | None) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if without is not None:
            raise InputError(f"{path.parent}: its file system has no locks ({error}): {without}") from None
        _log.warning("%s: its file system has no locks (%s)", path.parent, error)
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the file is still there: who held it may have removed its folder."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False

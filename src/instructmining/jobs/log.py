"""What a job tells its user: a log file while it runs, one clear line when its input is bad."""

import io
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from instructmining.jobs import disk
from instructmining.jobs.errors import InputError

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
_log = logging.getLogger("instructmining")


@contextmanager
def job_log(path: str | Path, threads: int | None = None) -> Iterator[None]:
    """Send stdout, stderr and logging of this process (and its children) into ``path``.

    With what the job runs is put on record, if ``path`` is a job's log in a study: see ``jobs.surroundings``.

    ``threads`` bounds the numeric libraries that are imported inside the block: two jobs that each take all cores
    are several times slower than two that take one each.

    An InputError, and a disk that is full or refuses to be written, end the process with status 1 and one line on the
    real stderr; any other exception leaves its traceback in the log and one line on the real stderr. A terminated
    process unwinds first, so that it leaves no temporary files and no children; so does one whose parent is gone.
    """
    _end_in_order()
    if threads is not None:
        os.environ.update({name: str(threads) for name in _THREAD_VARIABLES})
    # bars are for terminals; in a log file they are one endless line
    os.environ["TQDM_DISABLE"] = "1"
    terminal = os.fdopen(os.dup(2), "w")
    with _opened(path) as log:
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.INFO,
            format="%(asctime)s %(message)s",
            datefmt="%H:%M:%S",
            force=True,
        )
        for noisy in ("httpx", "httpx2", "filelock", "fsspec", "urllib3"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        try:
            # not above: it imports numeric libraries, which read their threads now
            from instructmining.jobs.surroundings import record

            record(path)
            yield
        except InputError as error:
            message, details = f"error: {error}", ""
        except Exception as error:
            refused = disk.refusal(error)
            what = disk.told(refused) if refused else f"{type(error).__name__}: {error}"
            named = refused is not None and refused.filename is not None
            message = f"error: {what}" if named else f"error: {what} (traceback in {path})"
            details = "" if named else traceback.format_exc()
        else:
            return
        print(message, file=terminal, flush=True)
        try:
            print(details + message, file=sys.stderr, flush=True)
        except OSError:  # the log lies on the disk that is full: what is still in its buffers goes nowhere
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        sys.exit(1)


def _opened(path: str | Path) -> TextIO:
    try:
        with disk.naming(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            return open(path, "w", buffering=1, encoding="utf-8")
    except OSError as error:
        refused = disk.refusal(error)
        sys.exit(f"error: {disk.told(refused) if refused else error}")


def _end_in_order() -> None:
    """Unwind when terminated, and when the parent is gone.

    A job whose Snakemake was killed would go on beside the next run's job for the same files. On a cluster its parent
    is on its own node, and lives.
    """

    def end(*_: Any) -> None:
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    end_with_parent()


def end_with_parent() -> None:
    """Terminate this process about a second after the one that started it has ended, however that ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def progress(total: int, what: str, every: float = 5.0) -> Callable[[int], None]:
    """Return ``advance(n)``: call it after every ``n`` finished items; it logs how many, how fast,
    how long still.

    A line appears with the first items, then at most every ``every`` seconds, and at the end.
    """
    start = time.monotonic()
    done, shown = 0, -every

    def advance(n: int) -> None:
        nonlocal done, shown
        if not n:
            return
        done += n
        seconds = time.monotonic() - start
        if seconds - shown < every and done < total:
            return
        shown = seconds
        rate = done / max(seconds, 1e-9)
        _log.info("%d of %d %s, %.1f a second, %.0f s left", done, total, what, rate, (total - done) / rate)

    return advance

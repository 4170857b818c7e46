"""What a job tells its user: a log file while it runs, one clear line when its input is bad."""

import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from instructmining.errors import InputError

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
_log = logging.getLogger("instructmining")


@contextmanager
def job_log(path: str | Path, threads: int | None = None) -> Iterator[None]:
    """Send stdout, stderr and logging of this process (and its children) into ``path``.

    ``threads`` bounds the numeric libraries that are imported inside the block: two jobs that each take all cores
    are several times slower than two that take one each.

    An InputError ends the process with status 1 and its one line on the real stderr; any other exception
    leaves its traceback in the log and one line on the real stderr.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if threads is not None:
        os.environ.update({name: str(threads) for name in _THREAD_VARIABLES})
    # bars are for terminals; in a log file they are one endless line
    os.environ["TQDM_DISABLE"] = "1"
    terminal = os.fdopen(os.dup(2), "w")
    with open(path, "w", buffering=1, encoding="utf-8") as log:
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
        for noisy in ("httpx", "filelock", "fsspec", "urllib3"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        try:
            yield
        except InputError as error:
            message = f"error: {error}"
        except Exception as error:
            traceback.print_exc()
            message = f"error: {type(error).__name__}: {error} (traceback in {path})"
        else:
            return
        print(message, file=sys.stderr, flush=True)
        print(message, file=terminal, flush=True)
        sys.exit(1)


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

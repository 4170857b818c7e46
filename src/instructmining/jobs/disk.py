"""Disks that are full or refuse to be written: whatever a library makes of it, one OSError that names the path."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REMEDIES = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there, or ask for a larger quota",
    errno.EROFS: "mount it writable, or work in another folder",
    errno.EACCES: "give yourself the right to read and write there",
}


def refusal(error: BaseException | None) -> OSError | None:
    """The OSError of a disk that refused (errno in ``REMEDIES``) behind an exception; None if there is none.

    Rust libraries (polars, safetensors) raise errors of their own with the number in the text, torch one of a file
    that ended too early. Its ``filename`` is None where nothing says which file it was.
    """
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number is None and (said := re.search(r"\(os error (\d+)\)", str(error))):
            number = int(said[1])
        if number is None and re.search(r"inline_container.*(unexpected pos|file write failed)", str(error)):
            number = errno.ENOSPC
        if number in REMEDIES:
            return OSError(number, os.strerror(number), getattr(error, "filename", None))
        error = error.__cause__
    return None


@contextmanager
def naming(path: str | Path, temporary: str | Path | None = None) -> Iterator[None]:
    """Raise what a disk refuses inside the block as an OSError with ``path``, unless it names another file.

    ``temporary``: a file or folder that stands for ``path`` until it is whole.
    """
    try:
        yield
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        named = refused.filename
        if named is None or (temporary is not None and Path(named).is_relative_to(temporary)):
            named = str(path)
        raise OSError(refused.errno, refused.strerror, named) from error


def told(refused: OSError) -> str:
    """One line for what ``refusal`` found: which file, what is wrong, what to do."""
    assert refused.errno is not None
    where = refused.filename or "a file of this job"
    return f"{where}: {refused.strerror}: {REMEDIES[refused.errno]}, then run again; what had finished stays"

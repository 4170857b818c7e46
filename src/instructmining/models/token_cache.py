"""Token ids are made once: kept beside the results under what they depend on, and found again.

By whoever needs the same: another model with the same tokenizer, a job that died and is run again, an entry that is
asked for one output more. The files may be deleted at any time.
"""

import hashlib
import logging
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import tokenizers
import transformers

from instructmining.jobs.files import replacing
from instructmining.models.batching import ahead
from instructmining.settings import versions

Rows = TypeVar("Rows")
_DIGEST = hashlib.sha256().digest_size
_log = logging.getLogger(__name__)


def encoded_parts(
    parts: Iterable[pl.DataFrame],
    encode: Callable[[pl.DataFrame], Rows],
    folder: str | None,
    tokenizer: Any,
    scorer: str,
    *settings: Any,
) -> Iterator[tuple[pl.DataFrame, Rows]]:
    """Each part with what ``encode`` makes of its texts, one part ahead of its use.

    ``settings`` are all that ``encode`` depends on besides the scorer's version, the tokenizer and the texts; an
    example's id stands for its texts. ``folder``: where the ids are kept; None keeps none.
    """
    libraries = (tokenizers.__version__, transformers.__version__)
    what = (tokenizer.backend_tokenizer.to_str(), tokenizer.chat_template, tokenizer.special_tokens_map)
    depends_on = (scorer, versions.SCORERS[scorer], *libraries, *what, tokenizer.truncation_side, *settings)
    key = hashlib.sha256(repr(depends_on).encode()).hexdigest()

    def found_or_made(examples: pl.DataFrame) -> tuple[pl.DataFrame, Rows]:
        if folder is None:
            return examples, encode(examples)
        texts = hashlib.sha256("".join([key, *examples["id"]]).encode()).hexdigest()
        path = Path(folder) / f"{texts}.pickle"
        rows: Rows | None = _read(path)
        if rows is None:
            rows = encode(examples)
            _write(path, rows)
        return examples, rows

    return ahead(map(found_or_made, parts))


def _read(path: Path) -> Any:
    """What ``_write`` wrote; None if nothing is there, or not what was written: a disk may lose its last blocks.

    None too for ids that name a class of an earlier version of this package, which has moved since.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, body = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        _log.info("%s is not whole: made again", path)
        return None
    try:
        return pickle.loads(body)
    except (AttributeError, ImportError) as error:
        _log.info("%s was written by another version of this package (%s): made again", path, error)
        return None


def _write(path: Path, rows: Any) -> None:
    body = pickle.dumps(rows)
    with replacing(path) as temporary:
        temporary.write_bytes(hashlib.sha256(body).digest() + body)

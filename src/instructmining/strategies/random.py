"""A seeded permutation of the pool: the baseline of every comparison (Diddee & Ippolito 2024, section 3.2)."""

import hashlib
from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.rankings import ranked


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = a number in [0, 1) drawn from (``seed``, ``index``, id), ascending; ``index`` is 2 for ``random-2``.

    A draw belongs to the id alone: neither the order of the pool nor what else is in it changes how two examples
    stand to each other.
    """
    prefix = hashlib.blake2b(f"{settings['seed']}/{settings['index']}/".encode(), digest_size=8)
    return ranked(examples, pl.Series([_draw(prefix, i) for i in examples["id"]], dtype=pl.Float64), descending=False)


def _draw(prefix: "hashlib.blake2b", example: str) -> float:
    state = prefix.copy()
    state.update(example.encode())
    return (int.from_bytes(state.digest(), "big") >> 11) / 2**53

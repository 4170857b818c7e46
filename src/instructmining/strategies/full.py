"""Everything, in pool order: what selection is compared with."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.selection.rankings import ranked
from instructmining.settings import Strategy

SPEC = Strategy(
    version=1,
    meaning="everything, in pool order; always the whole pool",
    is_baseline=True,
    order=9,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = place in the pool, from 0, ascending."""
    return ranked(examples, pl.Series(range(examples.height), dtype=pl.Float64), descending=False)

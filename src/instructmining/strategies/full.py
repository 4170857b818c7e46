"""Everything, in pool order: what selection is compared with."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.selection.rankings import ranked


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = place in the pool, from 0, ascending."""
    return ranked(examples, pl.Series(range(examples.height), dtype=pl.Float64), descending=False)

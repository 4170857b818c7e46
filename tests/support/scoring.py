"""Running a scorer on a whole frame."""

from typing import Any

import polars as pl


def scored(scorer: Any, examples: pl.DataFrame, settings: dict[str, Any], rows_at_once: int = 4096) -> pl.DataFrame:
    """``scorer.score`` on ``examples`` in parts of ``rows_at_once``, put together again."""
    starts = range(0, max(examples.height, 1), rows_at_once)
    parts = (examples.slice(start, rows_at_once) for start in starts)
    return pl.concat(scorer.score(parts, {**settings, "rows": examples.height}))


def answered(outputs, instruction="Say it.", given=""):
    rows = [{"id": str(i), "instruction": instruction, "input": given, "output": o} for i, o in enumerate(outputs)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("id", "instruction", "input", "output"), pl.String))

"""A subset from the files that it is made of: the first examples of a ranking."""

from pathlib import Path
from typing import Any

import polars as pl

from instructmining.jobs.files import read_json
from instructmining.selection.rankings import take


def select_subset(
    ranking: str | Path, size: str | None, strategy: str, pool: str, version: int, chosen_by: str | Path | None = None
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The first examples of a ranking, in its order.

    Args:
        ranking: its file.
        size: how many, as text, or ``all``: every example with a score. It is not read where ``chosen_by`` is given.
        strategy: the order's name.
        pool: the pool's name.
        version: of rankings.
        chosen_by: the file of a search, whose best size is taken, or of a trial's proposal, whose size is.

    Returns:
        The subset (``id``, ``dataset``) and its provenance. Neither depends on the rest of the pool: a run is repeated
        when the bytes of its subset change.

    Raises:
        InputError: fewer examples of the ranking have a score.
    """
    if chosen_by:
        chosen = read_json(chosen_by)
        number = chosen["best_size"] if "best_size" in chosen else chosen["size"]
    else:
        number = None if size is None or size == "all" else int(size)
    subset = take(pl.read_parquet(ranking), number, pool)
    return subset, {"strategy": strategy, "pool": pool, "size": subset.height, "version": version}

"""Values of examples by the vectors of their nearest neighbours, from files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining import scorers
from instructmining.models import embeddings


def scored_neighbours(
    vectors: Sequence[str | Path], settings: dict[str, Any], mixtures: Sequence[str | Path], where: str
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The examples of a reference set, scored by their nearest neighbours, and the provenance of the values.

    Args:
        vectors: shards of the embeddings of all examples that are compared.
        settings: the indicator entry's.
        mixtures: subsets of a block, each of which is compared within itself; none: all examples are compared.
        where: the name of the file that is made, for errors.

    Raises:
        InputError: an example has no vector, or the values are those of a broken scorer.
    """
    subsets = {Path(path).stem: pl.read_parquet(path) for path in mixtures}
    frame, how = scorers.load(settings["scorer"]).score(embeddings.read(vectors), settings, subsets)
    frame = frame.rename(settings["outputs"])
    counts = scorers.check(frame, settings["outputs"].values(), where)
    return frame, {**scorers.provenance(settings, counts), "neighbours": how}

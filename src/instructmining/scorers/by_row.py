"""The loop shared by scorers that read one row of token ids per example and compute one number from it."""

from collections.abc import Callable, Iterable, Iterator

import polars as pl
import torch

from instructmining.models.batching import Budget, over_batches

# token ids, and whether the text was cut
Row = tuple[list[int], bool]


def frames(
    output: str,
    parts: Iterable[tuple[pl.DataFrame, list[Row]]],
    read: Callable[[list[list[int]]], torch.Tensor],
    tokens: Budget,
    advance: Callable[[int], None],
) -> Iterator[pl.DataFrame]:
    """Yield a scorer's frame for each part.

    Args:
        output: the name of the output column.
        parts: the examples of each part, with one row of token ids per example.
        read: a function from rows of token ids to one number per row, (rows,).
        tokens: how many tokens a batch may hold.
        advance: called with the number of rows that are done, for the progress log.

    Yields:
        ``id``, ``output`` (null where one row alone does not fit in memory), ``truncated`` and ``reason``.
    """
    for examples, rows in parts:

        def launch(batch: list[int], rows: list[Row] = rows) -> Callable[[], list[float]]:
            return read([rows[row][0] for row in batch]).tolist

        values = pl.Series(output, over_batches([len(ids) for ids, _ in rows], tokens, launch, advance), pl.Float64)
        yield examples.select(
            "id",
            values,
            truncated=pl.Series([cut for _, cut in rows], dtype=pl.Boolean),
            reason=pl.when(values.is_null()).then(pl.lit("does not fit in memory")),
        )

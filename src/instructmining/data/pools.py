"""A pool: the examples of several datasets as one frame."""

from collections.abc import Sequence

import polars as pl


def pool_examples(frames: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, int]:
    """Join the datasets of a pool (frames with ``id`` and ``dataset``, in pool order) into one, same order.

    An id that occurs in two datasets stays with the first. Returns the frame and how many rows fell away so.
    """
    everything = pl.concat(frames)
    kept = everything.unique("id", keep="first", maintain_order=True)
    return kept, everything.height - kept.height

"""The examples of a pool's datasets, each once."""

import polars as pl

from instructmining.data.pools import pool_examples


def test_the_first_dataset_keeps_a_repeated_id() -> None:
    a = pl.DataFrame({"id": ["1", "2"], "dataset": "a"})
    b = pl.DataFrame({"id": ["3", "2"], "dataset": "b"})
    examples, repeated = pool_examples([a, b])
    assert examples.rows() == [("1", "a"), ("2", "a"), ("3", "b")]
    assert repeated == 1
    assert pool_examples([b, a])[0].rows() == [("3", "b"), ("2", "b"), ("1", "a")]

"""The longest responses first."""

import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.strategies import longest


def test_longest_is_descending() -> None:
    pool = pl.DataFrame({"id": ["a", "b", "c"], "dataset": "x", "output_length": [3.0, None, 9.0]})
    assert longest.rank(pool, {"indicator": "output_length"})["id"].to_list() == ["c", "a", "b"]
    with pytest.raises(InputError, match="no indicator words"):
        longest.rank(pool, {"indicator": "words"})

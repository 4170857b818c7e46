"""The hardest to follow that are not above one."""

import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import take
from instructmining.strategies import cherry


def test_cherry_takes_the_hardest_but_nothing_above_one() -> None:
    ifd = [0.5, 1.0, 1.01, None, 0.9, float("nan")]
    pool = pl.DataFrame({"id": list("abcdef"), "dataset": "x", "ifd": ifd})
    ranking = cherry.rank(pool, {"kind": "cherry", "indicator": "ifd"})
    assert ranking["id"].to_list() == ["b", "e", "a", "c", "d", "f"]
    assert ranking["score"].to_list() == [1.0, 0.9, 0.5, None, None, None]
    with pytest.raises(InputError, match="3 rankable examples, subset asks 4"):
        take(ranking, 4, "unseen")

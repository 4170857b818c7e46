"""The pool as it is."""

import polars as pl

from instructmining.selection.rankings import take
from instructmining.strategies import full


def test_full_keeps_pool_order() -> None:
    pool = pl.DataFrame({"id": ["c", "a", "b"], "dataset": ["x", "x", "y"]})
    ranking = full.rank(pool, {"kind": "full"})
    assert ranking["id"].to_list() == ["c", "a", "b"]
    assert take(ranking, None, "p").equals(pool)

"""Orders of a pool, and the subsets that are their first examples."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.selection.rankings import ranked, take
from instructmining.strategies import longest
from pools import pools

LONGEST = {"indicator": "output_length"}


@given(pool=pools(), size=st.integers(0, 35))
def test_take_never_reaches_examples_without_score(pool: pl.DataFrame, size: int) -> None:
    ranking = longest.rank(pool, LONGEST)
    rankable = pool["output_length"].count()
    if size > rankable:
        with pytest.raises(InputError, match=f"^pool unseen has {rankable} rankable examples, subset asks {size}$"):
            take(ranking, size, "unseen")
    else:
        subset = take(ranking, size, "unseen")
        assert subset.columns == ["id", "dataset"]
        assert subset["id"].to_list() == ranking["id"].to_list()[:size]
    assert take(ranking, None, "unseen").height == rankable


def test_ranked_puts_infinite_scores_last_as_null() -> None:
    pool = pl.DataFrame({"id": ["a", "b"], "dataset": "x"})
    assert ranked(pool, pl.Series([float("inf"), 1.0]), descending=True)["score"].to_list() == [1.0, None]


def test_a_grown_pool_with_the_same_best_gives_the_same_bytes(tmp_path) -> None:
    small = pl.DataFrame({"id": ["a", "b", "c"], "dataset": "x", "output_length": [9.0, 8.0, 1.0]})
    more = pl.DataFrame({"id": [f"m{k}" for k in range(500)], "dataset": "y", "output_length": 2.0})
    written = []
    for name, pool in (("small", small), ("large", pl.concat([more, small]))):
        subset = take(longest.rank(pool, LONGEST), 2, "unseen")
        write_parquet(subset, tmp_path / name, {"pool": "unseen"})
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]

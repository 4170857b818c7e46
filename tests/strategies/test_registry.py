"""The registry of strategies: what every ranking is like."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining import strategies
from pools import pools

RULE = {"coefficients": {"intercept": 1.0, "reward": -0.5, "output_length": 0.01}}
SETTINGS = {
    "quality_rule": {"kind": "quality_rule", "quality_rule": "fitted", "rule": RULE},
    "random": {"kind": "random", "seed": 0, "index": 1},
    "longest": {"kind": "longest", "indicator": "output_length"},
    "cherry": {"kind": "cherry", "indicator": "reward"},
    "alpagasus": {"kind": "alpagasus", "indicator": "reward", "threshold": 1.0},
}


@pytest.mark.parametrize("kind", sorted(SETTINGS))
@settings(max_examples=40)
@given(pool=pools(), seed=st.integers(0, 9))
def test_ranking_does_not_depend_on_input_order(kind: str, pool: pl.DataFrame, seed: int) -> None:
    rank = strategies.load(kind).rank
    ranking = rank(pool, SETTINGS[kind])
    assert ranking.columns == ["id", "dataset", "score", "rank"]
    assert ranking.schema["score"] == pl.Float64
    assert ranking["rank"].to_list() == list(range(pool.height))
    assert sorted(ranking["id"]) == sorted(pool["id"])
    shuffled = pool.sample(fraction=1.0, shuffle=True, seed=seed)
    assert rank(shuffled, SETTINGS[kind]).equals(ranking)

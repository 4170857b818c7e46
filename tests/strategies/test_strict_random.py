"""Random orders of what no other strategy takes first."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import take
from instructmining.strategies import random, strict_random
from pools import in_order, pool


@settings(max_examples=25)
@given(depth=st.none() | st.integers(1, 20), seed=st.integers(0, 9))
def test_strict_random_holds_nothing_that_the_others_take_first(depth: int | None, seed: int) -> None:
    examples = pool(40)
    others = {"up": in_order(examples), "down": in_order(examples[::-1], scored=7)}
    strict = {"kind": "strict_random", "against": list(others), "seed": seed, "index": 0, "depth": depth}
    ranking = strict_random.rank(examples, {**strict, "rankings": others})
    taken = set(others["up"]["id"][: depth or 10]) | set(others["down"]["id"][: min(depth or 10, 7)])
    left = 40 - len(taken)
    assert sorted(ranking["id"]) == examples["id"].to_list() and ranking["rank"].to_list() == list(range(40))
    assert set(ranking.filter(pl.col("score").is_null())["id"]) == taken
    assert not set(take(ranking, left, "p")["id"]) & taken
    with pytest.raises(InputError, match=f"pool p has {left} rankable examples, subset asks {left + 1}"):
        take(ranking, left + 1, "p")
    shuffled = examples.sample(fraction=1.0, shuffle=True, seed=seed)
    assert strict_random.rank(shuffled, {**strict, "rankings": others}).equals(ranking)


def test_strict_random_draws_for_itself_and_by_seed() -> None:
    examples = pool(200)
    strict = {"against": ["s"], "seed": 0, "depth": 1, "rankings": {"s": in_order(examples)}}
    orders = [strict_random.rank(examples, {**strict, "index": index})["id"].to_list()[:199] for index in (0, 1)]
    plain = [i for i in random.rank(examples, {"seed": 0, "index": 0})["id"] if i != "id0000"]
    assert orders[0] != orders[1] and orders[0] != plain


@pytest.mark.parametrize(("depth", "words"), [(41, "depth 41 is more than the pool's 40"), (40, "are the pool")])
def test_strict_random_needs_something_to_draw_from(depth: int, words: str) -> None:
    strict = {"against": ["s"], "seed": 0, "index": 0, "depth": depth, "rankings": {"s": in_order(pool(40))}}
    with pytest.raises(InputError, match=words):
        strict_random.rank(pool(40), strict)

"""Seeded permutations, and those that are held apart from what other strategies select."""

import hashlib

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.selection import overlap
from instructmining.strategies import random
from pools import in_order, pool

BASE = {"kind": "random", "seed": 0, "index": 1}


def test_random_differs_by_seed_and_index_and_is_uniform() -> None:
    examples = pl.DataFrame({"id": [f"{k:03d}" for k in range(400)], "dataset": "x"})

    def order(seed: int, index: int) -> list[str]:
        return random.rank(examples, {"seed": seed, "index": index})["id"].to_list()

    orders = {key: order(*key) for key in [(0, 0), (0, 1), (1, 0)]}
    assert len({tuple(order) for order in orders.values()}) == 3
    assert all(order != examples["id"].to_list() for order in orders.values())
    scores = random.rank(examples, {"seed": 0, "index": 0})["score"]
    assert scores.is_between(0, 1, closed="left").all() and abs(scores.mean() - 0.5) < 0.06
    # Another dataset in the pool leaves the order of these two as it was.
    half = random.rank(examples.head(200), {"seed": 0, "index": 0})["id"].to_list()
    assert [i for i in orders[(0, 0)] if i in set(half)] == half


def test_random_without_against_is_what_it_always_was() -> None:
    ranking = random.rank(pool(300), BASE)
    assert hashlib.sha256(ranking.write_csv().encode()).hexdigest()[:16] == "1f84510cff65b2ea"
    limited = {**BASE, "against": ["s"], "sizes": [3], "overlap": 1.0, "redraws": 5}
    assert random.rank(pool(300), {**limited, "rankings": {"s": in_order(pool(300))}}).equals(ranking)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 50), size=st.integers(5, 20))
def test_a_limit_that_can_be_met_is_met_at_every_size_and_against_everyone(seed: int, size: int) -> None:
    examples = pool(100)
    others = {"up": in_order(examples), "down": in_order(examples[::-1])}
    limited = {**BASE, "seed": seed, "sizes": [5, size], "overlap": 0.2, "redraws": 500, "against": ["up", "down"]}
    ranking = random.rank(examples, {**limited, "rankings": others})
    ids = ranking["id"].to_list()
    for other in others.values():
        for k in (5, size):
            assert len(set(ids[:k]) & set(other["id"][:k])) <= 0.2 * k
    found = overlap.record(ranking, others, limited)
    assert found["overlap_limit_met"] is True
    assert found["overlaps"]["down"][str(size)] == len(set(ids[:size]) & set(others["down"]["id"][:size])) / size
    shuffled = examples.sample(fraction=1.0, shuffle=True, seed=seed)
    assert random.rank(shuffled, {**limited, "rankings": others}).equals(ranking)


def test_where_no_draw_meets_the_limit_the_least_overlap_is_taken_and_said(caplog) -> None:
    examples, others = pool(40), {"s": in_order(pool(40))}
    limited = {**BASE, "against": ["s"], "sizes": [20], "overlap": 0.1, "rankings": others}
    found = []
    with caplog.at_level("INFO"):
        for redraws in (1, 10, 50):
            ranking = random.rank(examples, {**limited, "redraws": redraws})
            found.append(overlap.record(ranking, others, limited)["overlaps"]["s"]["20"])
    assert found == sorted(found, reverse=True) and 0.1 < found[-1] < found[0]
    assert overlap.record(ranking, others, limited)["overlap_limit_met"] is False
    assert (
        f"50 redraws; the largest overlap is {found[-1]:.1%}, of s's first 20: no draw is within 10.0 %" in caplog.text
    )


def test_a_strategy_that_ranks_too_few_is_an_error() -> None:
    limited = {**BASE, "against": ["s"], "sizes": [20], "overlap": 0.1, "redraws": 1}
    with pytest.raises(InputError, match="pool of strategy s has 9 rankable examples, subset asks 20"):
        random.rank(pool(40), {**limited, "rankings": {"s": in_order(pool(40), scored=9)}})

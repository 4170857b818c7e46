"""Random orders that are held apart from what other strategies select."""

import hashlib

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining import strategies
from instructmining.jobs.errors import InputError
from instructmining.selection import overlap
from instructmining.selection.rankings import ranked, take

RANDOM, STRICT = strategies.load("random").rank, strategies.load("strict_random").rank
BASE = {"kind": "random", "seed": 0, "index": 1}


def pool(n: int) -> pl.DataFrame:
    return pl.DataFrame({"id": [f"id{k:04d}" for k in range(n)], "dataset": "x"})


def in_order(examples: pl.DataFrame, scored: int | None = None) -> pl.DataFrame:
    """A strategy's ranking: the pool's own order, only the first ``scored`` with a score."""
    n = examples.height
    return ranked(examples, pl.Series([float(k) if k < (scored or n) else None for k in range(n)]), descending=False)


def test_random_without_against_is_what_it_always_was() -> None:
    ranking = RANDOM(pool(300), BASE)
    assert hashlib.sha256(ranking.write_csv().encode()).hexdigest()[:16] == "1f84510cff65b2ea"
    limited = {**BASE, "against": ["s"], "sizes": [3], "overlap": 1.0, "redraws": 5}
    assert RANDOM(pool(300), {**limited, "rankings": {"s": in_order(pool(300))}}).equals(ranking)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 50), size=st.integers(5, 20))
def test_a_limit_that_can_be_met_is_met_at_every_size_and_against_everyone(seed: int, size: int) -> None:
    examples = pool(100)
    others = {"up": in_order(examples), "down": in_order(examples[::-1])}
    limited = {**BASE, "seed": seed, "sizes": [5, size], "overlap": 0.2, "redraws": 500, "against": ["up", "down"]}
    ranking = RANDOM(examples, {**limited, "rankings": others})
    ids = ranking["id"].to_list()
    for other in others.values():
        for k in (5, size):
            assert len(set(ids[:k]) & set(other["id"][:k])) <= 0.2 * k
    found = overlap.record(ranking, others, limited)
    assert found["overlap_limit_met"] is True
    assert found["overlaps"]["down"][str(size)] == len(set(ids[:size]) & set(others["down"]["id"][:size])) / size
    shuffled = examples.sample(fraction=1.0, shuffle=True, seed=seed)
    assert RANDOM(shuffled, {**limited, "rankings": others}).equals(ranking)


def test_where_no_draw_meets_the_limit_the_least_overlap_is_taken_and_said(caplog) -> None:
    examples, others = pool(40), {"s": in_order(pool(40))}
    limited = {**BASE, "against": ["s"], "sizes": [20], "overlap": 0.1, "rankings": others}
    found = []
    with caplog.at_level("INFO"):
        for redraws in (1, 10, 50):
            ranking = RANDOM(examples, {**limited, "redraws": redraws})
            found.append(overlap.record(ranking, others, limited)["overlaps"]["s"]["20"])
    assert found == sorted(found, reverse=True) and 0.1 < found[-1] < found[0]
    assert overlap.record(ranking, others, limited)["overlap_limit_met"] is False
    assert (
        f"50 redraws; the largest overlap is {found[-1]:.1%}, of s's first 20: no draw is within 10.0 %" in caplog.text
    )


def test_a_strategy_that_ranks_too_few_is_an_error() -> None:
    limited = {**BASE, "against": ["s"], "sizes": [20], "overlap": 0.1, "redraws": 1}
    with pytest.raises(InputError, match="pool of strategy s has 9 rankable examples, subset asks 20"):
        RANDOM(pool(40), {**limited, "rankings": {"s": in_order(pool(40), scored=9)}})


@settings(max_examples=25)
@given(depth=st.none() | st.integers(1, 20), seed=st.integers(0, 9))
def test_strict_random_holds_nothing_that_the_others_take_first(depth: int | None, seed: int) -> None:
    examples = pool(40)
    others = {"up": in_order(examples), "down": in_order(examples[::-1], scored=7)}
    strict = {"kind": "strict_random", "against": list(others), "seed": seed, "index": 0, "depth": depth}
    ranking = STRICT(examples, {**strict, "rankings": others})
    taken = set(others["up"]["id"][: depth or 10]) | set(others["down"]["id"][: min(depth or 10, 7)])
    left = 40 - len(taken)
    assert sorted(ranking["id"]) == examples["id"].to_list() and ranking["rank"].to_list() == list(range(40))
    assert set(ranking.filter(pl.col("score").is_null())["id"]) == taken
    assert not set(take(ranking, left, "p")["id"]) & taken
    with pytest.raises(InputError, match=f"pool p has {left} rankable examples, subset asks {left + 1}"):
        take(ranking, left + 1, "p")
    shuffled = examples.sample(fraction=1.0, shuffle=True, seed=seed)
    assert STRICT(shuffled, {**strict, "rankings": others}).equals(ranking)


def test_strict_random_draws_for_itself_and_by_seed() -> None:
    examples = pool(200)
    strict = {"against": ["s"], "seed": 0, "depth": 1, "rankings": {"s": in_order(examples)}}
    orders = [STRICT(examples, {**strict, "index": index})["id"].to_list()[:199] for index in (0, 1)]
    plain = [i for i in RANDOM(examples, {**BASE, "index": 0})["id"] if i != "id0000"]
    assert orders[0] != orders[1] and orders[0] != plain


@pytest.mark.parametrize(("depth", "words"), [(41, "depth 41 is more than the pool's 40"), (40, "are the pool")])
def test_strict_random_needs_something_to_draw_from(depth: int, words: str) -> None:
    strict = {"against": ["s"], "seed": 0, "index": 0, "depth": depth, "rankings": {"s": in_order(pool(40))}}
    with pytest.raises(InputError, match=words):
        STRICT(pool(40), strict)


def test_overlaps_of_a_comparison_are_a_table_of_all_pairs() -> None:
    examples = pool(40)
    subsets = {("up", "p", "10"): examples.head(10), ("down", "p", "10"): examples[5:15]}
    table = overlap.table({**subsets, ("up", "q", "10"): examples.head(10)}, {"p": 40, "q": 80})
    assert table.schema == pl.Schema(overlap.TABLE_SCHEMA)
    found = {(row["pool"], row["strategy"], row["other"]): row["overlap"] for row in table.iter_rows(named=True)}
    assert found == {
        ("p", "up", "up"): 1.0,
        ("p", "up", "down"): 0.5,
        ("p", "down", "up"): 0.5,
        ("p", "down", "down"): 1.0,
        ("q", "up", "up"): 1.0,
    }
    assert dict(table.select("pool", "by_chance").iter_rows()) == {"p": 0.25, "q": 0.125}
    with pytest.raises(InputError, match="pool p, size 10: up has 10 examples, down 9"):
        overlap.table({**subsets, ("down", "p", "10"): examples.head(9)}, {"p": 40})

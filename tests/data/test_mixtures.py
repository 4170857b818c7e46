"""Mixtures: shares, determinism, and what a draw must not depend on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.data.mixtures import draw_mixture, largest_remainder
from instructmining.jobs.errors import InputError

POOLS = {name: [f"{name}-{k}" for k in range(60)] for name in ("alpaca", "oasst", "dolly")}


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=6), st.integers(0, 5000))
def test_largest_remainder_sums_and_stays_within_one(weights: list[float], size: int) -> None:
    counts = largest_remainder(np.array(weights), size)
    assert sum(counts) == size
    exact = size * np.array(weights) / sum(weights)
    assert np.all(np.abs(counts - exact) < 1 + 1e-9)


def test_largest_remainder_known_answer() -> None:
    # 10 * (1, 1, 1)/3: equal remainders, the earliest gets the unit left over; 7 * (5, 3, 2)/10 = 3.5, 2.1, 1.4.
    assert largest_remainder(np.ones(3), 10) == [4, 3, 3]
    assert largest_remainder(np.array([5.0, 3.0, 2.0]), 7) == [4, 2, 1]


@settings(max_examples=50)
@given(st.integers(0, 60), st.integers(0, 2**32), st.integers(0, 200), st.randoms(use_true_random=False))
def test_draw(size: int, seed: int, i: int, shuffler) -> None:
    mixture = draw_mixture(POOLS, size, seed, "base", i)
    assert mixture.columns == ["id", "dataset"]
    assert mixture.height == size == mixture["id"].n_unique()
    for example, dataset in mixture.iter_rows():
        assert example in POOLS[dataset]
    shuffled = {name: shuffler.sample(ids, len(ids)) + ids[:5] for name, ids in POOLS.items()}
    assert draw_mixture(shuffled, size, seed, "base", i).equals(mixture)


def test_shares_follow_the_published_rule() -> None:
    # r_i / sum(r_i) with r uniform: each of three datasets expects a third, with a wide spread.
    shares = np.array(
        [[draw_mixture(POOLS, 60, 0, "base", i).filter(dataset=name).height / 60 for name in POOLS] for i in range(200)]
    )
    assert np.allclose(shares.mean(axis=0), 1 / 3, atol=0.04)
    assert shares.std(axis=0).min() > 0.1


def test_blocks_and_numbers_differ_and_order_is_mixed() -> None:
    first = draw_mixture(POOLS, 50, 0, "base", 0)
    for other in (("base", 1, 0), ("more", 0, 0), ("base", 0, 1)):
        assert not draw_mixture(POOLS, 50, other[2], other[0], other[1]).equals(first)
    assert first["dataset"].to_list() != sorted(first["dataset"].to_list(), key=list(POOLS).index)


def test_an_id_in_two_datasets_is_drawn_once() -> None:
    pools = {"a": [f"x{k}" for k in range(40)], "b": [f"x{k}" for k in range(80)]}
    mixture = draw_mixture(pools, 40, 3, "base", 0)
    assert mixture["id"].n_unique() == 40
    assert set(mixture.filter(dataset="b")["id"]).isdisjoint(pools["a"])


def test_shortage_names_dataset_needed_and_available() -> None:
    with pytest.raises(InputError, match=r"mixtures: base-003 needs \d+ examples of dataset tiny, which has 2"):
        draw_mixture({"tiny": ["a", "b"]}, 5, 0, "base", 3)

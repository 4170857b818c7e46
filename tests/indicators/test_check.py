"""The indicator check against hand counts and scikit-learn."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.indicators.check import check_indicators, separation
from instructmining.jobs.errors import InputError


def side(values, rows=None):
    return pl.DataFrame({"row": rows or list(range(len(values))), "x": pl.Series(values, dtype=pl.Float64)})


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_auc_counts_pairs_with_ties_a_half(pairs):
    chosen, rejected = np.array(pairs).T
    wins = [(a > b) + (a == b) / 2 for a in chosen for b in rejected]
    found = separation(chosen, rejected, 10, 0, 0.95)
    assert found["auc"] == pytest.approx(np.mean(wins))
    assert found["paired_accuracy"] == pytest.approx(np.mean((chosen > rejected) + (chosen == rejected) / 2))
    assert 0 <= found["interval"][0] <= found["interval"][1] <= 1


def test_auc_equals_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    chosen, rejected = np.random.default_rng(0).normal([[0.4], [0.0]], 1, size=(2, 200))
    expected = metrics.roc_auc_score([1] * 200 + [0] * 200, np.concatenate([chosen, rejected]))
    assert separation(chosen, rejected, 10, 0, 0.95)["auc"] == pytest.approx(expected)


def test_interval_resamples_pairs_and_is_seeded():
    generator = np.random.default_rng(1)
    level = generator.normal(size=100)
    chosen, rejected = level + 0.1, level  # pairs move together: the interval over pairs is far narrower
    found = separation(chosen, rejected, 500, 0, 0.95)
    apart = separation(chosen, generator.permutation(rejected), 500, 0, 0.95)
    assert found == separation(chosen, rejected, 500, 0, 0.95) != separation(chosen, rejected, 500, 1, 0.95)
    assert np.diff(found["interval"]) < np.diff(apart["interval"]) / 3
    assert found["paired_accuracy"] == 1.0


def test_verdicts_and_pairing_by_row():
    rows = list(range(40))
    values = [float(row % 7) for row in rows]
    better = check_indicators(side([v + 3 for v in values]), side(values[::-1], rows[::-1]), {"x": "up"})
    assert better["pairs"] == 40 and better["unpaired"] == 0
    assert better["indicators"]["x"]["paired_accuracy"] == 1.0
    assert better["indicators"]["x"]["verdict"] == "separates" and better["indicators"]["x"]["direction"] == "up"
    same = check_indicators(side(values), side(values), {"x": "up"})["indicators"]["x"]
    assert same["auc"] == 0.5 and same["verdict"] == "does not separate"
    worse = check_indicators(side(values), side([v + 3 for v in values]), {"x": "up"})["indicators"]["x"]
    assert worse["auc"] < 0.5 and worse["verdict"] == "separates"


def test_nulls_and_unpaired_rows_are_counted():
    chosen = side([None, *map(float, range(1, 12))])
    rejected = side([*map(float, range(10)), None], [*range(10), 11])
    found = check_indicators(chosen, rejected, {"x": "up"})
    assert (found["pairs"], found["unpaired"]) == (11, 1)
    assert (found["indicators"]["x"]["n_pairs_used"], found["indicators"]["x"]["n_pairs_null"]) == (9, 2)


def test_too_few_pairs():
    with pytest.raises(InputError, match="7 of 8 pairs have x on both sides: expected at least 8"):
        check_indicators(side([None, *[1.0] * 7]), side([1.0] * 8), {"x": "up"})

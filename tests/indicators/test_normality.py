"""Normality: what is normal passes, what is not does not, and the paper's figure says the opposite of its reading."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from instructmining.indicators import normality

DRAW = np.random.default_rng(5)
COLUMNS = {
    "normal": DRAW.normal(3, 0.2, 3000),
    "skewed": DRAW.exponential(1.0, 3000),
    "standard": DRAW.normal(0, 1, 3000),
    "constant": np.full(3000, 2.0),
}


def made(columns, **settings):
    frame = pl.DataFrame({"dataset": ["a"] * len(next(iter(columns.values()))), **columns})
    table = normality.table(frame, list(columns), **settings)
    return {row["indicator"]: row for row in table.iter_rows(named=True)}


def test_lilliefors_tells_normal_from_skewed_wherever_they_lie():
    found = made(COLUMNS)
    assert found["normal"]["verdict"] == found["standard"]["verdict"] == "normal not rejected"
    assert found["skewed"]["verdict"] == "not normal" and found["skewed"]["lilliefors_p"] == "≤ 0.001"
    assert found["skewed"]["skewness"] == pytest.approx(2, abs=0.4)
    assert found["skewed"]["excess_kurtosis"] == pytest.approx(6, abs=3)
    assert abs(found["normal"]["skewness"]) < 0.15


def test_the_papers_figure_rejects_a_normal_indicator_for_its_mean():
    found = made(COLUMNS)
    assert found["normal"]["paper_ks_p"] < 1e-6 < 0.01 < found["standard"]["paper_ks_p"]
    assert found["normal"]["paper_ks"] == kstest(COLUMNS["normal"], "norm").statistic


def test_normal_values_are_rejected_about_as_often_as_the_level_says():
    draw = np.random.default_rng(0)
    found = [made({"x": draw.normal(7, 3, 60)})["x"]["verdict"] for _ in range(400)]
    assert 0.02 < np.mean([verdict == "not normal" for verdict in found]) < 0.085


def test_a_constant_and_too_few_values_are_not_tested():
    found = made(COLUMNS)["constant"]
    assert (found["verdict"], found["lilliefors"], found["lilliefors_p"]) == ("all tested are equal", None, None)
    assert made({"x": np.array([1.0, 2.0, 3.0])})["x"]["verdict"] == "fewer than 4 values"


def test_missing_and_infinite_values_are_left_out_and_counted():
    values = np.array([1.0, np.nan, np.inf, 2.0, 4.0, 3.0, 2.5, 2.6])
    frame = pl.DataFrame({"dataset": ["a"] * 9, "x": [*values, None], "none": [None] * 9})
    table = normality.table(frame, ["x", "none"])
    assert table["indicator"].to_list() == ["x"] and table["values"].to_list() == [6]


def test_a_large_column_is_tested_by_a_seeded_sample():
    one, same, other = (made({"x": COLUMNS["skewed"]}, sample=500, seed=seed)["x"] for seed in (0, 0, 1))
    assert one == same and one["lilliefors"] != other["lilliefors"]
    assert (one["values"], one["tested"]) == (3000, 500) and one["skewness"] == other["skewness"]


@given(st.floats(-50, 50), st.floats(0.01, 50))
def test_neither_place_nor_scale_changes_the_test(place, scale):
    one, other = (
        made({"x": values})["x"] for values in (COLUMNS["skewed"][:200], COLUMNS["skewed"][:200] * scale + place)
    )
    assert other["lilliefors"] == pytest.approx(one["lilliefors"], abs=1e-6)
    assert other["skewness"] == pytest.approx(one["skewness"], abs=1e-6)

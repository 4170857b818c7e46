"""The bootstrap of the choice of indicators: against the choice made resample by resample."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.quality_rules.diagnostics import SEPARATOR, all_subsets, largest_set, resampled_weights
from instructmining.quality_rules.stability import CRITERIA, chosen_indicators, chosen_sets

NAMES = ["a", "b", "c", "d"]


def drawn(n: int, seed: int, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """y follows a, and b less clearly; c is nearly a; d is idle."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4))
    x[:, 2] = x[:, 0] + 0.3 * generator.normal(size=n)
    return x * [1, 100, 1e-3, 5] + 400, x[:, 0] + 0.5 * x[:, 1] + noise * generator.normal(size=n)


def choice(x: np.ndarray, y: np.ndarray, largest: int) -> dict[str, str]:
    table = all_subsets(x, y, NAMES).filter(pl.col("n_indicators") <= largest).drop_nulls("r_squared")
    descending = {"r_squared": True, "aic": False, "bic": False}
    return {c: table.sort(c, "n_indicators", descending=[descending[c], False])["indicators"][0] for c in CRITERIA}


@pytest.mark.parametrize(("n", "largest"), [(40, 3), (13, 2)])
def test_every_resample_chooses_as_all_subsets_would(n: int, largest: int) -> None:
    x, y = drawn(n, seed=n)
    found = chosen_sets(x, y, NAMES, largest, 60, seed=1)
    weights = resampled_weights(n, 60, seed=1).astype(int)
    usable = [np.repeat(np.arange(n), row) for row in weights if (row > 0).sum() >= largest + 2]
    choices = [choice(x[rows], y[rows], largest) for rows in usable]
    assert found["resamples"].unique().to_list() == [len(usable)]
    for criterion in CRITERIA:
        shares = dict(found.filter(pl.col(criterion) > 0).select("indicators", criterion).iter_rows())
        names = [chosen[criterion] for chosen in choices]
        assert shares == pytest.approx({name: names.count(name) / len(names) for name in set(names)}), criterion
    assert found["r_squared"].is_sorted(descending=True)


def test_a_clear_set_is_always_chosen_and_the_indicators_of_the_rest_never() -> None:
    x, y = drawn(80, seed=0, noise=0.01)
    found = chosen_sets(x[:, [0, 1, 3]], y, ["a", "b", "d"], 2, 100, seed=0)
    assert found.select("indicators", *CRITERIA).rows() == [("a + b", 1.0, 1.0, 1.0)]
    assert chosen_indicators(found, ["d", "b", "a"]).rows() == [
        ("a", 1.0, 1.0, 1.0),
        ("b", 1.0, 1.0, 1.0),
        ("d", 0.0, 0.0, 0.0),
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(6, 30), st.integers(0, 1000))
def test_shares_are_of_all_resamples_and_sets_are_those_that_may_be_chosen(n: int, seed: int) -> None:
    x, y = drawn(n, seed)
    found = chosen_sets(x, y, NAMES, 3, 20, seed)
    if found.height:
        assert [found[criterion].sum() for criterion in CRITERIA] == pytest.approx([1.0] * 3)
        assert found["n_indicators"].max() <= largest_set(3, n)
        assert (found["indicators"].str.split(SEPARATOR).list.len() == found["n_indicators"]).all()


def test_columns_that_cannot_be_fitted_are_never_chosen() -> None:
    x, y = drawn(30, seed=2)
    x[:, 3] = 7.0
    x[:, 2] = 2 * x[:, 0]
    found = chosen_sets(x, y, NAMES, 3, 200, seed=0)
    sets = [set(name.split(SEPARATOR)) for name in found["indicators"]]
    assert sets and all("d" not in names and not {"a", "c"} <= names for names in sets)


def test_too_few_observations_choose_nothing() -> None:
    x, y = drawn(5, seed=0)
    assert chosen_sets(x, y, NAMES, 3, 50, seed=0).is_empty()
    assert chosen_sets(*drawn(30, seed=0), NAMES, 3, 0, seed=0).is_empty()
    flat = chosen_sets(drawn(9, seed=0)[0], np.r_[np.zeros(8), 1.0], NAMES, 2, 300, seed=0)
    assert 0 < flat["resamples"][0] < 300


def test_many_resamples_are_worked_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = drawn(20, seed=4)
    whole = chosen_sets(x, y, NAMES, 2, 50, seed=3)
    monkeypatch.setattr("instructmining.quality_rules.stability._AT_ONCE", 200)
    assert chosen_sets(x, y, NAMES, 2, 50, seed=3).equals(whole)

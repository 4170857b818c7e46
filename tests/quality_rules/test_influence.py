"""Influence of single observations: against refits without each, and where there is nothing to say."""

import numpy as np
import polars as pl
import pytest

from instructmining.quality_rules.influence import influence, influential, threshold, without_influential
from instructmining.quality_rules.regression import fit
from observed import NAMES, synthetic


def fitted(observations: pl.DataFrame, names: list[str] = NAMES) -> dict:
    return fit(observations, names, bootstrap=0, seed=0)


def test_influence_is_what_a_refit_without_the_row_says() -> None:
    observations = synthetic(20)
    rule = fitted(observations)
    table = influence(rule, observations)
    x = np.column_stack([np.ones(20), observations.select(NAMES).to_numpy()])
    y = np.log(observations["loss"].to_numpy())
    whole = np.array(list(rule["coefficients"].values()))
    variance = np.square(y - x @ whole).sum() / 16
    assert sorted(table["mixture"]) == sorted(observations["mixture"])
    assert table["cooks_distance"].is_sorted(descending=True)
    for row in table.head(4).iter_rows(named=True):
        i = observations["mixture"].to_list().index(row["mixture"])
        rest = np.arange(20) != i
        anew, left, *_ = np.linalg.lstsq(x[rest], y[rest])
        assert row["cooks_distance"] == pytest.approx(np.square(x @ (whole - anew)).sum() / (4 * variance))
        assert row["leverage"] == pytest.approx((x @ np.linalg.inv(x.T @ x) @ x.T)[i, i])
        error = left[0] / 15
        assert row["studentised_residual"] == pytest.approx(
            (y[i] - x[i] @ whole) / np.sqrt(error * (1 - row["leverage"]))
        )
        scale = np.sqrt(error * np.diag(np.linalg.inv(x.T @ x)))
        moves = [row[f"moves_{name}"] for name in ("intercept", *NAMES)]
        assert moves == pytest.approx((whole - anew) / scale)


def test_a_row_that_is_far_off_stands_out_and_the_rule_without_it_is_shown() -> None:
    observations = synthetic(40, noise=0.01)
    # one mixture with a very high reward and a loss that the others would not give it
    broken = observations.with_columns(
        reward=pl.when(pl.col("mixture") == "base-007").then(6.0).otherwise("reward"),
        loss=pl.when(pl.col("mixture") == "base-007").then(3.0).otherwise("loss"),
    )
    columns = ["reward", "output_length"]
    rule = fitted(broken, columns)
    table = influence(rule, broken)
    assert influential(table)[0] == "base-007" and table["cooks_distance"][0] > 10 * threshold(40)
    without = without_influential(rule, broken, table)
    rest = broken.filter(~pl.col("mixture").is_in(influential(table)))
    anew = fitted(rest, columns)
    assert without["term"].to_list() == ["intercept", *columns]
    assert without["coefficient_without"].to_list() == pytest.approx(list(anew["coefficients"].values()))
    assert without["p_without"].to_list() == pytest.approx(list(anew["p_values"].values()))
    assert without["n_without"].unique().to_list() == [40 - len(influential(table))]
    assert without["coefficient"].to_list() == pytest.approx(list(rule["coefficients"].values()))


def test_where_nothing_can_be_said_nothing_is() -> None:
    observations = synthetic(20)
    rule = fitted(observations)
    nothing = influence(rule, observations.head(0))
    assert nothing.is_empty() and influential(nothing) == []
    assert without_influential(rule, observations.head(0), nothing).is_empty()
    calm = influence(rule, observations).with_columns(cooks_distance=pl.lit(0.01))
    assert without_influential(rule, observations, calm).is_empty()
    # without all of these, too few are left to fit
    wild = calm.with_columns(cooks_distance=pl.lit(9.0))
    assert without_influential(rule, observations, wild).is_empty()


def test_without_a_degree_of_freedom_left_figures_are_null() -> None:
    observations = synthetic(5)
    table = influence(fitted(observations), observations)
    assert table["cooks_distance"].null_count() == 0
    assert table["studentised_residual"].null_count() == 5 and table["moves_reward"].null_count() == 5

"""Quality rules: against statsmodels, against the published observations, and bad input."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor

from instructmining.jobs.errors import InputError
from instructmining.quality_rules import diagnostics
from instructmining.quality_rules.diagnostics import all_subsets, bootstrap_coefficients, choose, with_selection
from instructmining.quality_rules.observations import empty, from_csv, indicator_columns
from instructmining.quality_rules.regression import (
    PRESETS,
    SELECTION,
    estimate,
    fit,
    formula,
    predict,
    published,
    summary,
    with_predictions,
)
from observed import NAMES, PUBLISHED, synthetic


def ols(observations: pl.DataFrame, columns: list[str]):
    return sm.OLS(np.log(observations["loss"]), sm.add_constant(observations.select(columns).to_numpy())).fit()


def estimated(observations: pl.DataFrame, indicators: str | list[str], candidates: list[str] | None, **asked: int):
    return estimate(observations, {"indicators": indicators, **asked}, candidates)


def test_known_answer() -> None:
    rule = fit(synthetic(400, 0.01), ["reward", "output_length"], bootstrap=200, seed=0)
    assert rule["coefficients"] == pytest.approx(
        {"intercept": 0.3, "reward": -0.2, "output_length": 0.001}, abs=0.01, rel=0.1
    )
    for name, truth in {"intercept": 0.3, "reward": -0.2, "output_length": 0.001}.items():
        low, high = rule["bootstrap_intervals"][name]
        assert low < truth < high
    assert (rule["target"], rule["direction"], rule["n"]) == ("log_loss", "lower_is_better", 400)


def test_every_figure_is_that_of_statsmodels() -> None:
    observations = synthetic()
    rule, reference = fit(observations, NAMES, bootstrap=0, seed=0), ols(observations, NAMES)
    names = ["intercept", *NAMES]
    hc3 = ols(observations, NAMES).get_robustcov_results("HC3")
    expected = {
        "coefficients": reference.params,
        "standard_errors": reference.bse,
        "p_values": reference.pvalues,
        "hc3_standard_errors": hc3.bse,
        "hc3_p_values": hc3.pvalues,
    }
    for key, values in expected.items():
        assert [rule[key][name] for name in names] == pytest.approx(list(values), rel=1e-9), key
    assert np.array([rule["confidence_intervals"][name] for name in names]) == pytest.approx(reference.conf_int())
    design = sm.add_constant(observations.select(NAMES).to_numpy())
    assert list(rule["vif"].values()) == pytest.approx([variance_inflation_factor(design, k) for k in (1, 2, 3)])
    press = np.square(reference.get_influence().resid_press).sum()
    assert rule["loo_r_squared"] == pytest.approx(1 - press / reference.centered_tss)
    assert rule["hc3_standard_errors"]["reward"] > 1.1 * rule["standard_errors"]["reward"]


def test_all_subsets_agrees_with_statsmodels() -> None:
    observations = synthetic(25)
    x, y = observations.select(NAMES).to_numpy(), np.log(observations["loss"].to_numpy())
    sets = all_subsets(x, y, NAMES)
    assert sets.height == 7
    assert sets["n_indicators"].to_list() == [1, 1, 1, 2, 2, 2, 3]
    for row in sets.iter_rows(named=True):
        columns = row["indicators"].split(" + ")
        reference = ols(observations, columns)
        press = np.square(reference.get_influence().resid_press).sum()
        assert row["r_squared"] == pytest.approx(reference.rsquared, rel=1e-9)
        assert row["adjusted_r_squared"] == pytest.approx(reference.rsquared_adj, rel=1e-9)
        assert row["aic"] == pytest.approx(reference.aic, rel=1e-9)
        assert row["bic"] == pytest.approx(reference.bic, rel=1e-9)
        assert row["loo_r_squared"] == pytest.approx(1 - press / reference.centered_tss, rel=1e-9)
        assert row["largest_p"] == pytest.approx(reference.pvalues[1:].max(), rel=1e-6)


def test_all_subsets_leaves_out_sets_without_a_degree_of_freedom() -> None:
    observations = synthetic(4)
    x, y = observations.select(NAMES).to_numpy(), np.log(observations["loss"].to_numpy())
    assert all_subsets(x, y, NAMES)["n_indicators"].max() == 2
    with pytest.raises(InputError, match="17 candidate indicators"):
        all_subsets(np.zeros((40, 17)), np.arange(40.0), [f"c{k}" for k in range(17)])


def test_bootstrap_is_the_refit_of_each_resample() -> None:
    observations = synthetic(12)
    x, y = observations.select(NAMES).to_numpy(), np.log(observations["loss"].to_numpy())
    coefficients = bootstrap_coefficients(x, y, 50, seed=3)
    drawn = np.random.default_rng(3).integers(0, 12, size=(50, 12))
    refits = [np.linalg.lstsq(sm.add_constant(x[rows]), y[rows])[0] for rows in drawn]
    assert coefficients == pytest.approx(np.array(refits), rel=1e-5, abs=1e-8)


def test_degenerate_resamples_are_dropped_and_counted() -> None:
    rule = fit(synthetic(5), NAMES[:2], bootstrap=500, seed=0)
    assert rule["bootstrap_degenerate"] > 0
    assert rule["bootstrap_resamples"] + rule["bootstrap_degenerate"] == 500


def test_auto_is_limited_in_number_and_by_observations() -> None:
    observations = synthetic(60)
    arguments = {"candidates": None, "bootstrap": 0, "seed": 0}
    rule, sets = estimated(observations, "auto", max_indicators=2, **arguments)
    assert rule["indicators"] == ["reward", "output_length"] and sets.height == 7
    # Nine observations allow two indicators, eight allow one, five none.
    assert len(estimated(observations.head(9), "auto", max_indicators=4, **arguments)[0]["indicators"]) == 2
    assert len(estimated(observations.head(8), "auto", max_indicators=4, **arguments)[0]["indicators"]) == 1
    with pytest.raises(InputError, match="5 observations are too few to choose indicators: 6 are needed for one"):
        estimated(observations.head(5), "auto", max_indicators=4, **arguments)
    rule, sets = estimated(observations, "auto", max_indicators=4, candidates=["coherence"], bootstrap=0, seed=0)
    assert rule["indicators"] == ["coherence"] and sets.height == 1


def noise(n: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, p)), generator.normal(size=n), [f"c{k}" for k in range(p)]


@pytest.mark.parametrize(("n", "p", "largest"), [(12, 5, 3), (20, 4, 2), (6, 3, 4)])
def test_selection_is_repeated_in_every_fold(n: int, p: int, largest: int) -> None:
    x, y, names = noise(n, p, seed=n)
    figures = with_selection(x, y, largest, seed=5)
    errors = []
    for i in range(n):
        rest = np.arange(n) != i
        chosen = choose(all_subsets(x[rest], y[rest], names), largest, n)
        columns = [names.index(name) for name in chosen]
        model = sm.OLS(y[rest], sm.add_constant(x[rest][:, columns])).fit()
        errors.append(y[i] - model.params @ [1.0, *x[i, columns]])
    expected = 1 - np.square(errors).sum() / np.square(y - y.mean()).sum()
    assert figures["loo_r_squared_with_selection"] == pytest.approx(expected, rel=1e-8)
    sets = all_subsets(x, y, names).filter(pl.col("n_indicators") <= diagnostics.largest_set(largest, n))
    assert figures["sets_compared"] == sets.height

    def best(values: np.ndarray) -> float:
        table = all_subsets(x, values, names)
        return table.filter(pl.col("n_indicators") <= sets["n_indicators"].max())["r_squared"].max()

    generator = np.random.default_rng(5)
    reached = [best(generator.permutation(y)) >= best(y) for _ in range(diagnostics.PERMUTATIONS)]
    assert figures["selection_p_value"] == pytest.approx((1 + sum(reached)) / (1 + diagnostics.PERMUTATIONS))


def test_a_set_chosen_from_noise_is_seen_through_and_a_signal_is_not() -> None:
    x, y, names = noise(12, 9, seed=0)
    table = pl.DataFrame({"mixture": [f"m-{i}" for i in range(12)], **dict(zip(names, x.T, strict=True))})
    arguments = {"candidates": None, "max_indicators": 3, "bootstrap": 0, "seed": 0}
    rule, _ = estimated(table.with_columns(loss=np.exp(0.1 * y)), "auto", **arguments)
    assert rule["r_squared"] > 0.5 and rule["sets_compared"] == 129
    assert rule["loo_r_squared_with_selection"] < 0 and rule["selection_p_value"] > 0.3
    real, _ = estimated(synthetic(40, 0.01), "auto", **arguments)
    assert real["loo_r_squared_with_selection"] > 0.8
    assert real["selection_p_value"] == pytest.approx(1 / (1 + diagnostics.PERMUTATIONS))
    given, _ = estimated(synthetic(40, 0.01), ["reward"], **arguments)
    assert [given[key] for key in SELECTION] == [None, None, None]


def test_an_observation_that_alone_moves_every_candidate_cannot_be_left_out() -> None:
    x = np.zeros((8, 1))
    x[3] = 1.0
    assert with_selection(x, np.arange(8.0) ** 2, 1, seed=0)["loo_r_squared_with_selection"] is None


def test_the_formula_is_one_line() -> None:
    rule = {"coefficients": {"intercept": 0.5, "reward": -0.25, "mtld": 1e-5}}
    assert formula(rule) == "log loss = 0.5 - 0.25 · reward + 1e-05 · mtld"


def test_equal_r_squared_goes_by_the_p_values() -> None:
    sets = pl.DataFrame(
        {
            "indicators": ["a", "b", "c"],
            "n_indicators": [1, 1, 1],
            "r_squared": [0.5, 0.5 + 1e-14, 0.4],
            "largest_p": [0.01, 0.02, 0.001],
        }
    )
    assert choose(sets, 4, 30) == ["a"]


@settings(max_examples=30, deadline=None)
@given(st.permutations(NAMES), st.floats(-3, 3), st.floats(-6, 6))
def test_choice_does_not_depend_on_order_or_units(names: list[str], shift: float, exponent: float) -> None:
    observations = synthetic(20)
    moved = observations.select("mixture", *names, "loss").with_columns(pl.col(names) * 10**exponent + shift)
    arguments = {"candidates": None, "max_indicators": 2, "bootstrap": 0, "seed": 0}
    chosen = estimated(moved, "auto", **arguments)[0]
    reference = estimated(observations, "auto", **arguments)[0]
    assert set(chosen["indicators"]) == set(reference["indicators"])
    assert chosen["r_squared"] == pytest.approx(reference["r_squared"], rel=1e-6)


def test_columns_without_information_are_named() -> None:
    observations = synthetic(30).with_columns(
        flat=pl.lit(0.1), total=2 * pl.col("reward") + pl.col("output_length") - 1
    )
    for columns, message in (
        (["reward", "flat"], "indicator flat is constant over the 30 observations"),
        (["coherence", "reward", "output_length", "total"], "indicators reward, output_length, total are perfectly"),
    ):
        with pytest.raises(InputError, match=message):
            fit(observations, columns, bootstrap=0, seed=0)
    arguments = {"max_indicators": 3, "bootstrap": 0, "seed": 0}
    with pytest.raises(InputError, match="candidate indicators: flat: constant"):
        estimated(observations, "auto", candidates=["reward", "flat"], **arguments)
    with pytest.raises(InputError, match="reward, output_length, total: perfectly collinear"):
        estimated(observations, "auto", candidates=["reward", "output_length", "total"], **arguments)
    # Given indicators are fitted, and the table shows the useless sets without figures.
    rule, sets = estimated(observations, ["reward"], candidates=None, **arguments)
    assert rule["indicators"] == ["reward"]
    assert sets.filter(indicators="flat")["r_squared"].to_list() == [None]


def test_losses_and_numbers_that_cannot_be_fitted() -> None:
    observations = synthetic(6)
    with pytest.raises(InputError, match="4 observations are too few to fit 3 indicators: 5 needed"):
        fit(observations.head(4), NAMES, bootstrap=0, seed=0)
    with pytest.raises(InputError, match="the loss is the same in all 6"):
        fit(observations.with_columns(loss=pl.lit(2.0)), NAMES[:1], bootstrap=0, seed=0)
    with pytest.raises(InputError, match="no indicator mtld"):
        fit(observations, ["mtld"], bootstrap=0, seed=0)
    exact = observations.with_columns(loss=(pl.col("reward") * 0.5).exp())
    with pytest.raises(InputError, match="exact function of reward"):
        fit(exact, ["reward"], bootstrap=0, seed=0)


def test_presets() -> None:
    rule = published("instructmining-v2", {"reward": "reward_pythia"})
    assert rule["coefficients"] == {
        "intercept": 0.0274,
        "reward_pythia": -0.0078,
        "understandability": 0.4421,
        "naturalness": -0.3212,
        "coherence": -0.1520,
    }
    assert rule["standard_errors"]["reward_pythia"] == 0.003
    assert rule["published_names"]["reward_pythia"] == "reward"
    frame = pl.DataFrame({"reward_pythia": [1.0, None], "understandability": 0.8, "naturalness": 0.7, "coherence": 0.9})
    assert predict(rule, frame).to_list() == pytest.approx(
        [0.0274 - 0.0078 + 0.4421 * 0.8 - 0.3212 * 0.7 - 0.1520 * 0.9, None], nan_ok=True
    )
    first = published("instructmining-v1")
    assert first["coefficients"] == {
        "intercept": 1.0694,
        "reward": -0.1498,
        "output_length": 8.257e-5,
        "knn_6": -0.9350,
    }
    assert set(first["standard_errors"].values()) == {None}
    for preset, columns, message in (
        ("instructmining-v3", None, "expected one of instructmining-v1, instructmining-v2"),
        ("instructmining-v1", {"mtld": "x"}, "it has no indicator mtld"),
        ("instructmining-v1", {"reward": "knn_6"}, "two indicators share a column"),
    ):
        with pytest.raises(InputError, match=message):
            published(preset, columns)
    assert set(PRESETS) == {"instructmining-v1", "instructmining-v2"}
    observed = with_predictions(first, empty(first["indicators"]))
    assert observed.columns == [
        "mixture", "reward", "output_length", "knn_6", "loss", "log_loss", "predicted_log_loss",
    ]  # fmt: skip


def test_predictions_and_summary() -> None:
    observations = synthetic(30)
    rule, sets = estimated(observations, "auto", candidates=None, max_indicators=2, bootstrap=10, seed=0)
    table = with_predictions(rule, observations)
    assert table.columns[-3:] == ["loss", "log_loss", "predicted_log_loss"]
    residual = (table["log_loss"] - table["predicted_log_loss"]).to_numpy()
    assert 1 - (residual**2).sum() / table["log_loss"].var() / 29 == pytest.approx(rule["r_squared"])
    report = summary(rule, sets, {"reward": 2})
    assert report["best_sets"]["r_squared"]["indicators"] == rule["indicators"]
    assert report["best_sets"]["bic"]["value"] == sets["bic"].min()
    assert report["best_sets"]["loo_r_squared"]["value"] == sets["loo_r_squared"].max()
    assert report["examples_without_value"] == {"reward": 2}


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published observations are not beside the project")
def test_published_observations_give_the_published_analysis() -> None:
    columns = ["reward", "understandability", "naturalness", "coherence"]
    observations = from_csv(PUBLISHED, columns)
    assert observations.height == 124 and len(indicator_columns(observations)) == 9
    rule, sets = estimated(observations, columns, candidates=None, max_indicators=4, bootstrap=500, seed=0)
    names = ["intercept", *columns]
    expected = [0.02456, -0.00779, 0.43793, -0.31482, -0.15028]
    assert [rule["coefficients"][name] for name in names] == pytest.approx(expected, abs=5e-6)
    errors = [0.063, 0.0029, 0.166, 0.108, 0.127]
    assert [rule["standard_errors"][name] for name in names] == pytest.approx(errors, abs=5e-4)
    assert rule["r_squared"] == pytest.approx(0.5018, abs=5e-5)
    assert rule["f"] == pytest.approx(29.96, abs=5e-3)
    assert rule["log_likelihood"] == pytest.approx(415.04, abs=5e-3)
    assert rule["vif"]["understandability"] == pytest.approx(49, abs=0.5)
    assert rule["vif"]["naturalness"] == pytest.approx(27, abs=0.5)
    assert sets.height == 511
    best = summary(rule, sets, {})["best_sets"]
    assert set(best["r_squared"]["indicators"]) == {"input_length", "output_length", "naturalness", "perplexity"}
    assert best["r_squared"]["value"] == pytest.approx(0.539, abs=5e-4)
    assert set(best["bic"]["indicators"]) == {"naturalness", "perplexity"}

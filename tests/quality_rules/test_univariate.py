"""Univariate fits: against statsmodels and scipy, and indicators that cannot be fitted."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats

from instructmining.quality_rules.univariate import FIGURES, univariate_fits
from observed import NAMES, synthetic


def test_figures_are_those_of_statsmodels_and_scipy() -> None:
    observations = synthetic(30)
    y = np.log(observations["loss"].to_numpy())
    found = univariate_fits(observations, NAMES)
    assert found["indicator"].to_list() == NAMES
    for row in found.iter_rows(named=True):
        x = observations[row["indicator"]].to_numpy()
        reference = sm.OLS(y, sm.add_constant(x)).fit()
        interval = stats.pearsonr(x, y).confidence_interval(0.95)
        assert [row["intercept"], row["slope"]] == pytest.approx(list(reference.params))
        assert [row["slope_low"], row["slope_high"]] == pytest.approx(list(reference.conf_int()[1]))
        assert row["p"] == pytest.approx(reference.pvalues[1])
        assert row["r"] ** 2 == pytest.approx(reference.rsquared)
        assert [row["r_low"], row["r_high"]] == pytest.approx([interval.low, interval.high])
        assert (row["n"], row["lowest"], row["highest"]) == (30, x.min(), x.max())


def test_what_cannot_be_fitted_is_null() -> None:
    observations = synthetic(10).with_columns(flat=pl.lit(0.1))
    row = univariate_fits(observations, ["flat"]).row(0, named=True)
    assert (row["lowest"], row["n"]) == (0.1, 10)
    assert all(row[name] is None for name in FIGURES if name not in ("lowest", "highest"))
    few = univariate_fits(observations.head(3), ["reward"]).row(0, named=True)
    assert few["slope"] is not None and few["r_low"] is None
    assert univariate_fits(observations.head(2), ["reward"])["slope"].to_list() == [None]
    assert univariate_fits(observations.head(0), ["reward"]).is_empty()

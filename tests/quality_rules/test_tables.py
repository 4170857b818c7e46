"""Tables of a quality rule: what statsmodels prints, the published rule beside it, and LaTeX that compiles."""

import re

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.stats.stattools import durbin_watson, jarque_bera, omni_normtest

from instructmining.quality_rules.observations import empty
from instructmining.quality_rules.regression import fit, published, with_predictions
from instructmining.quality_rules.tables import beside_published, coefficient_table, fit_table, latex
from observed import NAMES, synthetic


def fitted(n: int = 60):
    observations = synthetic(n)
    rule = fit(observations, NAMES, bootstrap=50, seed=0)
    return rule, with_predictions(rule, observations)


def test_figures_are_those_of_a_statsmodels_summary() -> None:
    rule, observations = fitted()
    reference = sm.OLS(
        observations["log_loss"].to_numpy(), sm.add_constant(observations.select(NAMES).to_numpy())
    ).fit()
    table = coefficient_table(rule)
    assert table["term"].to_list() == ["intercept", *NAMES]
    assert table["t"].to_list() == pytest.approx(list(reference.tvalues))
    assert table.select("low", "high").to_numpy() == pytest.approx(reference.conf_int())
    value = dict(fit_table(rule, observations).iter_rows())
    assert (value["n"], value["df_model"], value["df_residuals"]) == (60, 3, 56)
    assert [value["omnibus"], value["omnibus_p"]] == pytest.approx(list(omni_normtest(reference.resid)))
    bera = [value[name] for name in ("jarque_bera", "jarque_bera_p", "skew", "kurtosis")]
    assert bera == pytest.approx(list(jarque_bera(reference.resid)))
    assert value["durbin_watson"] == pytest.approx(durbin_watson(reference.resid))
    assert value["loo_r_squared"] == rule["loo_r_squared"]
    assert dict(fit_table(*fitted(7)).iter_rows())["omnibus"] is None


def test_a_published_rule_has_what_was_published_and_no_more() -> None:
    rule = published("instructmining-v2")
    table = coefficient_table(rule)
    assert table.filter(term="coherence")["t"].item() == pytest.approx(-0.152 / 0.129)
    assert table["p"].null_count() == table["vif"].null_count() == 5
    value = dict(fit_table(rule, with_predictions(rule, empty(rule["indicators"]))).iter_rows())
    assert {name: found for name, found in value.items() if found is not None} == {
        "n": 129,
        "r_squared": 0.522,
        "df_model": 4,
        "df_residuals": 124,
    }
    assert coefficient_table(published("instructmining-v1"))["t"].null_count() == 4


def test_the_published_rule_beside_one_with_other_indicators() -> None:
    rule, observations = fitted()
    table = beside_published(rule, "instructmining-v2", observations)
    rows = {(row["figure"], row["term"]): row for row in table.iter_rows(named=True)}
    reward = rows["coefficient", "reward"]
    assert reward["difference"] == pytest.approx(rule["coefficients"]["reward"] + 0.0078)
    assert reward["in_standard_errors"] == pytest.approx(reward["difference"] / 0.003)
    assert rows["coefficient", "output_length"]["published"] is None
    assert rows["coefficient", "understandability"]["here"] is None
    assert rows["standard_error", "coherence"]["published"] == 0.129
    assert (rows["n", None]["published"], rows["f", None]["published"]) == (129, 33.84)
    assert rows["log_likelihood", None]["difference"] == pytest.approx(rule["log_likelihood"] - 435.11)
    # the observations have no naturalness: the published coefficients say nothing about them
    assert rows["r_squared_on_these", None]["published"] is None
    assert rows["r_squared_on_these", None]["here"] == pytest.approx(rule["r_squared"])
    assert beside_published(rule, None, observations).is_empty()


def test_published_coefficients_are_tried_as_they_are() -> None:
    generator = np.random.default_rng(0)
    names = ["reward", "understandability", "naturalness", "coherence"]
    frame = pl.DataFrame({name: generator.normal(1, 0.1, 50) for name in names})
    rule = published("instructmining-v2")
    observations = with_predictions(rule, frame.with_columns(mixture=pl.lit("m"), loss=pl.lit(1.0)))
    exact = observations.with_columns(loss=pl.col("predicted_log_loss").exp()).drop("log_loss", "predicted_log_loss")
    table = beside_published(rule, "instructmining-v2", exact)
    assert table.filter(figure="r_squared_on_these")["published"].item() == pytest.approx(1.0)
    assert table.filter(figure="coefficient")["difference"].to_list() == [0.0] * 5


def test_latex_has_as_many_cells_as_columns_and_no_bare_underscore() -> None:
    rule, observations = fitted()
    for found in (rule, published("instructmining-v1")):
        text = latex("my_rule", coefficient_table(found), fit_table(found, observations))
        assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 3
        for columns, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
            rows = [line for line in body.splitlines() if line.endswith("\\\\")]
            assert rows and {line.count("&") for line in rows} == {len(columns) - 1}
        assert re.search(r"(?<!\\)_", text) is None and text.count("$") % 2 == 0 and "None" not in text
        assert text.count("{") == text.count("}")
    value = f"output\\_length & ${rule['coefficients']['output_length']:.4f}$ &"
    assert value in latex("r", coefficient_table(rule), fit_table(rule, observations))
    small = pl.DataFrame({"figure": ["f_p_value"], "value": [3.0690953e-17]})
    whole = fit_table(rule, observations).filter(pl.col("figure") != "f_p_value")
    assert "$3.07\\cdot 10^{-17}$" in latex("r", coefficient_table(rule), pl.concat([whole, small]))

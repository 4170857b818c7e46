"""The tables of a quality rule: the regression as a paper prints it, and a published rule beside it.

A rule is results/quality_rules/{name}.json; of published coefficients most figures are null.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from instructmining.quality_rules.presets import PRESETS
from instructmining.quality_rules.regression import published, with_predictions

# Column -> the rule's key; the ends of an interval are columns of their own.
_BY_TERM = {
    "coefficient": "coefficients",
    "standard_error": "standard_errors",
    "p": "p_values",
    "hc3_standard_error": "hc3_standard_errors",
    "hc3_p": "hc3_p_values",
    "vif": "vif",
}
_INTERVALS = {"": "confidence_intervals", "bootstrap_": "bootstrap_intervals"}
TERM_COLUMNS = (
    *("coefficient", "standard_error", "t", "p", "low", "high", "vif"),
    *("hc3_standard_error", "hc3_p", "bootstrap_low", "bootstrap_high"),
)
OF_THE_FIT = ("n", "r_squared", "adjusted_r_squared", "f", "f_p_value", "log_likelihood", "aic", "bic")
# What equation 4 and Table 9 say of the fit as a whole.
_PUBLISHED = ("n", "r_squared", "f", "log_likelihood")


def coefficient_table(rule: Mapping[str, Any]) -> pl.DataFrame:
    """A row a term, intercept first: ``term`` and ``TERM_COLUMNS``, null where the rule does not know.

    ``t`` is coefficient / standard error; ``low`` and ``high`` end the 95 % interval, ``bootstrap_…`` that of the pairs
    bootstrap.
    """
    rows = []
    for term, coefficient in rule["coefficients"].items():
        row = {column: rule.get(key, {}).get(term) for column, key in _BY_TERM.items()}
        row["t"] = coefficient / row["standard_error"] if row["standard_error"] else None
        for prefix, key in _INTERVALS.items():
            row[f"{prefix}low"], row[f"{prefix}high"] = rule.get(key, {}).get(term) or (None, None)
        rows.append({"term": term, **row})
    return pl.DataFrame(rows, schema={"term": pl.String, **dict.fromkeys(TERM_COLUMNS, pl.Float64)})


def fit_table(rule: Mapping[str, Any], observations: pl.DataFrame) -> pl.DataFrame:
    """The other figures of an OLS summary, a row each: ``figure``, ``value`` (null where not known).

    Those of the fit are the rule's, ``leave-one-out R²`` beside them; those of the residuals are computed from
    ``observations`` (``log_loss``, ``predicted_log_loss``) as statsmodels prints them.
    """
    found: dict[str, float | None] = {key: rule.get(key) for key in OF_THE_FIT}
    n, terms = rule.get("n"), len(rule["coefficients"])
    found |= {"df_model": terms - 1, "df_residuals": None if n is None else n - terms}
    found["loo_r_squared"] = rule.get("loo_r_squared")
    found |= _residual_figures(observations)
    found["condition_number"] = rule.get("condition_number")
    return pl.DataFrame(
        {"figure": list(found), "value": list(found.values())},
        schema={"figure": pl.String, "value": pl.Float64},
        strict=False,
    )


def _residual_figures(observations: pl.DataFrame) -> dict[str, float | None]:
    """Omnibus (D'Agostino & Pearson; from 8 observations), Jarque-Bera, skew, kurtosis (3 is normal), Durbin-Watson."""
    names = ("omnibus", "omnibus_p", "jarque_bera", "jarque_bera_p", "skew", "kurtosis", "durbin_watson")
    found: dict[str, float | None] = dict.fromkeys(names)
    if observations.is_empty():
        return found
    from scipy import stats

    residuals = (observations["log_loss"] - observations["predicted_log_loss"]).to_numpy()
    bera = stats.jarque_bera(residuals)
    found |= {"jarque_bera": float(bera.statistic), "jarque_bera_p": float(bera.pvalue)}
    found |= {"skew": float(stats.skew(residuals)), "kurtosis": float(stats.kurtosis(residuals, fisher=False))}
    found["durbin_watson"] = float(np.square(np.diff(residuals)).sum() / np.square(residuals).sum())
    if len(residuals) >= 8:
        omnibus = stats.normaltest(residuals)
        found |= {"omnibus": float(omnibus.statistic), "omnibus_p": float(omnibus.pvalue)}
    return found


def beside_published(rule: Mapping[str, Any], preset: str | None, observations: pl.DataFrame) -> pl.DataFrame:
    """A rule's figures and those that were published, a row each, under the published indicator names.

    Columns: ``figure`` ("coefficient", "standard_error", or one of the whole fit), ``term`` (null for the latter),
    ``here``, ``published``, ``difference`` (here less published), and ``in_standard_errors``: the difference of a
    coefficient over its published standard error. The last row, "r_squared_on_these", is the R² of both sets of
    coefficients on ``observations``, nothing fitted anew. Null where one side does not have it. No rows without
    ``preset``.
    """
    numbers = ["here", "published", "difference", "in_standard_errors"]
    schema = {"figure": pl.String, "term": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    if preset is None:
        return pl.DataFrame(schema=schema)
    source = PRESETS[preset]
    terms = list(dict.fromkeys([*source["coefficients"], *rule["coefficients"]]))
    rows: list[dict[str, Any]] = []
    for figure in ("coefficient", "standard_error"):
        for term in terms:
            here, there = rule[f"{figure}s"].get(term), source[f"{figure}s"].get(term)
            rows.append({"figure": figure, "term": term, **_difference(here, there)})
            error = source["standard_errors"].get(term)
            if figure == "coefficient" and error and rows[-1]["difference"] is not None:
                rows[-1]["in_standard_errors"] = rows[-1]["difference"] / error
    rows += [{"figure": key, "term": None, **_difference(rule.get(key), source[key])} for key in _PUBLISHED]
    explained = [_explained(found, observations) for found in (rule, published(preset))]
    rows.append({"figure": "r_squared_on_these", "term": None, **_difference(*explained)})
    return pl.DataFrame(rows, schema=schema)


def _explained(rule: Mapping[str, Any], observations: pl.DataFrame) -> float | None:
    """R² of a rule's predictions, as they are; null without observations or without one of its indicators."""
    if observations.is_empty() or not set(rule["indicators"]) <= set(observations.columns):
        return None
    frame = with_predictions(rule, observations)
    y, predicted = frame["log_loss"].to_numpy(), frame["predicted_log_loss"].to_numpy()
    return float(1 - np.square(y - predicted).sum() / np.square(y - y.mean()).sum())


def _difference(here: float | None, there: float | None) -> dict[str, Any]:
    return {"here": here, "published": there, "difference": None if here is None or there is None else here - there}


def latex(name: str, coefficients: pl.DataFrame, fit: pl.DataFrame) -> str:
    """The regression as a LaTeX table: what statsmodels' summary has, set with booktabs (Table 9).

    ``coefficients``, ``fit``: those of ``coefficient_table`` and ``fit_table``. What is not known is a dash.
    """
    value = dict(fit.iter_rows())
    above = [
        ("Dependent variable", "$\\log$ loss", "$R^2$", _number(value["r_squared"])),
        ("Method", "OLS", "Adjusted $R^2$", _number(value["adjusted_r_squared"])),
        ("Observations", _count(value["n"]), "$F$", _number(value["f"], 2)),
        ("Residual df", _count(value["df_residuals"]), "$p(F)$", _number(value["f_p_value"])),
        ("Model df", _count(value["df_model"]), "Log-likelihood", _number(value["log_likelihood"], 2)),
        ("AIC", _number(value["aic"], 1), "BIC", _number(value["bic"], 1)),
    ]
    below = [
        ("Omnibus", _number(value["omnibus"]), "Durbin--Watson", _number(value["durbin_watson"])),
        ("$p$(Omnibus)", _number(value["omnibus_p"]), "Jarque--Bera", _number(value["jarque_bera"])),
        ("Skew", _number(value["skew"]), "$p$(Jarque--Bera)", _number(value["jarque_bera_p"])),
        ("Kurtosis", _number(value["kurtosis"]), "Condition number", _number(value["condition_number"], 1)),
        ("Leave-one-out $R^2$", _number(value["loo_r_squared"]), "", ""),
    ]
    head = ("", "coefficient", "std.\\ error", "$t$", "$p$", "[0.025", "0.975]")
    columns = ("coefficient", "standard_error", "t", "p", "low", "high")
    terms = [
        (_escaped(row["term"]), _number(row["coefficient"], 4), *(_number(row[key]) for key in columns[1:]))
        for row in coefficients.iter_rows(named=True)
    ]
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{OLS of $\\log$ loss on indicator means: quality rule {_escaped(name)}.}}",
        *_tabular("lrlr", [above]),
        "",
        "\\medskip",
        "",
        *_tabular("lrrrrrr", [[head], terms]),
        "",
        "\\medskip",
        "",
        *_tabular("lrlr", [below]),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _tabular(columns: str, groups: Sequence[Sequence[tuple[str, ...]]]) -> list[str]:
    lines = [f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
    for i, group in enumerate(groups):
        lines += [*(["\\midrule"] if i else []), *(f"{' & '.join(cells)} \\\\" for cells in group)]
    return [*lines, "\\bottomrule", "\\end{tabular}"]


def _number(value: float | None, digits: int = 3) -> str:
    """A fixed number of decimals; a power of ten for what they would round to nothing."""
    if value is None:
        return "--"
    if value and abs(value) < 0.5 * 10**-digits:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"${mantissa}\\cdot 10^{{{int(exponent)}}}$"
    return f"${value:.{digits}f}$"


def _count(value: float | None) -> str:
    return "--" if value is None else f"{value:.0f}"


def _escaped(text: str) -> str:
    return text.replace("_", "\\_")

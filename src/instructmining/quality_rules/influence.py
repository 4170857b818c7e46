"""Single observations that carry a quality rule: Cook's distance, and the fit without those that stand out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.quality_rules.regression import fit


def threshold(n: int) -> float:
    """Cook's distance above which an observation of n deserves a look: 4 / n (Bollen & Jackman 1990)."""
    return 4 / n


def influence(rule: Mapping[str, Any], observations: pl.DataFrame) -> pl.DataFrame:
    """How much each observation moves the fit of a rule that was fitted on them, the most influential first.

    Columns: ``mixture``, ``cooks_distance`` (Cook 1977), ``leverage``, ``studentised_residual`` (externally: with the
    error variance of the fit without it; null where that has no degree of freedom), and ``moves_{term}``: the
    coefficient less that without the observation, in standard errors of the latter (DFBETAS; Belsley, Kuh & Welsch
    1980). No rows for a rule without observations.
    """
    import statsmodels.api as sm

    names = list(rule["indicators"])
    columns = ["cooks_distance", "leverage", "studentised_residual", *(f"moves_{n}" for n in ["intercept", *names])]
    schema = {"mixture": pl.String, **dict.fromkeys(columns, pl.Float64)}
    if observations.is_empty():
        return pl.DataFrame(schema=schema)
    x = observations.select(pl.col(names).cast(pl.Float64)).to_numpy()
    result = sm.OLS(np.log(observations["loss"].to_numpy()), np.column_stack([np.ones(len(x)), x])).fit()
    found = result.get_influence()
    with np.errstate(divide="ignore", invalid="ignore"):
        distances, studentised = found.cooks_distance[0], found.resid_studentized_external
        # With one degree of freedom there is none left without the observation.
        moves = found.dfbetas if result.df_resid > 1 else np.full((len(x), len(names) + 1), np.nan)
    values = np.column_stack([distances, found.hat_matrix_diag, studentised, moves])
    values = np.where(np.isfinite(values), values, np.nan)
    table = pl.DataFrame(
        {"mixture": observations["mixture"], **dict(zip(columns, values.T, strict=True))}, schema=schema
    )
    return table.with_columns(pl.col(columns).fill_nan(None)).sort(
        "cooks_distance", "mixture", descending=[True, False], nulls_last=True
    )


def influential(table: pl.DataFrame) -> list[str]:
    """Mixtures of ``influence``'s table above the threshold."""
    above = table.filter(pl.col("cooks_distance") > threshold(max(table.height, 1)))
    return above["mixture"].to_list()


def without_influential(rule: Mapping[str, Any], observations: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """The rule fitted anew without the influential observations: a row a term.

    Columns: ``term``, ``coefficient``, ``p``, ``coefficient_without``, ``p_without``, and of the whole fit, the same
    in every row, ``n_without``, ``r_squared_without``. No rows where none is influential, or the rest cannot be fitted.
    """
    schema = {"term": pl.String, **dict.fromkeys(["coefficient", "p", "coefficient_without", "p_without"], pl.Float64)}
    schema |= {"n_without": pl.Int64, "r_squared_without": pl.Float64}
    left_out = influential(table)
    rest = observations.filter(~pl.col("mixture").is_in(left_out))
    try:
        anew = fit(rest, rule["indicators"], bootstrap=0, seed=0) if left_out else None
    except InputError:  # too few are left, or a column no longer varies: the table has nothing to say
        anew = None
    if anew is None:
        return pl.DataFrame(schema=schema)
    return pl.DataFrame(
        {
            "term": list(rule["coefficients"]),
            "coefficient": list(rule["coefficients"].values()),
            "p": [rule["p_values"][term] for term in rule["coefficients"]],
            "coefficient_without": [anew["coefficients"][term] for term in rule["coefficients"]],
            "p_without": [anew["p_values"][term] for term in rule["coefficients"]],
            "n_without": anew["n"],
            "r_squared_without": anew["r_squared"],
        },
        schema=schema,
    )

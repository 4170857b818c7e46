"""Quality rules: log(loss) of a mixture as a linear function of its indicator means; lower is better.

Source: Cao et al. 2023 (arXiv 2307.06290), section 3, equation 4 and Table 9. log is the natural logarithm. A rule is
plain data (the JSON of results/quality_rules/): fitted here, or published.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.quality_rules import diagnostics
from instructmining.quality_rules.observations import indicator_columns
from instructmining.quality_rules.presets import PRESETS, published_names

TARGET = {"target": "log_loss", "direction": "lower_is_better"}
# criterion of the all-subsets table -> is a larger value better
CRITERIA = {"adjusted_r_squared": True, "aic": False, "bic": False, "loo_r_squared": True}
# What a rule whose set the losses have chosen says of that choice; null for a list given beforehand.
SELECTION = ("loo_r_squared_with_selection", "selection_p_value", "sets_compared")


def formula(rule: Mapping[str, Any]) -> str:
    """A rule in one line: log loss = 0.0274 - 0.0078 · reward + …"""
    values = dict(rule["coefficients"])
    terms = [f"{values.pop('intercept'):.4g}"]
    terms += [f"{'-' if value < 0 else '+'} {abs(value):.4g} · {name}" for name, value in values.items()]
    return f"log loss = {' '.join(terms)}"


def published(preset: str, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A rule with published coefficients; ``columns`` maps a published indicator name to the user's column.

    What the paper does not give is null. InputError for an unknown preset or indicator.
    """
    if preset not in PRESETS:
        raise InputError(f"quality rule preset {preset}: expected one of {', '.join(PRESETS)}")
    source = PRESETS[preset]
    names = published_names(preset)
    mapping = {name: name for name in source["coefficients"]}
    unknown = sorted(set(columns or {}) - set(names))
    if unknown:
        raise InputError(f"quality rule preset {preset}: columns: it has no indicator {', '.join(unknown)}")
    mapping |= columns or {}
    if len(set(mapping.values())) < len(mapping):
        raise InputError(f"quality rule preset {preset}: columns: two indicators share a column")
    return {
        **TARGET,
        "preset": preset,
        "note": source["note"],
        "indicators": [mapping[name] for name in names],
        "published_names": {mapping[name]: name for name in names},
        "coefficients": {mapping[name]: value for name, value in source["coefficients"].items()},
        "standard_errors": {mapping[name]: value for name, value in source["standard_errors"].items()},
        "p_values": dict.fromkeys(mapping.values()),
        "r_squared": source["r_squared"],
        "n": source["n"],
    }


def estimate(
    observations: pl.DataFrame, settings: Mapping[str, Any], candidates: Sequence[str] | None
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Fit a rule on its indicators, or on the set that diagnostics.choose takes from ``candidates`` if "auto".

    ``settings``: the rule's config, of which ``indicators``, ``max_indicators``, ``bootstrap`` and ``seed`` are read.
    ``candidates`` None means every indicator of the observations. Returns the rule, for "auto" with the figures of
    diagnostics.with_selection (null otherwise), and the all-subsets table: of the candidates, or, where the
    indicators are given, of every indicator at hand.
    """
    indicators, max_indicators = settings["indicators"], settings["max_indicators"]
    bootstrap, seed = settings["bootstrap"], settings["seed"]
    considered = indicator_columns(observations)
    if indicators == "auto":
        considered = list(candidates or considered)
    elif len(considered) > diagnostics.MAX_CANDIDATES:
        considered = list(indicators)
    x, y = _arrays(observations, considered)
    sets = diagnostics.all_subsets(x, y, considered)
    if indicators != "auto":
        rule = fit(observations, list(indicators), bootstrap=bootstrap, seed=seed)
        return {**rule, **dict.fromkeys(SELECTION)}, sets
    chosen = diagnostics.choose(sets, max_indicators, len(y))
    rule = fit(observations, chosen, bootstrap=bootstrap, seed=seed)
    return {**rule, **diagnostics.with_selection(x, y, max_indicators, seed)}, sets


def fit(observations: pl.DataFrame, columns: Sequence[str], *, bootstrap: int, seed: int) -> dict[str, Any]:
    """OLS of log(loss) on ``columns`` with an intercept (statsmodels), and its diagnostics, as a rule.

    Intervals are 95 %; ``hc3_`` figures allow for unequal variances; bootstrap intervals are percentiles over pairs
    resamples; ``loo_r_squared`` is 1 - PRESS / total sum of squares; ``condition_number`` is that of the design
    matrix with intercept, unscaled, as statsmodels prints it.

    InputError if columns are missing, constant or collinear, observations too few, or the losses all equal.
    """
    import statsmodels.api as sm  # two seconds, and this module is read whenever the workflow is planned

    x, y = _arrays(observations, columns)
    if len(y) < len(columns) + 2:
        raise InputError(
            f"{len(y)} observations are too few to fit {len(columns)} indicators: {len(columns) + 2} needed"
        )
    diagnostics.check_columns(x, columns)
    result = sm.OLS(y, np.column_stack([np.ones(len(y)), x])).fit()
    if result.ssr <= 1e-24 * result.centered_tss:
        raise InputError(f"the loss of the {len(y)} observations is an exact function of {', '.join(columns)}")
    robust = result.get_robustcov_results("HC3", use_t=True)
    resampled = diagnostics.bootstrap_coefficients(x, y, bootstrap, seed)
    figures = diagnostics.all_subsets(x, y, columns).row(-1, named=True)
    names = ["intercept", *columns]
    return {
        **TARGET,
        "indicators": list(columns),
        "coefficients": _named(names, result.params),
        "standard_errors": _named(names, result.bse),
        "p_values": _named(names, result.pvalues),
        "confidence_intervals": _named(names, result.conf_int()),
        "hc3_standard_errors": _named(names, robust.bse),
        "hc3_p_values": _named(names, robust.pvalues),
        "bootstrap_intervals": _named(names, np.quantile(resampled, [0.025, 0.975], axis=0).T)
        if len(resampled)
        else dict.fromkeys(names),
        "bootstrap_resamples": len(resampled),
        "bootstrap_degenerate": bootstrap - len(resampled),
        "n": len(y),
        "r_squared": float(result.rsquared),
        "adjusted_r_squared": float(result.rsquared_adj),
        "loo_r_squared": figures["loo_r_squared"],
        "aic": float(result.aic),
        "bic": float(result.bic),
        "log_likelihood": float(result.llf),
        "f": float(result.fvalue),
        "f_p_value": float(result.f_pvalue),
        "vif": _named(columns, diagnostics.vif(x)),
        "condition_number": float(result.condition_number),
    }


def predict(rule: Mapping[str, Any], frame: pl.DataFrame) -> pl.Series:
    """Predicted log loss of each row (lower is better); null where an indicator of the rule is null or not finite."""
    slopes = {name: value for name, value in rule["coefficients"].items() if name != "intercept"}
    missing = [name for name in slopes if name not in frame.columns]
    if missing:
        raise InputError(f"quality rule: needs indicator {', '.join(missing)}, which the examples do not have")
    predicted = pl.lit(rule["coefficients"]["intercept"], dtype=pl.Float64)
    for name, slope in slopes.items():
        predicted = predicted + pl.col(name).cast(pl.Float64) * slope
    finite = pl.all_horizontal(pl.col(name).cast(pl.Float64).is_finite() for name in slopes)
    return frame.select(pl.when(finite).then(predicted).alias("predicted_log_loss")).to_series()


def with_predictions(rule: Mapping[str, Any], observations: pl.DataFrame) -> pl.DataFrame:
    """Observations with ``log_loss`` and the rule's ``predicted_log_loss`` as last columns."""
    return observations.with_columns(pl.col("loss").log().alias("log_loss"), predict(rule, observations))


def summary(rule: Mapping[str, Any], sets: pl.DataFrame, nulls: Mapping[str, int]) -> dict[str, Any]:
    """What a reader should know before trusting the rule, beside the figures in the rule itself.

    ``best_sets``: by each criterion the best of all sets; by R² the best with the rule's number of indicators, since
    R² alone always prefers more. ``nulls``: distinct examples used that have no value, per indicator.
    """
    same_number = sets.filter(pl.col("n_indicators") == len(rule["indicators"]))
    best = {"r_squared": same_number.sort("r_squared", descending=True, nulls_last=True)}
    for criterion, descending in CRITERIA.items():
        best[criterion] = sets.sort(criterion, descending=descending, nulls_last=True)
    return {
        "indicators": rule["indicators"],
        "n": rule["n"],
        "sets_fitted": sets.height,
        "best_sets": {
            criterion: {"indicators": table["indicators"][0].split(diagnostics.SEPARATOR), "value": table[criterion][0]}
            for criterion, table in best.items()
            if not table.is_empty()
        },
        "vif_above_10": [name for name, value in rule.get("vif", {}).items() if value > 10],
        "examples_without_value": dict(nulls),
    }


def _arrays(observations: pl.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    missing = [name for name in columns if name not in observations.columns]
    if missing:
        raise InputError(f"quality rule: the observations have no indicator {', '.join(missing)}")
    y = np.log(observations["loss"].to_numpy())
    if len(y) and np.ptp(y) == 0:
        raise InputError(f"the loss is the same in all {len(y)} observations")
    return observations.select(pl.col(columns).cast(pl.Float64)).to_numpy(), y


def _named(names: Sequence[str], values: np.ndarray) -> dict[str, Any]:
    return dict(zip(names, np.asarray(values).tolist(), strict=True))

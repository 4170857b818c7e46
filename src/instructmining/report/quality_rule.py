"""Page "Quality rule": the regression, how far to trust it, and every other set of indicators."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining import figures, pages
from instructmining.regression import SELECTION, formula

# Kutner et al., Applied Linear Statistical Models: a variance inflation factor above 10 is serious collinearity.
LARGE_VIF = 10.0
LARGE_P = 0.05
# Per coefficient; below it a regression fits noise (Harrell, Regression Modeling Strategies, section 4.4).
FEW_OBSERVATIONS = 10


def page(name: str, rule: Mapping[str, Any], observations: pl.DataFrame, all_subsets: pl.DataFrame) -> str:
    """``rule``: results/quality_rules/{name}.json; the frames: its observations.csv and all_subsets.csv, without
    rows for published coefficients."""
    parts = [pages.words(formula(rule), "Lower predicted loss is better: the pool is ranked ascending.")]
    if rule["n"] is not None:
        parts.append(pages.facts(_facts(rule)))
    parts += [pages.bullets(trust(rule)), pages.heading("Coefficients"), pages.table(coefficients(rule), rows=25)]
    if observations.height:
        parts += [
            pages.heading("Fit"),
            pages.charts(
                figures.predicted_observed(observations),
                figures.residuals(observations),
                note="A point is one mixture: one finetuning and its loss.",
            ),
        ]
    if all_subsets.height:
        parts += [
            pages.heading("Every set of indicators"),
            pages.words(
                "The highest R² always goes to the largest set; adjusted R², AIC, BIC and leave-one-out R² each charge "
                "for size in their own way. largest_p is the p value of the set's least certain indicator."
            ),
            pages.table(all_subsets.sort("loo_r_squared", descending=True, nulls_last=True), rows=15),
        ]
    if observations.height:
        parts += [pages.heading("Observations"), pages.table(observations, rows=10)]
    return pages.page(f"Quality rule: {name}", parts)


def trust(rule: Mapping[str, Any]) -> list[str]:
    """What speaks for and against the rule, in sentences; weaknesses are said plainly."""
    if rule.get("preset"):
        published = [f"Published coefficients ({rule['preset']}), not fitted here: whether they hold is not shown."]
        return published + ([f"{rule['note']}."] if rule["note"] else [])
    n, p, loo = rule["n"], len(rule["indicators"]), honest_loo(rule)
    said = [fit_sentence(rule), selection_sentence(rule)]
    sentences = len(said)
    if (rule["selection_p_value"] or 0) > LARGE_P:
        said.append(
            f"Shuffled losses give so high an R² too (p {number(rule['selection_p_value'])}): with so many sets to "
            "choose from, this one may be there by chance. It cannot be trusted to tell good data from bad."
        )
    if loo is None or loo <= 0:
        said.append(
            "The leave-one-out R² is not above zero: for a mixture that it has not seen, the rule predicts the loss "
            "no better than the mean of the others would. It cannot be trusted to tell good data from bad."
        )
    elif loo < rule["r_squared"] / 2:
        said.append("More than half of its R² is gone on mixtures left out: much of the fit is to this sample.")
    if n < FEW_OBSERVATIONS * (p + 1):
        said.append(f"{n} mixtures are few for {p + 1} coefficients: every figure here is uncertain.")
    unsure = [name for name in rule["indicators"] if rule["p_values"][name] > LARGE_P]
    if unsure:
        said.append(f"Not distinguishable from zero (p > {LARGE_P}): {', '.join(unsure)}.")
    crossing = [
        name
        for name in rule["indicators"]
        if (interval := rule["bootstrap_intervals"][name]) and interval[0] <= 0 <= interval[1]
    ]
    if crossing:
        said.append(f"The sign changes within the 95 % bootstrap interval: {', '.join(crossing)}.")
    inflated = [f"{name} ({rule['vif'][name]:.0f})" for name in rule["indicators"] if rule["vif"][name] > LARGE_VIF]
    if inflated:
        said.append(
            f"Nearly given by the other indicators (VIF above {LARGE_VIF:.0f}): {', '.join(inflated)}. Their "
            "coefficients have no meaning one by one."
        )
    if len(said) == sentences:
        said.append("No warning: coefficients are distinguishable from zero and not collinear.")
    return said


def fit_sentence(rule: Mapping[str, Any]) -> str:
    """Which indicators predict the loss, with which R²."""
    if rule["n"] is None:
        return f"{', '.join(rule['indicators'])}: published, without a fit of its own."
    numbers = (
        f"R² {rule['r_squared']:.3f}, adjusted {number(rule.get('adjusted_r_squared'))}, "
        f"leave-one-out {number(rule.get('loo_r_squared'))}"
    )
    return f"The log loss of {rule['n']} mixtures is predicted from {', '.join(rule['indicators'])} with {numbers}."


def honest_loo(rule: Mapping[str, Any]) -> float | None:
    """Leave-one-out R²; of a rule whose set the losses chose, with that choice made anew each time."""
    key = "loo_r_squared" if rule["selection_p_value"] is None else "loo_r_squared_with_selection"
    value: float | None = rule[key]
    return value


def selection_sentence(rule: Mapping[str, Any]) -> str:
    """What the figures of the fit leave out, or take for granted, about where its indicators come from."""
    if rule["selection_p_value"] is None:
        return "The p values hold for a list of indicators given beforehand, not for one found by trying several."
    return (
        f"The losses themselves chose these indicators among {rule['sets_compared']} sets, which flatters every figure "
        "of the fit, R², p values and intervals alike. With the choice made anew for each mixture left out, the "
        f"leave-one-out R² is {number(rule['loo_r_squared_with_selection'])}; shuffled losses reach the R² with "
        f"p {number(rule['selection_p_value'])}."
    )


def coefficients(rule: Mapping[str, Any]) -> pl.DataFrame:
    """A row a coefficient, with whatever uncertainty the rule knows."""
    columns: dict[str, str] = {
        "coefficient": "coefficients",
        "se": "standard_errors",
        "p": "p_values",
        "HC3 se": "hc3_standard_errors",
        "HC3 p": "hc3_p_values",
        "VIF": "vif",
    }
    rows = []
    for name in rule["coefficients"]:
        row = {column: rule[key].get(name) for column, key in columns.items() if key in rule}
        for column, key in (("95 %", "confidence_intervals"), ("bootstrap", "bootstrap_intervals")):
            if key in rule:
                row[f"{column} low"], row[f"{column} high"] = rule[key][name] or (None, None)
        rows.append({"term": name, **row})
    schema = {"term": pl.String, **{name: pl.Float64 for name in rows[0] if name != "term"}}
    return pl.DataFrame(rows, schema=schema)


def _facts(rule: Mapping[str, Any]) -> dict[str, str]:
    named = {
        "mixtures": "n",
        "R²": "r_squared",
        "adjusted R²": "adjusted_r_squared",
        "leave-one-out R²": "loo_r_squared",
        "leave-one-out R², set chosen anew": "loo_r_squared_with_selection",
        "p with the choice counted": "selection_p_value",
        "sets compared": "sets_compared",
        "F": "f",
        "p of F": "f_p_value",
        "AIC": "aic",
        "BIC": "bic",
        "condition number": "condition_number",
    }
    chosen = rule.get("selection_p_value") is not None
    shown = {label: key for label, key in named.items() if key in rule and (chosen or key not in SELECTION)}
    return {label: number(rule[key]) for label, key in shown.items()}


def number(value: float | None) -> str:
    """A figure, short: three decimals or four digits."""
    if value is None:
        return "null"
    shown = str(value) if isinstance(value, int) else f"{value:.3f}" if abs(value) < 1 else f"{value:.4g}"
    return f"{value:.2g}" if value and abs(value) < 0.001 else shown

"""What the checks of a quality rule say, in sentences: rule_checks.Checks in, words out."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.quality_rules.checks import Checks, is_set
from instructmining.quality_rules.diagnostics import SEPARATOR
from instructmining.quality_rules.influence import influential

LARGE_P = 0.05
# Kutner et al., Applied Linear Statistical Models: a variance inflation factor above 10 is serious collinearity.
LARGE_VIF = 10.0
# Kass & Raftery 1995: a difference in BIC above 10 is very strong evidence.
STRONG_BIC = 10.0
# A set chosen in fewer resamples than this was not the natural choice.
RARE = 0.05
# Two standard errors: what "distinguishable from zero" means where only a coefficient and its error are published.
SIGNIFICANT_T = 1.96
CRITERIA = {
    "r_squared": "R² (among sets of as many)",
    "adjusted_r_squared": "adjusted R²",
    "aic": "AIC",
    "bic": "BIC",
    "loo_r_squared": "leave-one-out R²",
}


def in_short(rule: Mapping[str, Any], sets: pl.DataFrame, checks: Checks, loo: float | None) -> str:
    """Of a fitted rule, in one paragraph: does it predict, can its coefficients be read, is its set the one to take?

    ``sets``: its all-subsets table; ``loo``: the rule's leave-one-out R², of one whose set the losses chose with that
    choice made anew.
    """
    told = [_predicts(rule, sets, loo)]
    inflated = [name for name, value in rule["vif"].items() if value > LARGE_VIF]
    unsure = [name for name in rule["indicators"] if rule["p_values"][name] > LARGE_P]
    other_way = turned(rule, checks.univariate)
    reasons = [
        *([f"{', '.join(inflated)} nearly given by the others"] if inflated else []),
        *([f"{', '.join(unsure)} not distinguishable from zero"] if unsure else []),
        *([f"the sign of {', '.join(other_way)} the other way round than alone"] if other_way else []),
    ]
    told.append(
        f"Its coefficients cannot be read one by one: {'; '.join(reasons)}."
        if reasons
        else "Nothing speaks against reading its coefficients one by one."
    )
    share, bic = own_share(rule, checks.chosen_sets), _standing(checks, "bic")
    if share is not None and bic is not None:
        worse = bic["value"] - bic["best_value"]
        if share < RARE and worse > STRONG_BIC and _carried(rule, bic["best_set"]):
            told.append(
                f"Its set of indicators is not the one that these observations ask for: {_often(share)} it, and "
                f"{bic['best_set']} has a BIC lower by {worse:.1f}."
            )
        elif share < RARE:
            told.append(f"Its set of indicators was not the natural choice: {_often(share)} it.")
        elif share < 0.5:
            told.append(f"Its set of indicators is one of several that would have done: {_often(share)} it.")
        else:
            told.append(f"Its set of indicators is a stable choice: {_often(share)} it.")
    return " ".join(told)


def _often(share: float) -> str:
    return "no resample chooses" if share == 0 else f"{_percent(share)} of resamples choose"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _predicts(rule: Mapping[str, Any], sets: pl.DataFrame, loo: float | None) -> str:
    if loo is None or loo <= 0:
        return "It does not predict the loss of a mixture that it has not seen."
    said = f"It predicts the loss of mixtures like these that it has not seen, with R² {number(loo)}"
    if len(rule["indicators"]) == 1:
        return f"{said}."
    singles = sets.filter(pl.col("n_indicators") == 1).sort("loo_r_squared", descending=True, nulls_last=True)
    alone = singles.row(0, named=True)
    return f"{said}; {alone['indicators']} alone does with {number(alone['loo_r_squared'])}."


def beside(published: pl.DataFrame) -> list[str]:
    """How a rule compares with the published one; nothing where there is none."""
    if published.is_empty():
        return []
    terms = published.filter(pl.col("figure") == "coefficient")
    both = terms.drop_nulls("in_standard_errors").with_columns(far=pl.col("in_standard_errors").abs())
    said = []
    if terms["difference"].null_count():
        common = [
            f"{row['term']} ({number(row['here'])} here, {number(row['published'])} published)"
            for row in terms.drop_nulls("difference").filter(pl.col("term") != "intercept").iter_rows(named=True)
        ]
        said.append(f"It has other indicators than the published rule. In common: {', '.join(common) or 'none'}.")
    elif both.height:
        worst = both.sort("far", descending=True).row(0, named=True)
        held = "reproduced" if worst["far"] <= 1 else "not reproduced"
        said.append(
            f"The published coefficients are {held}: the largest difference is {number(worst['far'])} published "
            f"standard errors ({worst['term']}, {number(worst['here'])} here, {number(worst['published'])} published)."
        )
    whole = {row["figure"]: row for row in published.filter(pl.col("term").is_null()).iter_rows(named=True)}
    r_squared, these = whole["r_squared"], whole["r_squared_on_these"]
    if r_squared["difference"] is not None:
        n = f"{whole['n']['here']:.0f} mixtures here, {whole['n']['published']:.0f} published"
        said.append(f"R² is {number(r_squared['here'])} here, {number(r_squared['published'])} published ({n}).")
    if these["published"] is not None:
        said.append(f"On the mixtures here, the published coefficients as they are reach {number(these['published'])}.")
    weak = [f"{name} (t {t:.1f})" for name, t in _published_t(published).items() if abs(t) < SIGNIFICANT_T]
    if weak:
        said.append(f"By the published table itself not distinguishable from zero: {', '.join(weak)}.")
    return said


def _published_t(published: pl.DataFrame) -> dict[str, float]:
    values = {
        figure: dict(published.filter(pl.col("figure") == figure).select("term", "published").iter_rows())
        for figure in ("coefficient", "standard_error")
    }
    return {
        name: value / values["standard_error"][name]
        for name, value in values["coefficient"].items()
        if name != "intercept" and value is not None and values["standard_error"].get(name)
    }


def stands(rule: Mapping[str, Any], checks: Checks) -> list[str]:
    """Where the rule's set is among all, and which set is first."""
    if len(rule["indicators"]) == 0 or checks.standing.is_empty():
        return []
    ranks = {row["criterion"]: row for row in checks.standing.iter_rows(named=True)}
    told = ", ".join(
        f"{row['rank']} of {row['sets']} by {CRITERIA[criterion]}"
        for criterion, row in ranks.items()
        if row["sets"] > 1
    )
    if not told:
        return []
    said = [f"Its set of indicators ranks {told}."]
    first = ranks.get("r_squared")
    if first and first["rank"] > 1:
        said.append(
            f"The highest R² of as many indicators has {first['best_set']}: {number(first['best_value'])}, "
            f"{number(first['value'])} here."
        )
    bic = ranks.get("bic")
    if bic and bic["value"] - bic["best_value"] > STRONG_BIC:
        better = f"By BIC {bic['best_set']} is better by {bic['value'] - bic['best_value']:.1f}"
        weight = f"which is very strong evidence (above {STRONG_BIC:.0f}: Kass & Raftery 1995)"
        few = f"but {rule['n']} mixtures are too few for so many indicators, which fit noise"
        said.append(f"{better}, {weight if _carried(rule, bic['best_set']) else few}.")
    return said


def _carried(rule: Mapping[str, Any], indicators: str) -> bool:
    """Whether the observations are as many as a rule of this set would need: three for each coefficient."""
    return int(rule["n"]) >= 3 * (len(indicators.split(SEPARATOR)) + 1)


def chosen(rule: Mapping[str, Any], sets: pl.DataFrame) -> list[str]:
    """How often other samples would choose the rule's set."""
    share = own_share(rule, sets)
    if share is None:
        return []
    used, by_r = sets["resamples"][0], sets.filter(pl.col("r_squared") > 0)
    first = sets.row(0, named=True)
    most = f" The most frequent is {first['indicators']}, {_percent(first['r_squared'])}."
    return [
        f"On {used:,} resamples, {by_r.height} different sets have the highest R²; {_often(share)} that of this rule."
        f"{'' if share == first['r_squared'] else most}"
    ]


def own_share(rule: Mapping[str, Any], sets: pl.DataFrame) -> float | None:
    """Share of resamples in which the rule's own set has the highest R²; null without resamples."""
    if sets.is_empty():
        return None
    own = sets.filter(is_set(list(rule["indicators"])))["r_squared"]
    return float(own[0]) if len(own) else 0.0


def turned(rule: Mapping[str, Any], univariate: pl.DataFrame) -> list[str]:
    """Indicators whose coefficient has the other sign than their own line, where that is distinguishable from flat."""
    clear = univariate.filter(pl.col("p") <= LARGE_P)
    slopes = dict(clear.select("indicator", "slope").iter_rows())
    return [name for name in rule["indicators"] if slopes.get(name, 0.0) * rule["coefficients"][name] < 0]


def signs(rule: Mapping[str, Any], univariate: pl.DataFrame) -> list[str]:
    """Which coefficients have the other sign than the indicator alone."""
    names = turned(rule, univariate)
    if not names:
        return []
    return [
        f"The sign is the other way round where the indicator stands alone: {', '.join(names)}. In the rule it stands "
        "for what the others leave over, not for what it measures."
    ]


def influence(checks: Checks) -> list[str]:
    """Which mixtures carry the fit, and what it is without them."""
    names, table = influential(checks.influence), checks.influence
    if not names:
        return ["No mixture stands out by Cook's distance."]
    first = table.row(0, named=True)
    said = (
        f"{len(names)} of {table.height} mixtures {'stands' if len(names) == 1 else 'stand'} out by Cook's distance, "
        f"first {first['mixture']} "
        f"({number(first['cooks_distance'])}"
    )
    if first["studentised_residual"] is not None:
        said += f", residual {first['studentised_residual']:.1f} standard deviations"
    said += ")."
    without = checks.without_influential
    if without.is_empty():
        return [said]
    terms = without.filter(pl.col("term") != "intercept")
    signs = terms.filter(pl.col("coefficient") * pl.col("coefficient_without") < 0)["term"].to_list()
    crossed = terms.filter((pl.col("p") > LARGE_P) != (pl.col("p_without") > LARGE_P))
    said += f" Without {'it' if len(names) == 1 else 'them'} R² is {number(without['r_squared_without'][0])}, "
    said += f"the sign of {', '.join(signs)} turns" if signs else "every sign stays"
    said += "".join(
        f", and p of {row['term']} goes from {number(row['p'])} to {number(row['p_without'])}"
        for row in crossed.iter_rows(named=True)
    )
    return [f"{said}."]


def residuals(fit: pl.DataFrame) -> list[str]:
    """Whether p values can be read; nothing where the residuals may be normal."""
    value = dict(fit.iter_rows())
    if value["jarque_bera_p"] is None or value["jarque_bera_p"] > LARGE_P:
        return []
    return [
        f"The residuals are not normal (Jarque-Bera p {number(value['jarque_bera_p'])}, kurtosis "
        f"{number(value['kurtosis'])}, 3 is normal): the bootstrap intervals are the ones to read."
    ]


def _standing(checks: Checks, criterion: str) -> dict[str, Any] | None:
    found = checks.standing.filter(pl.col("criterion") == criterion)
    return found.row(0, named=True) if found.height else None


def number(value: float | None) -> str:
    """A figure, short: three decimals or four digits."""
    if value is None:
        return "null"
    shown = str(value) if isinstance(value, int) else f"{value:.3f}" if abs(value) < 1 else f"{value:.4g}"
    return f"{value:.2g}" if value and abs(value) < 0.001 else shown

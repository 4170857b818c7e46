"""Page "Quality rule": the regression, how far to trust it, and every other set of indicators."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.jobs.files import read_json
from instructmining.quality_rules import checks as rule_checks
from instructmining.quality_rules import influence, stability
from instructmining.quality_rules import tables as rule_tables
from instructmining.quality_rules.checks import Checks, is_set
from instructmining.quality_rules.regression import SELECTION, formula
from instructmining.report import html as pages
from instructmining.report.charts import base as figures
from instructmining.report.charts import quality_rule as rule_figures
from instructmining.report.job import Job
from instructmining.report.words import quality_rule as rule_words
from instructmining.report.words.quality_rule import LARGE_P, LARGE_VIF, number
from instructmining.settings import Page

SPEC = Page(
    version=2,
    category="5 Quality rule",
    caption=(
        "Quality rule {quality_rule}: how far it can be trusted, its coefficients with their uncertainty, a comparison "
        "with the published rule, every other set of indicators and how often each would be chosen, influential "
        "mixtures, and each indicator on its own."
    ),
    table_caption=(
        "The regression of quality rule {quality_rule}, in the form in which a paper prints it. The other tables are "
        "in results/tables/quality_rules/: statistics of the fit, differences to the published rule, how often each "
        "set is chosen, the influence of each mixture, and each indicator on its own."
    ),
    for_each="dag.shown.each_shown_quality_rule",
    path="quality_rules/{quality_rule}.html",
    tables={
        "coefficients": "quality_rules/{quality_rule}/coefficients.csv",
        "fit": "quality_rules/{quality_rule}/fit.csv",
        "published": "quality_rules/{quality_rule}/published.csv",
        "standing": "quality_rules/{quality_rule}/standing.csv",
        "chosen_sets": "quality_rules/{quality_rule}/chosen_sets.csv",
        "influence": "quality_rules/{quality_rule}/influence.csv",
        "without_influential": "quality_rules/{quality_rule}/without_influential.csv",
        "univariate": "quality_rules/{quality_rule}/univariate.csv",
        "latex": "quality_rules/{quality_rule}/ols.tex",
    },
    shown_tables={"coefficients": "coefficients as CSV", "latex": "regression as LaTeX"},
    inputs={
        "quality_rule": "results/quality_rules/{quality_rule}.json",
        "observations": "results/quality_rules/{quality_rule}/observations.csv",
        "all_subsets": "results/quality_rules/{quality_rule}/all_subsets.csv",
    },
    params={"settings": "dag.quality_rules.fit_settings", "against": "dag.quality_rules.compared_preset"},
    labels={"quality rule": "{quality_rule}", "what": "page"},
    versions=["QUALITY_RULE_CHECKS"],
    order=120,
)

# Per coefficient; below it a regression fits noise (Harrell, Regression Modeling Strategies, section 4.4).
FEW_OBSERVATIONS = 10
POINTS = "A point is one mixture, one finetuning and its loss; on the dashed line the rule predicts what was observed."
RESIDUALS = (
    "Of the residuals. Normal ones have skew 0 and kurtosis 3, and a small p of Jarque-Bera or Omnibus speaks against "
    "normal; Durbin-Watson near 2: those of neighbouring mixtures do not depend on one another."
)
COEFFICIENTS = (
    "low and high end the 95 % interval, bootstrap_low and bootstrap_high that over resampled mixtures; hc3 allows for "
    "unequal variances. As LaTeX and CSV: results/tables/quality_rules/."
)
CHOSEN = (
    "A resample is the mixtures drawn anew, with replacement; a share is that of the resamples. They repeat mixtures, "
    "which favours larger sets (Janitza, Binder & Boulesteix 2016)."
)
INFLUENCE = (
    "Above the dashed line, {:.3g}, a mixture deserves a look. moves_… says how far a coefficient is from where it "
    "would be without the mixture, in standard errors."
)
UNIVARIATE = (
    "A point is a mixture; r with its 95 % interval. A mixture's values are means over its examples. What a rule ranks "
    "are single examples, which vary far more than such means: outside the ranges here the line is an extrapolation."
)


def tables(job: Job) -> dict[str, pl.DataFrame | str]:
    """What is computed from a rule and its observations before one trusts it; the regression as LaTeX."""
    rule, observations, sets = _read(job)
    checks = rule_checks.check(rule, observations, sets, job.params["settings"], job.params["against"])
    latex = rule_tables.latex(job.names["quality_rule"], checks.coefficients, checks.fit)
    return {**checks._asdict(), "latex": latex}


def draw(job: Job, made: Mapping[str, Any]) -> str:
    """The page of a job."""
    checks = Checks(**{table: made[table] for table in Checks._fields})
    return page(job.names["quality_rule"], *_read(job), checks)


def _read(job: Job) -> tuple[dict[str, Any], pl.DataFrame, pl.DataFrame]:
    rule, observations, sets = (job.inputs[name][0] for name in ("quality_rule", "observations", "all_subsets"))
    return read_json(rule), pl.read_csv(observations), pl.read_csv(sets)


def page(
    name: str, rule: Mapping[str, Any], observations: pl.DataFrame, all_subsets: pl.DataFrame, checks: Checks
) -> str:
    """``rule``: results/quality_rules/{name}.json; the frames: its observations.csv and all_subsets.csv, without
    rows for published coefficients; ``checks``: those of ``rule_checks.check``."""
    parts = [pages.words(formula(rule), "Lower predicted loss is better: the pool is ranked ascending.")]
    if rule["n"] is not None:
        parts.append(pages.facts(_facts(rule)))
    parts += [
        pages.heading("How far it can be trusted"),
        pages.words(
            *([rule_words.in_short(rule, all_subsets, checks, honest_loo(rule))] if observations.height else [])
        ),
        pages.bullets(trust(rule)),
        pages.heading("Coefficients"),
        pages.table(_filled(checks.coefficients), rows=25, note=COEFFICIENTS if observations.height else ""),
    ]
    parts += _published(checks) + _fit(observations, checks)
    parts += _sets(rule, all_subsets, checks) + _mixtures(rule, observations, checks)
    return pages.page(f"Quality rule: {name}", parts)


def _published(checks: Checks) -> list[pages.Part]:
    if checks.published.is_empty():
        return []
    told = "Coefficients are compared in published standard errors; F and the log-likelihood grow with n."
    shown = checks.published.with_columns(pl.col("term").fill_null(""))
    said = pages.words(*rule_words.beside(checks.published))
    return [pages.heading("Beside the published rule"), said, pages.table(shown, note=told, rows=25)]


def _fit(observations: pl.DataFrame, checks: Checks) -> list[pages.Part]:
    if observations.is_empty():
        return []
    return [
        pages.heading("Fit"),
        pages.charts(
            figures.predicted_observed(observations),
            figures.residuals(observations),
            note=POINTS,
        ),
        pages.words(*rule_words.residuals(checks.fit)),
        pages.facts({key: rule_words.number(value) for key, value in _of_the_residuals(checks.fit).items()}),
        pages.note(RESIDUALS),
    ]


def _of_the_residuals(fit: pl.DataFrame) -> dict[str, float]:
    value = dict(fit.iter_rows())
    shown = {
        "skew": "skew",
        "kurtosis": "kurtosis",
        "Jarque-Bera": "jarque_bera",
        "p of Jarque-Bera": "jarque_bera_p",
        "Omnibus": "omnibus",
        "p of Omnibus": "omnibus_p",
        "Durbin-Watson": "durbin_watson",
    }
    return {label: value[key] for label, key in shown.items()}


def _sets(rule: Mapping[str, Any], all_subsets: pl.DataFrame, checks: Checks) -> list[pages.Part]:
    """Every set of indicators, and which of them other samples would have chosen."""
    if all_subsets.is_empty():
        return []
    parts = [
        pages.heading("Every set of indicators"),
        pages.words(
            "The highest R² always goes to the largest set; adjusted R², AIC, BIC and leave-one-out R² each charge "
            "for size in their own way. largest_p is the p value of the set's least certain indicator."
        ),
        pages.charts(rule_figures.every_set(all_subsets.with_columns(own=is_set(rule["indicators"])))),
        pages.table(all_subsets.sort("loo_r_squared", descending=True, nulls_last=True), rows=15),
    ]
    if checks.standing.height:
        said = pages.words(*rule_words.stands(rule, checks))
        parts += [pages.heading("Where this set stands", 3), said, pages.table(checks.standing)]
    if checks.chosen_sets.height:
        indicators = all_subsets.filter(pl.col("n_indicators") == 1)["indicators"].to_list()
        shares = stability.chosen_indicators(checks.chosen_sets, indicators)
        parts += [
            pages.heading("Would it be chosen again?"),
            pages.words(*rule_words.chosen(rule, checks.chosen_sets), CHOSEN),
            pages.charts(rule_figures.chosen_indicators(shares)),
            pages.table(checks.chosen_sets.drop("resamples")),
        ]
    return parts


def _mixtures(rule: Mapping[str, Any], observations: pl.DataFrame, checks: Checks) -> list[pages.Part]:
    """Single mixtures that carry the fit, each indicator by itself, and the observations."""
    if observations.is_empty():
        return []
    limit = influence.threshold(observations.height)
    parts = [
        pages.heading("Influence of single mixtures"),
        pages.words(*rule_words.influence(checks)),
        pages.charts(rule_figures.cooks_distances(checks.influence, limit), note=INFLUENCE.format(limit)),
        pages.table(checks.influence),
    ]
    if checks.without_influential.height:
        parts += [
            pages.heading("The same rule without those above the line", 3),
            pages.table(checks.without_influential.drop("n_without", "r_squared_without")),
        ]
    fits = [rule_figures.univariate_fit(observations, row) for row in checks.univariate.iter_rows(named=True)]
    return [
        *parts,
        pages.heading("One indicator at a time"),
        pages.words(*rule_words.signs(rule, checks.univariate), UNIVARIATE),
        pages.charts(*fits),
        pages.table(checks.univariate),
        pages.heading("Observations"),
        pages.table(observations, rows=10),
    ]


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the columns that have no value at all."""
    return frame.select(column for column in frame if column.null_count() < frame.height)


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
    inflated = [f"{name} ({rule['vif'][name]:.3g})" for name in rule["indicators"] if rule["vif"][name] > LARGE_VIF]
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

"""Quality rules and their tables computed again; as in ``instructmining.trail.recompute_data``."""

from typing import Any

import polars as pl

from instructmining.config import mixture_names, rule_columns
from instructmining.jobs.files import read_json
from instructmining.quality_rules import checks as rule_checks
from instructmining.quality_rules import fitting
from instructmining.quality_rules import tables as rule_tables
from instructmining.quality_rules.fitting import QualityRule
from instructmining.settings import versions
from instructmining.trail.study import Computed, Study

_FOLDER = "results/quality_rules/{quality_rule}"
_OBSERVATIONS = f"{_FOLDER}/observations.csv"
_TABLES = "results/tables/quality_rules/{quality_rule}"


def quality_rule(study: Study, file: str, name: str) -> QualityRule:
    """The rule, its observations, all sets and diagnostics, from mixtures, indicators and losses."""
    settings = study.config["quality_rules"][name]
    # what was read is not the study's own: the rows are taken from the table that stands with the rule
    table = study.path(_OBSERVATIONS.format(quality_rule=name)) if "observations" in settings else None
    names = mixture_names(study.config, settings["mixtures"]) if "mixtures" in settings else []
    evaluation = f"results/evaluations/{settings.get('recipe')}/mixtures/{{}}/{settings.get('loss')}.json"
    return fitting.quality_rule(
        name,
        settings,
        rule_columns(study.config, name),
        versions.QUALITY_RULES,
        table=table,
        mixtures=study.paths(f"results/subsets/mixtures/{mixture}.parquet" for mixture in names),
        evaluations=study.paths(evaluation.format(mixture) for mixture in names),
        indicators=study.made_from(file, "indicators") if names else [],
    )


def rule_table(study: Study, _: str, name: str) -> tuple[Any, ...]:
    """What is computed from a rule and its observations before one trusts it."""
    settings, folder = study.config["quality_rules"][name], f"results/quality_rules/{name}"
    paths = study.paths([f"{folder}.json", f"{folder}/observations.csv", f"{folder}/all_subsets.csv"])
    observed, sets = (pl.read_csv(path) for path in paths[1:])
    checks = rule_checks.check(read_json(paths[0]), observed, sets, settings, settings.get("against"))
    return *checks, rule_tables.latex(name, checks.coefficients, checks.fit)


QUALITY_RULES: Computed = {
    (
        f"{_FOLDER}.json",
        _OBSERVATIONS,
        f"{_FOLDER}/all_subsets.csv",
        f"{_FOLDER}/diagnostics.json",
    ): quality_rule,
    (*(f"{_TABLES}/{table}.csv" for table in rule_checks.Checks._fields), f"{_TABLES}/ols.tex"): rule_table,
}

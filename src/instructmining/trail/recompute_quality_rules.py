"""Quality rules and their tables computed again; as in ``instructmining.trail.recompute_data``."""

from typing import Any

import polars as pl

from instructmining.config import mixture_names, rule_columns
from instructmining.jobs import paths
from instructmining.jobs.files import read_json
from instructmining.quality_rules import checks as rule_checks
from instructmining.quality_rules import fitting
from instructmining.quality_rules import tables as rule_tables
from instructmining.quality_rules.fitting import QualityRule
from instructmining.settings import versions
from instructmining.trail.study import Computed, Study


def quality_rule(study: Study, file: str, name: str) -> QualityRule:
    """The rule, its observations, all sets and diagnostics, from mixtures, indicators and losses."""
    settings = study.config["quality_rules"][name]
    # what was read is not the study's own: the rows are taken from the table that stands with the rule
    table = study.path(paths.OBSERVATIONS.format(quality_rule=name)) if "observations" in settings else None
    names = mixture_names(study.config, settings["mixtures"]) if "mixtures" in settings else []
    mixtures = [paths.SUBSET.format(subset=f"mixtures/{mixture}") for mixture in names]
    evaluations = [
        paths.EVALUATION.format(recipe=settings["recipe"], subset=f"mixtures/{mixture}", benchmark=settings["loss"])
        for mixture in names
    ]
    return fitting.quality_rule(
        name,
        settings,
        rule_columns(study.config, name),
        versions.QUALITY_RULES,
        table=table,
        mixtures=study.paths(mixtures),
        evaluations=study.paths(evaluations),
        indicators=study.made_from(file, "indicators") if names else [],
    )


def rule_table(study: Study, _: str, name: str) -> tuple[Any, ...]:
    """What is computed from a rule and its observations before one trusts it."""
    settings, patterns = (
        study.config["quality_rules"][name],
        (paths.QUALITY_RULE, paths.OBSERVATIONS, paths.ALL_SUBSETS),
    )
    rule, *tables = study.paths(pattern.format(quality_rule=name) for pattern in patterns)
    observed, sets = (pl.read_csv(path) for path in tables)
    checks = rule_checks.check(read_json(rule), observed, sets, settings, settings.get("against"))
    return *checks, rule_tables.latex(name, checks.coefficients, checks.fit)


QUALITY_RULES: Computed = {
    (paths.QUALITY_RULE, paths.OBSERVATIONS, paths.ALL_SUBSETS, paths.DIAGNOSTICS): quality_rule,
    (
        *(
            paths.QUALITY_RULE_TABLE.format(quality_rule="{quality_rule}", table=table)
            for table in rule_checks.Checks._fields
        ),
        paths.QUALITY_RULE_LATEX,
    ): rule_table,
}

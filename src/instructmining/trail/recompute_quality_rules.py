"""Quality rules and their tables computed again; as in ``instructmining.trail.recompute_data``."""

from pathlib import Path
from typing import Any

import polars as pl

from instructmining.config import mixture_names, rule_columns
from instructmining.indicators import table as indicator_table
from instructmining.jobs.files import read_json
from instructmining.quality_rules import checks as rule_checks
from instructmining.quality_rules import diagnostics, observations, regression
from instructmining.quality_rules import tables as rule_tables
from instructmining.trail.study import Computed, Config, Expected, Study

_FOLDER = "results/quality_rules/{quality_rule}"
_TABLES = "results/tables/quality_rules/{quality_rule}"


def quality_rule(study: Study, file: str, name: str) -> tuple[Expected, ...]:
    """Observations from mixtures, indicators and losses; the rule, all sets and diagnostics from observations."""
    settings, nulls = study.config["quality_rules"][name], dict[str, int]()
    if "preset" in settings:
        rule = regression.published(settings["preset"], settings["columns"])
        table, sets = observations.empty(rule["indicators"]), diagnostics.no_sets()
    else:
        columns = rule_columns(study.config, name)
        if "mixtures" in settings:
            table, nulls = _observations(study, file, settings, columns)
        else:
            # what was read is not the study's own: the rows are taken from the table beside the rule
            table = observations.from_csv(study.path(f"results/quality_rules/{name}/observations.csv"), columns)
        rule, sets = regression.estimate(table, settings, columns)
    return rule, regression.with_predictions(rule, table), sets, regression.summary(rule, sets, nulls)


def _observations(study: Study, file: str, settings: Config, columns: list[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    evaluations = study.made_from(file, "evaluations", ".json")
    losses = {Path(path).parent.name: read_json(path)["value"] for path in evaluations}
    names = mixture_names(study.config, settings["mixtures"])
    mixtures = study.paths(f"results/subsets/mixtures/{name}.parquet" for name in names)
    examples = observations.mixture_examples(mixtures)
    examples = indicator_table.attach(examples, study.made_from(file, "indicators"), columns)
    return observations.from_runs(examples, losses, columns)


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
        f"{_FOLDER}/observations.csv",
        f"{_FOLDER}/all_subsets.csv",
        f"{_FOLDER}/diagnostics.json",
    ): quality_rule,
    (*(f"{_TABLES}/{table}.csv" for table in rule_checks.Checks._fields), f"{_TABLES}/ols.tex"): rule_table,
}

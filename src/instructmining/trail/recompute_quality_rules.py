"""Quality rules computed again; as in ``instructmining.trail.recompute_data``."""

from instructmining.config import mixture_names, rule_columns
from instructmining.jobs import paths
from instructmining.quality_rules import fitting
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


QUALITY_RULES: Computed = {
    (paths.QUALITY_RULE, paths.OBSERVATIONS, paths.ALL_SUBSETS, paths.DIAGNOSTICS): quality_rule,
}

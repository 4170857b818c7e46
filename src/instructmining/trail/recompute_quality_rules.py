"""Quality rules computed again; as in ``instructmining.trail.recompute_data``."""

from instructmining.config import mixture_names, rule_columns
from instructmining.quality_rules import fitting
from instructmining.quality_rules.fitting import QualityRule
from instructmining.settings import versions
from instructmining.trail.study import Computed, Study

_FOLDER = "results/quality_rules/{quality_rule}"
_OBSERVATIONS = f"{_FOLDER}/observations.csv"


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


QUALITY_RULES: Computed = {
    (
        f"{_FOLDER}.json",
        _OBSERVATIONS,
        f"{_FOLDER}/all_subsets.csv",
        f"{_FOLDER}/diagnostics.json",
    ): quality_rule,
}

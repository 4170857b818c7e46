"""Inputs and params of rules/quality_rules.smk."""

from pathlib import Path
from typing import Any

from instructmining.config import mixture_names, rule_columns
from instructmining.dag.indicator_files import rule_indicators
from instructmining.dag.mixtures import mixture_files, mixture_subset
from instructmining.dag.names import Config, Inputs, Wildcards
from instructmining.jobs import paths


def fit_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """Mixtures, their losses and indicators; or the table of observations; nothing for published coefficients.

    A table that does not exist is no input: the study can be planned without it, and the job that reads the table
    names it in its error.
    """
    settings = config["quality_rules"][wildcards.quality_rule]
    if "preset" in settings:
        return {}
    if "observations" in settings:
        exists = Path(settings["observations"]).exists()
        return {"observations": settings["observations"]} if exists else {}
    names = mixture_names(config, settings["mixtures"])
    recipe, loss = settings["recipe"], settings["loss"]
    return {
        "mixtures": mixture_files(names),
        "evaluations": [
            paths.EVALUATION.format(recipe=recipe, subset=mixture_subset(name), benchmark=loss) for name in names
        ],
        "indicators": rule_indicators(config, wildcards.quality_rule),
    }


def fit_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What a rule depends on; of a table of observations only its name, since its content is an input."""
    settings = config["quality_rules"][wildcards.quality_rule]
    settings = {key: value for key, value in settings.items() if key != "against"}
    if "observations" in settings:
        return {**settings, "observations": Path(settings["observations"]).name}
    return settings


def fit_columns(config: Config, wildcards: Wildcards) -> list[str]:
    """Indicator columns that a rule may use."""
    return rule_columns(config, wildcards.quality_rule)


def compared_preset(config: Config, wildcards: Wildcards) -> str | None:
    """The published rule that a rule's page compares it with, if the config names one."""
    found: str | None = config["quality_rules"][wildcards.quality_rule].get("against")
    return found

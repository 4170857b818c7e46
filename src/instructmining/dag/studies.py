"""Inputs and params of the report's pages of studies: size scans, ablations, losses by dataset."""

from instructmining.config import ablated, dataset_pools, repeated_recipes
from instructmining.dag.comparisons import evaluation_files, subset_files
from instructmining.dag.names import Config, Wildcards
from instructmining.jobs import paths


def study_evaluations(config: Config, wildcards: Wildcards) -> list[str]:
    """The evaluations of a study."""
    return evaluation_files(config, wildcards.study)


def study_items(config: Config, wildcards: Wildcards) -> list[str]:
    """The items of the evaluations of a study."""
    return evaluation_files(config, wildcards.study, paths.ITEMS)


def study_subsets(config: Config, wildcards: Wildcards) -> list[str]:
    """The subsets of a study."""
    return subset_files(config, wildcards.study)


def study_strategy(config: Config, wildcards: Wildcards) -> str:
    """The strategy that an ablation repeats without each indicator."""
    return str(config["studies"][wildcards.study]["strategy"])


def ablated_indicators(config: Config, wildcards: Wildcards) -> dict[str, str]:
    """Quality rule, and strategy, that lacks an indicator -> that indicator."""
    return ablated(config, wildcards.study)


def ablation_rules(config: Config, wildcards: Wildcards) -> list[str]:
    """The full quality rule, and then those that lack an indicator."""
    full = config["strategies"][study_strategy(config, wildcards)]["quality_rule"]
    names = [full, *ablated_indicators(config, wildcards)]
    return [paths.QUALITY_RULE.format(quality_rule=name) for name in names]


def ablation_recipes(config: Config, wildcards: Wildcards) -> dict[str, str]:
    """Recipe of a run -> the recipe that it repeats with another seed, or itself."""
    return repeated_recipes(config, wildcards.study)


def study_datasets(config: Config, wildcards: Wildcards) -> dict[str, str]:
    """Pool -> the one dataset in it."""
    return dataset_pools(config, wildcards.study)

"""Inputs and params of the report's summary."""

from typing import Any

from instructmining.config import comparison_subsets, mixture_names, scoring_runs, studies_of_kind
from instructmining.dag.mixtures import mixture_subset
from instructmining.dag.names import Config, Wildcards, best_subset, shown_quality_rules, used_rankings
from instructmining.dag.pages import table_path
from instructmining.dag.searches import trial_subset
from instructmining.jobs import paths


def _of_shown_rules(config: Config, pattern: str) -> list[str]:
    return [pattern.format(quality_rule=name) for name in shown_quality_rules(config)]


def all_quality_rules(config: Config, wildcards: Wildcards) -> list[str]:
    """All quality rules with a page of their own."""
    return _of_shown_rules(config, paths.QUALITY_RULE)


def all_observations(config: Config, wildcards: Wildcards) -> list[str]:
    """What those rules were fitted on."""
    return _of_shown_rules(config, paths.OBSERVATIONS)


def all_indicator_sets(config: Config, wildcards: Wildcards) -> list[str]:
    """The sets of indicators that those rules were chosen from."""
    return _of_shown_rules(config, paths.ALL_SUBSETS)


def all_quality_rule_settings(config: Config, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
    """What resampling the observations of those rules depends on; published coefficients have none."""
    keys = ("max_indicators", "bootstrap", "seed")
    rules = {name: config["quality_rules"][name] for name in shown_quality_rules(config)}
    return {name: {key: settings[key] for key in keys if key in settings} for name, settings in rules.items()}


def all_searches(config: Config, wildcards: Wildcards) -> list[str]:
    """All searches."""
    return [paths.SEARCH.format(search=name) for name in config["searches"]]


def all_size_scans(config: Config, wildcards: Wildcards) -> list[str]:
    """The tables of all size scans."""
    return [table_path("size_scan").format(study=name) for name in studies_of_kind(config, "size_scan")]


def _shown_comparisons(config: Config) -> list[str]:
    """Comparisons that ask about random subsets, which ablations and losses by dataset do not."""
    others = [*studies_of_kind(config, "ablation"), *studies_of_kind(config, "datasets")]
    return [name for name in config["comparisons"] if name not in others]


def all_comparison_tables(config: Config, wildcards: Wildcards) -> list[str]:
    """The tables of the comparisons that the summary shows."""
    return [table_path("comparison").format(comparison=name) for name in _shown_comparisons(config)]


def all_cost_tables(config: Config, wildcards: Wildcards) -> list[str]:
    """The cost tables of the comparisons that the summary shows."""
    return [table_path("costs", "strategies").format(comparison=name) for name in _shown_comparisons(config)]


def all_runs(config: Config, wildcards: Wildcards) -> list[str]:
    """The training record of every run of the study, each once."""
    runs = list[tuple[str, str]]()
    for settings in config["quality_rules"].values():
        names = mixture_names(config, settings.get("mixtures", []))
        runs += [(settings["recipe"], mixture_subset(name)) for name in names]
    for name, settings in config["searches"].items():
        runs += [(settings["recipe"], trial_subset(name, t)) for t in range(settings["trials"])]
        runs.append((settings["recipe"], best_subset(config, name)))
    for name, settings in config["comparisons"].items():
        subsets = comparison_subsets(config, name)
        runs += [(recipe, subset) for recipe in settings["recipes"] for subset in subsets]
    for strategy, pool in used_rankings(config):
        runs += scoring_runs(config, strategy, pool)
    return [paths.TRAINED.format(recipe=recipe, subset=subset) for recipe, subset in dict.fromkeys(runs)]


def final_models(config: Config, wildcards: Wildcards) -> list[str]:
    """The weights of the run that each search ends with."""
    return [
        paths.WEIGHTS.format(recipe=settings["recipe"], subset=best_subset(config, name))
        for name, settings in config["searches"].items()
    ]


def currency(config: Config, wildcards: Wildcards) -> str | None:
    """The currency of the config's prices."""
    found: str | None = config["costs"]["currency"]
    return found

"""The targets of the Snakefile: everything that the config names, and what is made first when data have grown."""

from pathlib import Path

from instructmining.config import comparison_subsets, mixture_names
from instructmining.dag.comparisons import evaluation_files
from instructmining.dag.mixtures import mixture_subset
from instructmining.dag.names import Config, Wildcards, best_subset
from instructmining.dag.pages import report_pages, report_tables, table_path
from instructmining.dag.searches import trial
from instructmining.jobs import paths


def everything(config: Config, wildcards: Wildcards | None = None) -> list[str]:
    """Everything that the config names."""
    comparisons, rules = config["comparisons"], config["quality_rules"]
    return [
        *(paths.QUALITY_RULE.format(quality_rule=name) for name in rules),
        *_searches(config),
        *(path for name in comparisons for path in evaluation_files(config, name)),
        *_final_files(config),
        *_kept_models(config),
        *report_pages(config),
        # tables are named too, since Snakemake asks no more of a job one of whose outputs was never made
        *report_tables(config),
        *(table_path("quality_rule", "latex").format(quality_rule=name) for name in rules),
    ]


def subsets(config: Config, wildcards: Wildcards) -> list[str]:
    """Subsets that are known without a search: they show what grown data change before anything is trained."""
    fixed = [subset for subset in _compared_subsets(config) if not _has_found_size(subset)]
    blocks = [block["name"] for block in config["mixtures"]]
    mixtures = [mixture_subset(name) for name in mixture_names(config, blocks)]
    return [paths.SUBSET.format(subset=subset) for subset in dict.fromkeys([*mixtures, *fixed])]


def searches(config: Config, wildcards: Wildcards) -> list[str]:
    """Searches, and the subsets of the sizes that they find."""
    return [*_searches(config), *_subsets_of_found_sizes(config)]


def chosen(config: Config, wildcards: Wildcards) -> list[str]:
    """Subsets of search trials and of sizes found, those that exist already."""
    trials = [
        paths.TRIAL_SUBSET.format(**trial(name, t))
        for name, settings in config["searches"].items()
        for t in range(settings["trials"])
    ]
    return [path for path in [*trials, *_subsets_of_found_sizes(config)] if Path(path).exists()]


def _searches(config: Config) -> list[str]:
    return [paths.SEARCH.format(search=name) for name in config["searches"]]


def _final_files(config: Config) -> list[str]:
    """Of the run that each search ends with: its weights, its card, its subset."""
    patterns = (paths.WEIGHTS, paths.CARD, paths.FINAL_PARQUET, paths.FINAL_JSONL)
    return [
        pattern.format(recipe=settings["recipe"], subset=best_subset(config, name))
        for name, settings in config["searches"].items()
        for pattern in patterns
    ]


def _kept_models(config: Config) -> list[str]:
    """Weights that comparisons keep: named, so that they are made even where only they are missing."""
    return [
        paths.WEIGHTS.format(recipe=recipe, subset=subset)
        for name, settings in config["comparisons"].items()
        if settings["keep_models"]
        for recipe in settings["recipes"]
        for subset in comparison_subsets(config, name)
    ]


def _compared_subsets(config: Config) -> list[str]:
    return [subset for name in config["comparisons"] for subset in comparison_subsets(config, name)]


def _has_found_size(subset: str) -> bool:
    return Path(subset).name.startswith("best-")


def _subsets_of_found_sizes(config: Config) -> list[str]:
    found = [subset for subset in _compared_subsets(config) if _has_found_size(subset)]
    return [paths.SUBSET.format(subset=subset) for subset in dict.fromkeys(found)]

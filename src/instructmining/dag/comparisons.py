"""Inputs and params of the report's pages of comparisons, benchmarks and costs."""

from pathlib import Path
from typing import Any

from instructmining.config import (
    all_ablated,
    comparison_baselines,
    comparison_evaluations,
    comparison_subsets,
    evaluated_texts,
    seeded_names,
)
from instructmining.dag.datasets import examples
from instructmining.dag.names import Config, Wildcards
from instructmining.dag.pages import table_path
from instructmining.jobs import paths


def evaluation_files(config: Config, name: str, pattern: str = paths.EVALUATION) -> list[str]:
    """One file of ``pattern`` for each recipe, subset and benchmark of a comparison."""
    return [
        pattern.format(recipe=recipe, subset=subset, benchmark=benchmark)
        for recipe, subset, benchmark in comparison_evaluations(config, name)
    ]


def subset_files(config: Config, name: str) -> list[str]:
    """The subsets of a comparison."""
    return [paths.SUBSET.format(subset=subset) for subset in comparison_subsets(config, name)]


def comparison_evaluation_files(config: Config, wildcards: Wildcards) -> list[str]:
    """The evaluations of a comparison."""
    return evaluation_files(config, wildcards.comparison)


def comparison_items(config: Config, wildcards: Wildcards) -> list[str]:
    """The items of the evaluations of a comparison."""
    return evaluation_files(config, wildcards.comparison, paths.ITEMS)


def comparison_subset_files(config: Config, wildcards: Wildcards) -> list[str]:
    """The subsets of a comparison."""
    return subset_files(config, wildcards.comparison)


def baselines(config: Config, wildcards: Wildcards) -> dict[str, str]:
    """Strategies of a comparison that are baselines, and their kinds."""
    return comparison_baselines(config, wildcards.comparison)


def random_strategies(config: Config, wildcards: Wildcards) -> list[str]:
    """Strategies of kind random."""
    return [name for name, settings in config["strategies"].items() if settings["kind"] == "random"]


def selection_benchmarks(config: Config, wildcards: Wildcards) -> list[str]:
    """Benchmarks whose data a fit or a search has used: they are no test of what was selected with them. Sorted."""
    losses = [*config["quality_rules"].values(), *config["searches"].values()]
    used = {config["benchmarks"][settings["loss"]]["dataset"] for settings in losses if "loss" in settings}
    return sorted(name for name, settings in config["benchmarks"].items() if settings.get("dataset") in used)


def _rules(config: Config, name: str) -> list[str]:
    """The strategies of a comparison that have a quality rule, without those of an ablation."""
    strategies, ablated = config["comparisons"][name]["strategies"], all_ablated(config)
    kinds = {one: config["strategies"][one]["kind"] for one in strategies if one not in ablated}
    return [one for one, kind in kinds.items() if kind == "quality_rule"]


def has_quality_rule(config: Config, name: str) -> bool:
    """Whether a strategy of a comparison has a quality rule."""
    return bool(_rules(config, name) and config["comparisons"][name]["pools"])


def rule_rankings(config: Config, wildcards: Wildcards) -> list[str]:
    """Rankings by the comparison's quality rules: each example of a pool with its predicted log loss."""
    rules, pools = _rules(config, wildcards.comparison), config["comparisons"][wildcards.comparison]["pools"]
    return [paths.RANKING.format(ranking=rule, pool=pool) for rule in rules for pool in pools]


def subset_table(config: Config, wildcards: Wildcards) -> list[str]:
    """The table of subsets under the comparison's quality rules; none where no strategy has one."""
    found = has_quality_rule(config, wildcards.comparison)
    return [table_path("subsets").format(comparison=wildcards.comparison)] if found else []


def benchmark_evaluations(config: Config, wildcards: Wildcards) -> list[str]:
    """The evaluations of a comparison on one benchmark."""
    return [path for path in comparison_evaluation_files(config, wildcards) if Path(path).stem == wildcards.benchmark]


def benchmark_items(config: Config, wildcards: Wildcards) -> list[str]:
    """The items of these evaluations."""
    return [path.removesuffix(".json") + ".items.parquet" for path in benchmark_evaluations(config, wildcards)]


def benchmark_texts(config: Config, wildcards: Wildcards) -> list[str]:
    """The examples of the benchmark's dataset; none where its items hold their texts themselves."""
    dataset = config["benchmarks"][wildcards.benchmark].get("dataset")
    return examples([dataset]) if dataset else []


def overlap_subsets(config: Config, wildcards: Wildcards) -> list[str]:
    """Subsets of a comparison, without those of whole pools, which overlap with all others."""
    return [path for path in subset_files(config, wildcards.comparison) if Path(path).stem != "all"]


def overlap_rankings(config: Config, wildcards: Wildcards) -> list[str]:
    """The rankings of these subsets: how large their pools are, and whether a random one kept to its limit."""
    names = {tuple(Path(path).parts[-3:-1]) for path in overlap_subsets(config, wildcards)}
    return [paths.RANKING.format(ranking=order, pool=pool) for order, pool in sorted(names)]


def compared_benchmarks(config: Config, wildcards: Wildcards) -> list[str]:
    """Benchmarks on which a comparison has evaluations, sorted."""
    return list(evaluated_texts(config, wildcards.comparison))


def evaluated_text_files(config: Config, wildcards: Wildcards) -> list[str]:
    """The files with what those benchmarks ask, in the same order."""
    return list(evaluated_texts(config, wildcards.comparison).values())


def report_ngram(config: Config, wildcards: Wildcards) -> int:
    """Words of the n-grams by which contamination is found."""
    return int(config["report"]["ngram"])


def evaluations_by_comparison(config: Config, wildcards: Wildcards) -> dict[str, list[str]]:
    """Comparison -> its evaluations."""
    return {name: evaluation_files(config, name) for name in config["comparisons"]}


def all_comparison_evaluations(config: Config, wildcards: Wildcards) -> list[str]:
    """The evaluations of all comparisons, each once."""
    files = [path for paths in evaluations_by_comparison(config, wildcards).values() for path in paths]
    return list(dict.fromkeys(files))


def all_comparison_subsets(config: Config, wildcards: Wildcards) -> list[str]:
    """The subsets of all comparisons, each once."""
    return list(dict.fromkeys(path for name in config["comparisons"] for path in subset_files(config, name)))


def comparison_runs(config: Config, wildcards: Wildcards) -> list[str]:
    """The training records of a comparison's runs."""
    settings, subsets = config["comparisons"][wildcards.comparison], comparison_subsets(config, wildcards.comparison)
    return [paths.TRAINED.format(recipe=recipe, subset=one) for recipe in settings["recipes"] for one in subsets]


def comparison_rankings(config: Config, wildcards: Wildcards) -> list[str]:
    """One ranking of each pool of a comparison: it has all examples of the pool."""
    settings = config["comparisons"][wildcards.comparison]
    order = seeded_names(config, settings["strategies"][0])[0]
    return [paths.RANKING.format(ranking=order, pool=pool) for pool in settings["pools"]]


def prices(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """Prices of hours, and their currency."""
    found: dict[str, Any] = config["costs"]
    return found

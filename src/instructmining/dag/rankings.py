"""Inputs and params of rules/rankings.smk."""

from typing import Any

from instructmining.config import against_orders, strategy_columns, strategy_embeddings, strategy_settings
from instructmining.dag.datasets import examples, summaries
from instructmining.dag.embeddings import embedding_files
from instructmining.dag.indicator_files import pool_indicators
from instructmining.dag.names import Config, Inputs, Wildcards, one_of
from instructmining.jobs import paths
from instructmining.settings import versions


def by_embeddings(config: Config) -> str:
    """Wildcard constraint: strategies that compare embeddings."""
    return one_of(name for name in config["strategies"] if strategy_embeddings(config, name))


def pool_datasets(config: Config, wildcards: Wildcards) -> list[str]:
    """The datasets of a pool."""
    found: list[str] = config["pools"][wildcards.pool]
    return found


def pool_summaries(config: Config, wildcards: Wildcards) -> list[str]:
    """The summaries of a pool's datasets."""
    return summaries(config["pools"][wildcards.pool])


def rank_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The examples of a pool, and what its strategy reads: indicators, a quality rule, embeddings, other rankings.

    Raises:
        InputError: the config has no such strategy.
    """
    settings = rank_settings(config, wildcards)
    inputs: Inputs = {
        "examples": examples(config["pools"][wildcards.pool]),
        "indicators": pool_indicators(config, wildcards.pool, rank_columns(config, wildcards)),
    }
    if settings["kind"] == "quality_rule":
        inputs["quality_rule"] = paths.QUALITY_RULE.format(quality_rule=settings["quality_rule"])
    if entry := strategy_embeddings(config, wildcards.ranking):
        inputs["embeddings"] = embedding_files(config, config["pools"][wildcards.pool], entry)
    if orders := against_orders(config, wildcards.ranking):
        inputs["against"] = [paths.RANKING.format(ranking=order, pool=wildcards.pool) for order in orders]
    return inputs


def rank_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """The settings of a strategy, or of one of its seeds. InputError if the config has no such strategy."""
    return strategy_settings(config, wildcards.ranking)[1]


def rank_columns(config: Config, wildcards: Wildcards) -> list[str]:
    """Indicator columns that a ranking reads."""
    return strategy_columns(config, wildcards.ranking)


def rank_version(config: Config, wildcards: Wildcards) -> list[int]:
    """The versions of the strategy, and of what all strategies share."""
    return [versions.STRATEGIES[rank_settings(config, wildcards)["kind"]], versions.RANKINGS]


def select_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The ranking that a subset is the beginning of, and the search that found its size."""
    inputs: Inputs = {"ranking": paths.RANKING.format(ranking=wildcards.ranking, pool=wildcards.pool)}
    if wildcards.size.startswith("best-"):
        inputs["search"] = paths.SEARCH.format(search=wildcards.size.removeprefix("best-"))
    return inputs

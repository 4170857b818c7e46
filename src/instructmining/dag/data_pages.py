"""Inputs and params of the report's pages of indicators, examples and data."""

from pathlib import Path

from instructmining.config import dataset_columns, neighbour_entries, strategy_columns
from instructmining.dag.datasets import examples, summaries
from instructmining.dag.indicator_files import dataset_shards, needed_columns, pool_indicators, rule_indicators
from instructmining.dag.names import Config, Wildcards, mixture_block, shown_rankings, used_rankings
from instructmining.jobs import paths


def _indicator_datasets(config: Config) -> list[str]:
    """Datasets that a quality rule is fitted on, or that it ranks."""
    blocks = [block for s in config["quality_rules"].values() for block in s.get("mixtures", [])]
    found = [dataset for block in blocks for dataset in mixture_block(config, block)["datasets"]]
    found += [dataset for _, pool in shown_rankings(config) for dataset in config["pools"][pool]]
    return list(dict.fromkeys(found))


def indicator_tables(config: Config, wildcards: Wildcards) -> list[str]:
    """The indicator tables of all datasets that a quality rule is fitted on or ranks."""
    return [paths.INDICATOR_TABLE.format(dataset=dataset) for dataset in _indicator_datasets(config)]


def neighbour_files(config: Config, wildcards: Wildcards) -> list[str]:
    """Files of indicators by neighbours that the datasets of the pages, quality rules and rankings by them read."""
    files = [
        path
        for name in _indicator_datasets(config)
        for path in dataset_shards(config, [name], needed_columns(config, name))
    ]
    for name, settings in config["quality_rules"].items():
        files += rule_indicators(config, name) if "mixtures" in settings else []
    for strategy, pool in shown_rankings(config):
        files += pool_indicators(config, pool, strategy_columns(config, strategy))
    entries = neighbour_entries(config)
    return [path for path in dict.fromkeys(files) if Path(path).parent.name in entries]


def run_score_files(config: Config, wildcards: Wildcards) -> list[str]:
    """Files of indicators that a run on a pool scores."""
    files = list[str]()
    for strategy, pool in used_rankings(config):
        columns = set(strategy_columns(config, strategy)) - {*dataset_columns(config)}
        files += pool_indicators(config, pool, columns)
    return list(dict.fromkeys(files))


def indicator_check(config: Config, wildcards: Wildcards) -> list[str]:
    """The indicator check, if the config asks for one."""
    return [paths.INDICATOR_CHECK] if config.get("indicator_check") else []


def pool_examples(config: Config, wildcards: Wildcards) -> list[str]:
    """The examples of a pool's datasets."""
    return examples(config["pools"][wildcards.pool])


def pool_indicator_tables(config: Config, wildcards: Wildcards) -> list[str]:
    """The indicator tables of a pool's datasets."""
    return [paths.INDICATOR_TABLE.format(dataset=dataset) for dataset in config["pools"][wildcards.pool]]


def number_of_examples(config: Config, wildcards: Wildcards) -> int:
    """How many best and worst examples a page shows."""
    return int(config["report"]["examples"])


def all_summaries(config: Config, wildcards: Wildcards) -> list[str]:
    """The summaries of all datasets."""
    return summaries(config["datasets"])

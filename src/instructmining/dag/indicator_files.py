"""Which indicator files hold given columns, and inputs and params of the rules that join and check them."""

from collections.abc import Iterable
from typing import Any

from instructmining.config import (
    dataset_columns,
    entries_for,
    rule_columns,
    run_entries,
    shards,
    strategy_columns,
)
from instructmining.dag.indicators import preference_pair_examples
from instructmining.dag.names import Config, Inputs, Wildcards, mixture_block, used_rankings
from instructmining.jobs import paths


def dataset_shards(config: Config, datasets: Iterable[str], columns: Iterable[str]) -> list[str]:
    """Files of the entries that compute these columns, for these datasets: no other indicator is computed."""
    wanted = list(datasets)
    return [path for entry in entries_for(config, columns) for path in _entry_shards(config, wanted, entry)]


def _entry_shards(config: Config, datasets: Iterable[str], entry: str) -> list[str]:
    return [
        paths.INDICATOR_SHARD.format(dataset=dataset, entry=entry, shard=shard)
        for dataset in datasets
        for shard in shards(config, dataset, entry)
    ]


def reference_shards(
    config: Config, datasets: Iterable[str], reference_sets: Iterable[str], columns: Iterable[str]
) -> list[str]:
    """As `dataset_shards`; of entries whose values are not the dataset's alone, the files of the reference sets.

    Args:
        config: The checked config.
        datasets: Datasets whose examples have the values.
        reference_sets: ``pools/{pool}`` or ``mixtures/{block}``, where other values of these examples lie.
        columns: Indicator columns. InputError for one that no entry computes.
    """
    wanted, sets, files = list(datasets), list(reference_sets), []
    for entry in entries_for(config, columns):
        if entry in run_entries(config):
            parts = [f"{dataset}-{shard}" for dataset in wanted for shard in shards(config, dataset, entry)]
            files += [_reference_shard(name, entry, part) for name in sets for part in parts]
        elif config["indicators"][entry].get("reference", "dataset") == "dataset":
            files += _entry_shards(config, wanted, entry)
        else:
            files += [paths.NEIGHBOUR_INDICATOR.format(reference_set=name, entry=entry) for name in sets]
    return files


def _reference_shard(reference_set: str, entry: str, shard: str) -> str:
    return paths.INDICATOR_SHARD.format(dataset=reference_set, entry=entry, shard=shard)


def pool_indicators(config: Config, pool: str, columns: Iterable[str]) -> list[str]:
    """Indicator files that a ranking of a pool by these columns reads."""
    return reference_shards(config, config["pools"][pool], [f"pools/{pool}"], columns)


def rule_indicators(config: Config, quality_rule: str) -> list[str]:
    """Indicator files that a quality rule fitted on mixtures reads."""
    blocks = config["quality_rules"][quality_rule]["mixtures"]
    datasets = dict.fromkeys(dataset for block in blocks for dataset in mixture_block(config, block)["datasets"])
    sets = [f"mixtures/{block}" for block in blocks]
    return reference_shards(config, datasets, sets, rule_columns(config, quality_rule))


def needed_columns(config: Config, dataset: str) -> list[str]:
    """Indicators of a dataset by itself that a rule fitted on it, or a strategy that ranks it, needs; sorted."""
    wanted: set[str] = set()
    for name, settings in config["quality_rules"].items():
        if any(dataset in mixture_block(config, block)["datasets"] for block in settings.get("mixtures", [])):
            wanted |= set(rule_columns(config, name))
    for strategy, pool in used_rankings(config):
        if dataset in config["pools"][pool]:
            wanted |= set(strategy_columns(config, strategy))
    return sorted(wanted & {*dataset_columns(config)})


def join_columns(config: Config, wildcards: Wildcards) -> list[str]:
    """Columns of a dataset's indicator table."""
    return needed_columns(config, wildcards.dataset)


def join_shards(config: Config, wildcards: Wildcards) -> list[str]:
    """Files that a dataset's indicator table is joined from."""
    return dataset_shards(config, [wildcards.dataset], needed_columns(config, wildcards.dataset))


def check_columns(config: Config, wildcards: Wildcards) -> list[str]:
    """Columns that the indicator check covers: all that datasets have by themselves."""
    return dataset_columns(config)


def check_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """Examples of both sides of the preference pairs, and their indicator files."""
    sides = config["indicator_check"]
    columns = dataset_columns(config)
    return {
        **preference_pair_examples(sides),
        **{f"{side}_shards": dataset_shards(config, [sides[side]], columns) for side in ("chosen", "rejected")},
    }


def check_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """Which datasets the indicator check compares."""
    found: dict[str, Any] = config["indicator_check"]
    return found

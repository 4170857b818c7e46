"""What follows from a checked configuration: the names of seeds, subsets, shards and columns. Pure functions."""

from collections.abc import Iterable
from math import prod
from typing import Any

from instructmining.jobs.errors import InputError
from instructmining.quality_rules.presets import published_names
from instructmining.scorers import ONE_SHARD, compares_examples, output_columns
from instructmining.settings import Strategy
from instructmining.settings.discovery import spec_of

Config = dict[str, Any]

# What the embeddings of an entry depend on.
EMBEDDING_KEYS = ("model", "revision", "precision", "device")


def seeded_names(config: Config, strategy: str) -> list[str]:
    """The orders that a strategy stands for: ``random-0``, ``random-1``, … with seeds, else its own name."""
    seeds = config["strategies"][strategy].get("seeds")
    return [strategy] if seeds is None else [f"{strategy}-{index}" for index in range(seeds)]


def strategy_settings(config: Config, name: str) -> tuple[str, dict[str, Any]]:
    """Strategy and settings of one order: ``random-1`` -> ``random``, with ``index: 1`` in place of ``seeds``.

    The number of seeds is left out, so that one more leaves the others' settings as they were. InputError for a name
    that the config does not have.
    """
    strategy, _, index = name.partition("-")
    if strategy not in config["strategies"] or name not in seeded_names(config, strategy):
        raise InputError(f"no strategy {name} in the config")
    settings = {key: value for key, value in config["strategies"][strategy].items() if key != "seeds"}
    return strategy, {**settings, "index": int(index)} if index else settings


def columns(config: Config) -> dict[str, tuple[str, str]]:
    """Every indicator column -> (config entry, output of its scorer), sorted by column."""
    found = {
        column: (entry, output)
        for entry, settings in config["indicators"].items()
        for output, column in output_columns(entry, settings).items()
    }
    return dict(sorted(found.items()))


def entries_for(config: Config, wanted: Iterable[str]) -> list[str]:
    """The config entries that compute these columns, sorted. InputError for a column that none computes."""
    known = columns(config)
    missing = sorted(set(wanted) - set(known))
    if missing:
        raise InputError(f"no entry of indicators computes {', '.join(missing)}")
    return sorted({known[column][0] for column in wanted})


def shards(config: Config, dataset: str, entry: str | None = None) -> list[str]:
    """``000-of-004`` … of a dataset; one alone for an entry whose scorer compares all examples."""
    if entry is not None and compares_examples(config["indicators"][entry]["scorer"]):
        return [ONE_SHARD]
    count = config["datasets"][dataset]["shards"]
    return [f"{shard:03d}-of-{count:03d}" for shard in range(count)]


def neighbour_entries(config: Config) -> list[str]:
    """Indicator entries that compare examples with one another, in config order."""
    return [entry for entry, settings in config["indicators"].items() if compares_examples(settings["scorer"])]


def run_entries(config: Config) -> list[str]:
    """Indicator entries whose model is a run on a subset of the pool: they have values of pools, not of datasets."""
    return [entry for entry, settings in config["indicators"].items() if "run" in settings]


def run_subset(config: Config, entry: str, pool: str) -> str:
    """The subset that an entry's model is finetuned on: cherry_seed/{pool}/all."""
    run = config["indicators"][entry]["run"]
    return f"{run['strategy']}/{pool}/{run['size']}"


def scoring_runs(config: Config, strategy: str, pool: str) -> list[tuple[str, str]]:
    """Recipe and subset of every run whose model scores the pool for a strategy, with those behind that subset."""
    known, found = columns(config), dict[tuple[str, str], None]()
    for entry in dict.fromkeys(known[column][0] for column in strategy_columns(config, strategy)):
        if entry in run_entries(config):
            run = config["indicators"][entry]["run"]
            found |= dict.fromkeys(scoring_runs(config, run["strategy"], pool))
            found[run["recipe"], run_subset(config, entry, pool)] = None
    return list(found)


def most_ranked(config: Config, strategy: str) -> int | None:
    """At most so many examples a strategy (or one of its seeds) ranks; None where only the data can tell."""
    settings = config["strategies"].get(strategy.partition("-")[0])
    keys = _spec(settings).at_most if settings else ()
    bounds = [settings[key] for key in keys] if settings else []
    return None if not bounds or None in bounds else prod(bounds)


def dataset_columns(config: Config) -> list[str]:
    """Indicator columns that a dataset has by itself, sorted: without those of `run_entries`."""
    by_pool = run_entries(config)
    return [column for column, (entry, _) in columns(config).items() if entry not in by_pool]


def embedding_entry(config: Config, entry: str) -> str:
    """Whose embeddings an entry reads: of section embeddings its own, of k-NN those of the first with its model."""
    if entry in config["embeddings"]:
        return entry
    entries = config["indicators"]
    wanted = [entries[entry][key] for key in EMBEDDING_KEYS]
    return next(
        other for other in neighbour_entries(config) if [entries[other][key] for key in EMBEDDING_KEYS] == wanted
    )


def mixture_names(config: Config, blocks: Iterable[str]) -> list[str]:
    """``base-000``, ``base-001``, … of the blocks, in the order given."""
    counts = {block["name"]: block["count"] for block in config["mixtures"]}
    return [f"{block}-{i:03d}" for block in blocks for i in range(counts[block])]


def rule_columns(config: Config, quality_rule: str) -> list[str]:
    """Columns that a quality rule may use: those it names, its candidates, or all of the config for ``auto``.

    A rule fitted from a table with ``auto`` and no candidates chooses among the table's columns: the list is empty.
    """
    rule = config["quality_rules"][quality_rule]
    if "preset" in rule:
        return [rule["columns"].get(name, name) for name in published_names(rule["preset"])]
    if rule["indicators"] != "auto":
        return list(rule["indicators"])
    if rule["candidates"] is not None:
        return list(rule["candidates"])
    return dataset_columns(config) if "mixtures" in rule else []


def strategy_columns(config: Config, strategy: str) -> list[str]:
    """Indicator columns that a strategy's ranking reads; ``strategy`` may carry its seed (``random-1``)."""
    _, settings = strategy_settings(config, strategy if "-" in strategy else seeded_names(config, strategy)[0])
    if settings["kind"] == "quality_rule":
        return rule_columns(config, settings["quality_rule"])
    return [settings[key] for key in _spec(settings).columns if key in settings]


def strategy_embeddings(config: Config, strategy: str) -> str | None:
    """The entry of embeddings that a strategy's ranking reads, if it does."""
    settings = config["strategies"][strategy.partition("-")[0]]
    key = _spec(settings).embeddings
    found: str | None = settings[key] if key else None
    return found


def against_orders(config: Config, strategy: str) -> list[str]:
    """The orders that a baseline (``random-1``, or its strategy) is held apart from; none without ``against``."""
    settings = config["strategies"][strategy.partition("-")[0]]
    key = _spec(settings).rankings
    return [order for name in (settings.get(key, []) if key else []) for order in seeded_names(config, name)]


def _spec(settings: dict[str, Any]) -> Strategy:
    found: Strategy = spec_of("strategies", settings["kind"], "strategy")
    return found


def comparison_subsets(config: Config, name: str) -> list[str]:
    """Subsets of a comparison: {order}/{pool}/{size} for each pool, order and size; {strategy}/{pool}/all for full."""
    comparison = config["comparisons"][name]
    found = []
    for pool in comparison["pools"]:
        for strategy in comparison["strategies"]:
            whole = config["strategies"][strategy]["kind"] == "full"
            sizes = ["all"] if whole else comparison["sizes"]
            found += [f"{order}/{pool}/{size}" for order in seeded_names(config, strategy) for size in sizes]
    return found

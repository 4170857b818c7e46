"""What a schema cannot say: names that must exist elsewhere in the config, and sizes that cannot be."""

import re
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from instructmining.config.baselines import against_problems, baseline_sizes
from instructmining.config.benchmarks import benchmark_problems, loss_problems
from instructmining.config.indicators import indicator_problems, model_problems, run_problems, unranked
from instructmining.config.names import (
    columns,
    dataset_columns,
    entries_for,
    neighbour_entries,
    rule_columns,
    seeded_names,
    strategy_columns,
)
from instructmining.config.schema import Problem, unknown
from instructmining.quality_rules.presets import OBSERVATIONS_PER_COEFFICIENT, published_names
from instructmining.training.recipes import recipe_problems

Config = dict[str, Any]
Problems = Iterator[Problem]


def reference_problems(config: Config) -> list[Problem]:
    """Every name without its section, and every impossible size.

    Indicator columns come first: what names a column cannot be checked before the columns themselves are known.
    """
    found = list(indicator_problems(config))
    return found or [problem for check in _CHECKS for problem in check(config)]


def _datasets(config: Config) -> Problems:
    graph = {}
    for name, settings in config["datasets"].items():
        path = ("datasets", name)
        others = set(config["datasets"]) - {name}
        for key in ("exclude_prompts_of", "exclude_ngrams_of"):
            yield from unknown(path, f"{key}: dataset", settings[key], "the other datasets", others)
        graph[name] = [*settings["exclude_prompts_of"], *settings["exclude_ngrams_of"]]
        if settings["rows"] and settings["rows"][0] >= settings["rows"][1]:
            yield Problem(path, f"rows {settings['rows']}: the first must be below the second")
        try:
            re.compile(settings["exclude_pattern"] or "")
        except re.error as error:
            yield Problem((*path, "exclude_pattern"), f"is no regular expression: {error}")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield Problem(
            ("datasets",),
            f"exclusions go round in a circle: {' - '.join(error.args[1])}",
        )


def _most(config: Config, datasets: list[str]) -> int | None:
    """At most so many examples are in these datasets together; None where only the data can tell."""
    total = 0
    for name in datasets:
        settings = config["datasets"].get(name, {"limit": None, "rows": None})
        # a row of format instances may hold several examples
        start, stop = (settings["rows"] if settings.get("format") != "instances" else None) or (0, None)
        bounds = [bound for bound in (settings["limit"], stop and stop - start) if bound is not None]
        if not bounds:
            return None
        total += min(bounds)
    return total


def _too_large(path: tuple[str | int, ...], key: str, size: int, config: Config, datasets: list[str]) -> Problems:
    most = _most(config, datasets)
    if most is not None and size > most:
        yield Problem(path, f"{key} {size} is more than the {most} examples that {', '.join(datasets)} can have")


def _pools(config: Config) -> Problems:
    for name, datasets in config["pools"].items():
        yield from unknown(("pools", name), "dataset", datasets, "datasets", config["datasets"])


def _packages(config: Config) -> Problems:
    """One package and version is one download: whoever names it means the same archive."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for section in ("models", "datasets"):
        for name, settings in config[section].items():
            if "package" not in settings:
                continue
            owner = first.setdefault((settings["package"], settings["version"]), (section, name))
            other = config[owner[0]][owner[1]]
            for key in ("sha256", "archive"):
                if settings[key] != other[key]:
                    both = f"{settings['package']} {settings['version']}"
                    yield Problem((section, name), f"{key} is not that of {'.'.join(owner)}, which also names {both}")


def _mixtures(config: Config) -> Problems:
    seen: set[str] = set()
    for i, block in enumerate(config["mixtures"]):
        yield from unknown(("mixtures", i), "dataset", block["datasets"], "datasets", config["datasets"])
        yield from _too_large(("mixtures", i), "size", block["size"], config, block["datasets"])
        if block["name"] in seen:
            yield Problem(("mixtures", i), f"name '{block['name']}' is taken by another block")
        seen.add(block["name"])


def _recipes(config: Config) -> Problems:
    for name, recipe in config["recipes"].items():
        yield from model_problems(("recipes", name), recipe, config)
        for message in recipe_problems(recipe):
            yield Problem(("recipes", name), message)


def _indicator_check(config: Config) -> Problems:
    sides = list(config.get("indicator_check", {}).values())
    yield from unknown(("indicator_check",), "dataset", sides, "datasets", config["datasets"])


def _quality_rules(config: Config) -> Problems:
    known = columns(config)
    for name, rule in config["quality_rules"].items():
        path = ("quality_rules", name)
        for column in sorted(set(rule_columns(config, name)) & set(known) - set(dataset_columns(config))):
            what = f"indicator '{column}' is scored under a run on each pool"
            yield Problem(path, f"{what}: a quality rule reads what datasets have by themselves")
        if "preset" in rule:
            published = published_names(rule["preset"])
            yield from unknown((*path, "columns"), "name", list(rule["columns"]), rule["preset"], published)
            if len(set(rule_columns(config, name))) < len(published):
                yield Problem((*path, "columns"), "two published names share a column")
            continue
        if rule["indicators"] != "auto" and rule["candidates"] is not None:
            yield Problem(path, "candidates are only for indicators: auto")
        if "mixtures" in rule:
            blocks = {block["name"]: block["count"] for block in config["mixtures"]}
            wanted = rule_columns(config, name)
            yield from unknown(path, "block", rule["mixtures"], "mixtures", blocks)
            yield from unknown(path, "recipe", rule["recipe"], "recipes", config["recipes"])
            yield from loss_problems(path, rule["loss"], config)
            yield from unknown(path, "indicator", wanted, "indicators", known)
            yield from _too_few(path, rule, wanted, [blocks.get(b) for b in rule["mixtures"]])
            yield from _other_density(path, rule["mixtures"], set(wanted) & set(known), config)


def _too_few(path: tuple[str | int, ...], rule: Config, used: list[str], counts: list[int | None]) -> Problems:
    if not used:
        yield Problem(path, "no indicators to choose from: the section indicators is empty")
    if None in counts or not used:
        return
    n = sum(count for count in counts if count is not None)
    if rule["indicators"] == "auto":
        p = min(rule["max_indicators"], len(used))
        needed = OBSERVATIONS_PER_COEFFICIENT * (p + 1)
        if n < needed:
            yield Problem(path, f"max_indicators {p} needs at least {needed} mixtures; there are {n}")
    elif n < len(used) + 2:
        yield Problem(path, f"{len(used)} indicators need at least {len(used) + 2} mixtures; there are {n}")


def _other_density(path: tuple[str | int, ...], names: list[str], used: set[str], config: Config) -> Problems:
    """A k-NN distance shrinks as its reference grows: a rule holds for references as large as it was fitted on."""
    for entry in entries_for(config, used):
        size = config["indicators"][entry].get("reference_size")
        for block in config["mixtures"]:
            if size is not None and block["name"] in names and block["size"] != size:
                what = f"mixtures of block '{block['name']}' have size {block['size']}"
                yield Problem(path, f"{what}, but indicators.{entry} has reference_size {size}: they must be equal")


def _strategies(config: Config) -> Problems:
    known, rules = columns(config), config["quality_rules"]
    for name, settings in config["strategies"].items():
        path = ("strategies", name)
        read = [] if settings["kind"] == "quality_rule" else strategy_columns(config, name)
        yield from unknown(path, "indicator", read, "indicators", known)
        if "embeddings" in settings:
            there = [*config["embeddings"], *neighbour_entries(config)]
            yield from unknown(path, "entry", settings["embeddings"], "embeddings (or indicators by k-NN)", there)
        for message in against_problems(config, name):
            yield Problem(path, message)
        for other in settings.get("against", []):
            yield from unranked(path, "sizes", max(settings.get("sizes", [0])), config, other)
        for pool, key, size in baseline_sizes(config, name):
            yield from _too_large(path, key, size, config, config["pools"].get(pool, []))
        if settings["kind"] != "quality_rule":
            continue
        rule = settings["quality_rule"]
        yield from unknown(path, "quality rule", rule, "quality_rules", rules)
        if rule not in rules:
            continue
        needed = rule_columns(config, rule)
        yield from unknown(path, f"quality rule {rule}: indicator", needed, "indicators", known)
        if not needed:
            yield Problem(path, f"quality rule {rule} needs `candidates`, so that it is known what to compute")


def _searches(config: Config) -> Problems:
    orders = [order for strategy in config["strategies"] for order in seeded_names(config, strategy)]
    for name, search in config["searches"].items():
        path, strategy, low, high = ("searches", name), search["strategy"], search["low"], search["high"]
        if "seeds" in config["strategies"].get(strategy, {}):
            seeds = ", ".join(seeded_names(config, strategy))
            yield Problem(path, f"strategy '{strategy}' has seeds: name one of {seeds}")
        else:
            yield from unknown(path, "strategy", strategy, "strategies", orders)
        if config["strategies"].get(strategy, {}).get("kind") == "full":
            yield Problem(path, f"strategy '{strategy}' is of kind full: it has no sizes to search")
        yield from unknown(path, "pool", search["pool"], "pools", config["pools"])
        yield from unknown(path, "recipe", search["recipe"], "recipes", config["recipes"])
        yield from loss_problems(path, search["loss"], config)
        yield from _too_large(path, "high", high, config, config["pools"].get(search["pool"], []))
        yield from unranked(path, "high", high, config, strategy)
        if low > high:
            yield Problem(path, f"low {low} is above high {high}")
        elif search["trials"] > high - low + 1:
            yield Problem(
                path, f"trials {search['trials']} are more than the {high - low + 1} sizes between low and high"
            )
        if search["parallel"] > search["trials"]:
            yield Problem(path, f"parallel {search['parallel']} is more than trials {search['trials']}")


def _comparisons(config: Config) -> Problems:
    for name, comparison in config["comparisons"].items():
        path, sizes = ("comparisons", name), comparison["sizes"]
        for section, what in _NAMED.items():
            yield from unknown(path, what, comparison[section], section, config[section])
        found = [size.removeprefix("best-") for size in sizes if isinstance(size, str)]
        yield from unknown(path, "search", found, "searches", config["searches"])
        kinds = {config["strategies"].get(strategy, {}).get("kind") for strategy in comparison["strategies"]}
        if not sizes and kinds - {"full", None}:
            yield Problem(path, "sizes are missing: only a strategy of kind full needs none")
        largest = max((size for size in sizes if isinstance(size, int)), default=0)
        for strategy in comparison["strategies"]:
            yield from unranked(path, "size", largest, config, strategy)
        for pool in comparison["pools"]:
            numbers = [size for size in sizes if isinstance(size, int)]
            yield from _too_large(path, "size", max(numbers, default=0), config, config["pools"].get(pool, []))


_NAMED = {"pools": "pool", "strategies": "strategy", "recipes": "recipe", "benchmarks": "benchmark"}
_CHECKS: list[Callable[[Config], Problems]] = [
    *(_packages, _datasets, _pools, benchmark_problems, _mixtures, _recipes, _indicator_check),
    *(run_problems, _quality_rules, _strategies, _searches, _comparisons),
]

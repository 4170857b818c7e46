"""What a schema cannot say: names that must exist elsewhere in the config, and sizes that cannot be."""

import re
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from instructmining.config.baselines import against_problems, baseline_sizes
from instructmining.config.judges import judge_problems
from instructmining.config.names import columns, entries_for, rule_columns, seeded_names
from instructmining.config.recipes import recipe_problems
from instructmining.config.schema import Problem, similar
from instructmining.judge_prompts import PROMPTS, has_field
from instructmining.presets import OBSERVATIONS_PER_COEFFICIENT, published_names
from instructmining.scorers import OUTPUTS, output_columns

Config = dict[str, Any]
Problems = Iterator[Problem]

# Columns of our own tables, which an indicator would overwrite.
RESERVED_COLUMNS = (
    *("id", "dataset", "row", "instruction", "input", "output", "truncated", "reason", "score", "rank", "pool"),
    *("mixture", "loss", "log_loss", "predicted_log_loss", "residual", "intercept", "const"),
    *("group", "predicted_loss", "source", "block", "vector"),
)


def reference_problems(config: Config) -> list[Problem]:
    """Every name without its section, and every impossible size.

    Indicator columns come first: what names a column cannot be checked before the columns themselves are known.
    """
    found = list(_indicators(config))
    return found or [problem for check in _CHECKS for problem in check(config)]


def _unknown(path: tuple[str | int, ...], what: str, names: Any, section: str, known: Any) -> Problems:
    for name in [names] if isinstance(names, str) else names:
        if name not in known:
            yield Problem(path, f"{what} '{name}' is not in {section}{similar(name, known)}")


def _model(path: tuple[str | int, ...], settings: Config, config: Config) -> Problems:
    model = settings.get("model", "/")
    if "/" not in model and model not in config["models"] and similar(model, config["models"]):
        yield from _unknown(path, "model", model, "models", config["models"])


def _indicators(config: Config) -> Problems:
    owners: dict[str, str] = {}
    for entry, settings in config["indicators"].items():
        path = ("indicators", entry)
        known = OUTPUTS[settings["scorer"]]
        unknown = set(settings.get("outputs", {})) - set(known)
        for output in sorted(unknown):
            hint = similar(output, known) or f": expected some of {', '.join(known)}"
            yield Problem((*path, "outputs", output), f"unknown output{hint}")
        if unknown:
            continue
        for column in output_columns(entry, settings).values():
            if column in RESERVED_COLUMNS:
                yield Problem(path, f"column '{column}' is a reserved name")
            if column in owners:
                yield Problem(path, f"column '{column}' is already made by indicators.{owners[column]}")
            owners[column] = entry
        if settings.get("backend") != "api":
            yield from _model(path, settings, config)
        if settings["scorer"] == "judge":
            yield from judge_problems(path, settings)
        if settings["scorer"] == "causal":
            yield from _causal(path, settings, config)
        if settings["scorer"] == "knn" and settings["n_neighbors"] <= settings["i"]:
            yield Problem(path, f"n_neighbors {settings['n_neighbors']} must be above i {settings['i']}")
        if settings.get("reference_size", settings.get("i", 0) + 1) <= settings.get("i", 0):
            yield Problem(path, f"reference_size {settings['reference_size']} must be above i {settings['i']}")
        if settings.get("gpus", 1) > 1 and settings["device"] != "cuda":
            yield Problem(path, f"gpus {settings['gpus']} needs device cuda")
        if settings["scorer"] == "expected_score" and not has_field(settings["prompt"]):
            yield Problem(path, f"prompt: expected {', '.join(PROMPTS)}, or a text with {{instruction}} or {{output}}")
        if (settings.get("max_prompt_length") or 0) >= settings.get("max_length", 1):
            yield Problem(path, "max_prompt_length leaves no room for a response in max_length")


def _causal(path: tuple[str | int, ...], settings: Config, config: Config) -> Problems:
    head = settings.get("preference_head")
    if ("reward" in settings["outputs"]) != (head is not None):
        missing = "preference_head" if head is None else "reward among its outputs"
        yield Problem(path, f"output reward and preference_head go together: {missing} is missing")
    sides = [head["chosen"], head["rejected"]] if head else []
    yield from _unknown((*path, "preference_head"), "dataset", sides, "datasets", config["datasets"])


def _datasets(config: Config) -> Problems:
    graph = {}
    for name, settings in config["datasets"].items():
        path = ("datasets", name)
        graph[name] = settings["exclude_prompts_of"]
        others = set(config["datasets"]) - {name}
        yield from _unknown(path, "exclude_prompts_of: dataset", graph[name], "the other datasets", others)
        if settings["rows"] and settings["rows"][0] >= settings["rows"][1]:
            yield Problem(path, f"rows {settings['rows']}: the first must be below the second")
        try:
            re.compile(settings["exclude_pattern"] or "")
        except re.error as error:
            yield Problem((*path, "exclude_pattern"), f"is no regular expression: {error}")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield Problem(("datasets",), f"exclude_prompts_of goes round in a circle: {' - '.join(error.args[1])}")


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
        yield from _unknown(("pools", name), "dataset", datasets, "datasets", config["datasets"])


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


def _benchmarks(config: Config) -> Problems:
    training = [(f"pool {name}", datasets) for name, datasets in config["pools"].items()]
    training += [(f"mixture block {block['name']}", block["datasets"]) for block in config["mixtures"]]
    for name, settings in config["benchmarks"].items():
        path, dataset = ("benchmarks", name), settings["dataset"]
        yield from _unknown(path, "dataset", dataset, "datasets", config["datasets"])
        for what, datasets in training:
            if dataset in datasets:
                yield Problem(path, f"{what} trains on the benchmark's own data, dataset {dataset}")


def _mixtures(config: Config) -> Problems:
    seen: set[str] = set()
    for i, block in enumerate(config["mixtures"]):
        yield from _unknown(("mixtures", i), "dataset", block["datasets"], "datasets", config["datasets"])
        yield from _too_large(("mixtures", i), "size", block["size"], config, block["datasets"])
        if block["name"] in seen:
            yield Problem(("mixtures", i), f"name '{block['name']}' is taken by another block")
        seen.add(block["name"])


def _recipes(config: Config) -> Problems:
    for name, recipe in config["recipes"].items():
        yield from _model(("recipes", name), recipe, config)
        for message in recipe_problems(recipe):
            yield Problem(("recipes", name), message)


def _indicator_check(config: Config) -> Problems:
    sides = list(config.get("indicator_check", {}).values())
    yield from _unknown(("indicator_check",), "dataset", sides, "datasets", config["datasets"])


def _quality_rules(config: Config) -> Problems:
    known = columns(config)
    for name, rule in config["quality_rules"].items():
        path = ("quality_rules", name)
        if "preset" in rule:
            published = published_names(rule["preset"])
            yield from _unknown((*path, "columns"), "name", list(rule["columns"]), rule["preset"], published)
            if len(set(rule_columns(config, name))) < len(published):
                yield Problem((*path, "columns"), "two published names share a column")
            continue
        if rule["indicators"] != "auto" and rule["candidates"] is not None:
            yield Problem(path, "candidates are only for indicators: auto")
        if "mixtures" in rule:
            blocks = {block["name"]: block["count"] for block in config["mixtures"]}
            wanted = rule_columns(config, name)
            yield from _unknown(path, "block", rule["mixtures"], "mixtures", blocks)
            yield from _unknown(path, "recipe", rule["recipe"], "recipes", config["recipes"])
            yield from _unknown(path, "loss", rule["loss"], "benchmarks", config["benchmarks"])
            yield from _unknown(path, "indicator", wanted, "indicators", known)
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
        if "indicator" in settings:
            yield from _unknown(path, "indicator", settings["indicator"], "indicators", known)
        for message in against_problems(config, name):
            yield Problem(path, message)
        for pool, key, size in baseline_sizes(config, name):
            yield from _too_large(path, key, size, config, config["pools"].get(pool, []))
        if settings["kind"] != "quality_rule":
            continue
        rule = settings["quality_rule"]
        yield from _unknown(path, "quality rule", rule, "quality_rules", rules)
        if rule not in rules:
            continue
        needed = rule_columns(config, rule)
        yield from _unknown(path, f"quality rule {rule}: indicator", needed, "indicators", known)
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
            yield from _unknown(path, "strategy", strategy, "strategies", orders)
        if config["strategies"].get(strategy, {}).get("kind") == "full":
            yield Problem(path, f"strategy '{strategy}' is of kind full: it has no sizes to search")
        yield from _unknown(path, "pool", search["pool"], "pools", config["pools"])
        yield from _unknown(path, "recipe", search["recipe"], "recipes", config["recipes"])
        yield from _unknown(path, "loss", search["loss"], "benchmarks", config["benchmarks"])
        yield from _too_large(path, "high", high, config, config["pools"].get(search["pool"], []))
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
            yield from _unknown(path, what, comparison[section], section, config[section])
        found = [size.removeprefix("best-") for size in sizes if isinstance(size, str)]
        yield from _unknown(path, "search", found, "searches", config["searches"])
        kinds = {config["strategies"].get(strategy, {}).get("kind") for strategy in comparison["strategies"]}
        if not sizes and kinds - {"full", None}:
            yield Problem(path, "sizes are missing: only a strategy of kind full needs none")
        for pool in comparison["pools"]:
            numbers = [size for size in sizes if isinstance(size, int)]
            yield from _too_large(path, "size", max(numbers, default=0), config, config["pools"].get(pool, []))


_NAMED = {"pools": "pool", "strategies": "strategy", "recipes": "recipe", "benchmarks": "benchmark"}
_CHECKS: list[Callable[[Config], Problems]] = [
    *(_packages, _datasets, _pools, _benchmarks, _mixtures, _recipes, _indicator_check),
    *(_quality_rules, _strategies, _searches, _comparisons),
]

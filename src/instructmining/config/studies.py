"""Studies: whole tables of a paper, said in a few keys. Pure functions.

A study becomes entries of the sections that exist, among them a comparison of its own name, before anything is checked
further: nothing is trained or evaluated in a second way, and what it shares with a comparison is made once.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from instructmining.config.schema import Problem, unknown

Config = dict[str, Any]
Entry = tuple[str, str]

COMPARED = ("recipes", "benchmarks")


def with_studies(filled: Config) -> tuple[Config, dict[Entry, str], list[Problem]]:
    """The config with what its studies stand for, (section, name) -> study of every entry added, and what is wrong.

    ``filled``: with defaults, before names are checked. A name that stands for something else already is a problem; the
    same thing under the same name is shared, as recipes are by studies, and all is in a config checked before.
    """
    config, owners, problems = deepcopy(filled), dict[Entry, str](), list[Problem]()
    for study, settings in filled["studies"].items():
        found = list(_PROBLEMS[settings["kind"]](filled, study))
        problems += found
        entries = {} if found else _ENTRIES[settings["kind"]](filled, study)
        for (section, name), entry in entries.items():
            if config[section].get(name, entry) != entry:
                other = owners.get((section, name))
                by = f"by study {other}" if other else "by the config's own"
                problems.append(Problem(("studies", study), f"needs the name {section}.{name}, which is taken {by}"))
                continue
            config[section][name] = entry
            owners.setdefault((section, name), study)
    return config, owners, problems


def in_studies(problems: list[Problem], owners: dict[Entry, str]) -> list[Problem]:
    """Problems of entries that a study made, under the study's name: the user wrote no others."""
    return [
        Problem(("studies", owners[problem.path[:2]], *problem.path[2:]), problem.message)  # type: ignore[index]
        if problem.path[:2] in owners
        else problem
        for problem in problems
    ]


def studies_of_kind(config: Config, kind: str) -> list[str]:
    """Names of the studies of a kind, in config order."""
    return [name for name, settings in config["studies"].items() if settings["kind"] == kind]


def ablated(config: Config, study: str) -> dict[str, str]:
    """Quality rule (and strategy) that lacks an indicator -> that indicator, of a study of kind ablation."""
    strategy = config["strategies"][config["studies"][study]["strategy"]]
    rule = config["quality_rules"][strategy["quality_rule"]]
    return {f"{study}_without_{indicator}": indicator for indicator in _indicators(rule) or ()}


def all_ablated(config: Config) -> list[str]:
    """Quality rules (and strategies) of all ablations, which their studies' pages show."""
    return [name for study in studies_of_kind(config, "ablation") for name in ablated(config, study)]


def seeded_recipes(recipe: str, seeds: int) -> list[str]:
    """The recipes of a run that is made ``seeds`` times: itself, then with seed + 1, seed + 2, …"""
    return [recipe, *(f"{recipe}_seed{i}" for i in range(1, seeds))]


def repeated_recipes(config: Config, study: str) -> dict[str, str]:
    """Recipe of a run -> the recipe that it repeats with another seed, or itself, of a study of kind ablation."""
    settings = config["studies"][study]
    return {name: one for one in settings["recipes"] for name in seeded_recipes(one, settings["seeds"])}


def dataset_pools(config: Config, study: str) -> dict[str, str]:
    """Pool -> the one dataset in it, of a study of kind datasets."""
    return {f"{study}_{dataset}": dataset for dataset in config["studies"][study]["datasets"]}


def scanned_sizes(low: int, high: int, points: int) -> list[int]:
    """Whole numbers from ``low`` to ``high``, each the same multiple of the one before, both ends included.

    Fewer than ``points`` where rounding makes two of them one.
    """
    steps = [round(low * (high / low) ** (i / (points - 1))) for i in range(points)]
    return sorted({low, *steps[1:-1], high})


def _indicators(rule: Config) -> list[str] | None:
    """What a rule may be refitted without; None where the config does not say it."""
    if "preset" in rule:
        return None
    found: list[str] | None = rule["candidates"] if rule["indicators"] == "auto" else rule["indicators"]
    return found


def _comparison(settings: Config, **keys: Any) -> Config:
    """In the schema's order of keys."""
    whole = {**{key: settings[key] for key in COMPARED}, **keys}
    order = ("pools", "strategies", "sizes", "recipes", "benchmarks")
    return {**{key: whole[key] for key in order}, "keep_models": settings["keep_models"]}


def _ablation(config: Config, study: str) -> dict[Entry, Config]:
    settings = config["studies"][study]
    strategy, found = settings["strategy"], dict[Entry, Any]()
    if config["strategies"][strategy]["quality_rule"] not in config["quality_rules"]:
        # said of the strategy itself
        return found
    rule = config["quality_rules"][config["strategies"][strategy]["quality_rule"]]
    key = "candidates" if rule["indicators"] == "auto" else "indicators"
    for name, left_out in ablated(config, study).items():
        found["quality_rules", name] = {**rule, key: [other for other in rule[key] if other != left_out]}
        found["strategies", name] = {"kind": "quality_rule", "quality_rule": name}
    recipes = []
    for recipe in settings["recipes"]:
        # one that is not there is said of the comparison
        known = config["recipes"].get(recipe)
        names = seeded_recipes(recipe, settings["seeds"] if known else 1)
        recipes += names
        found |= {
            ("recipes", name): {**known, "seed": known["seed"] + i} for i, name in enumerate(names) if i and known
        }
    strategies = [strategy, *ablated(config, study)]
    keys = {"pools": settings["pools"], "strategies": strategies, "sizes": settings["sizes"], "recipes": recipes}
    found["comparisons", study] = _comparison(settings, **keys)
    return found


def _datasets(config: Config, study: str) -> dict[Entry, Any]:
    settings = config["studies"][study]
    pools, random = dataset_pools(config, study), f"{study}_random"
    found: dict[Entry, Any] = {("pools", pool): [dataset] for pool, dataset in pools.items()}
    found["strategies", random] = {"kind": "random", "seeds": settings["seeds"], "seed": settings["seed"]}
    keys = {"pools": list(pools), "strategies": [random], "sizes": [settings["size"]]}
    found["comparisons", study] = _comparison(settings, **keys)
    return found


def _size_scan(config: Config, study: str) -> dict[Entry, Config]:
    settings = config["studies"][study]
    sizes = scanned_sizes(*(settings[key] for key in ("low", "high", "points")))
    keys = {"pools": settings["pools"], "strategies": settings["strategies"], "sizes": sizes}
    return {("comparisons", study): _comparison(settings, **keys)}


def _ablation_problems(config: Config, study: str) -> Iterator[Problem]:
    path, name = ("studies", study), config["studies"][study]["strategy"]
    yield from unknown(path, "strategy", name, "strategies", config["strategies"])
    strategy = config["strategies"].get(name, {})
    if strategy and strategy["kind"] != "quality_rule":
        yield Problem(path, f"strategy '{name}' is of kind {strategy['kind']}: an ablation needs one of a quality rule")
    rule = config["quality_rules"].get(strategy.get("quality_rule"))
    if rule is None:
        return
    what, indicators = f"quality rule {strategy['quality_rule']}", _indicators(rule)
    if "preset" in rule:
        yield Problem(path, f"{what} is published: only a rule that is fitted can be refitted without an indicator")
    elif indicators is None:
        yield Problem(path, f"{what} has indicators auto: name its indicators, or its candidates, to leave each out")
    elif len(indicators) < 2:
        yield Problem(path, f"{what} has one indicator: without it there is none")


def _no_problems(config: Config, study: str) -> Iterator[Problem]:
    """All that can be wrong is said of the entries."""
    yield from ()


def _scan_problems(config: Config, study: str) -> Iterator[Problem]:
    low, high = (config["studies"][study][key] for key in ("low", "high"))
    if low >= high:
        yield Problem(("studies", study), f"low {low} must be below high {high}")


_PROBLEMS = {"ablation": _ablation_problems, "datasets": _no_problems, "size_scan": _scan_problems}
_ENTRIES = {"ablation": _ablation, "datasets": _datasets, "size_scan": _size_scan}

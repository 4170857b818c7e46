"""Random baselines: what they may be held apart from, and which sizes that concerns."""

from collections.abc import Iterator
from typing import Any

from instructmining.config.schema import similar
from instructmining.settings.discovery import specs

Config = dict[str, Any]

# kinds of strategies that are baselines themselves: nothing is held apart from these
BASELINES = [name for name, spec in specs("strategies").items() if spec.is_baseline]


def comparison_baselines(config: Config, name: str) -> dict[str, str]:
    """Strategies of a comparison that are no competitors, and their kinds."""
    kinds = {strategy: config["strategies"][strategy]["kind"] for strategy in config["comparisons"][name]["strategies"]}
    return {strategy: kind for strategy, kind in kinds.items() if kind in BASELINES}


def against_problems(config: Config, name: str) -> Iterator[str]:
    """One line for each name in a strategy's ``against`` that cannot stand there."""
    known = config["strategies"]
    for other in known[name].get("against", []):
        if other == name:
            yield f"against names '{name}' itself"
        elif other not in known:
            yield f"against: strategy '{other}' is not in strategies{similar(other, known)}"
        elif known[other]["kind"] in BASELINES:
            yield f"against: strategy '{other}' is of kind {known[other]['kind']}, a baseline itself"


def baseline_sizes(config: Config, name: str) -> Iterator[tuple[str, str, int]]:
    """(pool, key, size) of the sizes that a strategy's ``against`` asks of the pools that it ranks."""
    settings = config["strategies"][name]
    wanted = [("sizes", max(settings["sizes"]))] if "sizes" in settings else []
    wanted += [("depth", settings["depth"])] if settings.get("depth") else []
    for pool in ranked_pools(config, name):
        yield from ((pool, key, size) for key, size in wanted)


def ranked_pools(config: Config, name: str) -> list[str]:
    """Pools that a strategy ranks for a comparison or a search."""
    pools = [
        pool
        for settings in config["comparisons"].values()
        if name in settings["strategies"]
        for pool in settings["pools"]
    ]
    searches = config["searches"].values()
    pools += [settings["pool"] for settings in searches if settings["strategy"].partition("-")[0] == name]
    return list(dict.fromkeys(pools))


def unchecked_sizes(config: Config) -> list[str]:
    """A line for each comparison at a size at which its random strategy's overlap is not limited."""
    found = []
    for name, comparison in config["comparisons"].items():
        for strategy in comparison["strategies"]:
            checked = config["strategies"][strategy].get("sizes")
            sizes = [size for size in comparison["sizes"] if checked and isinstance(size, int) and size not in checked]
            if sizes:
                told = ", ".join(map(str, sizes))
                found.append(f"comparison {name} takes size {told}, at which strategy {strategy} limits no overlap")
    return found

"""Names that several stages share: what the config uses, and what the report shows."""

from collections.abc import Iterable
from typing import Any, Protocol

from instructmining.config import all_ablated
from instructmining.jobs.errors import InputError

Config = dict[str, Any]
Inputs = dict[str, list[str] | str]


class Wildcards(Protocol):
    """The wildcards of a job: each is an attribute, as Snakemake gives them."""

    def __getattr__(self, name: str) -> str: ...


class Section(dict[str, Any]):
    """A section of the config. A name that it lacks is the user's mistake: InputError in one line, not a KeyError."""

    def __init__(self, name: str, content: dict[str, Any]) -> None:
        super().__init__(content)
        self.name = name

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        # jobs get the config pickled, and as plain data
        return dict, (dict(self),)

    def __missing__(self, key: str) -> Any:
        raise InputError(f"this target needs {key!r} in section {self.name!r} of the config, which has no such name")


def in_sections(config: Config) -> Config:
    """The config with each of its mappings as a `Section`."""
    return {name: Section(name, content) if isinstance(content, dict) else content for name, content in config.items()}


def one_of(names: Iterable[str]) -> str:
    """A wildcard constraint, as a regular expression: one of these names; one that nothing matches for no names."""
    return "|".join(dict.fromkeys(names)) or "(?!)"


def mixture_block(config: Config, name: str) -> dict[str, Any]:
    """The settings of a block of mixtures."""
    found: dict[str, Any] = next(block for block in config["mixtures"] if block["name"] == name)
    return found


def best_subset(config: Config, search: str) -> str:
    """The subset that a search ends with: {strategy}/{pool}/best-{search}."""
    settings = config["searches"][search]
    return f"{settings['strategy']}/{settings['pool']}/best-{search}"


def used_rankings(config: Config) -> list[tuple[str, str]]:
    """Strategy (or one of its orders) and pool of every ranking that a search or comparison uses, sorted."""
    used = [(settings["strategy"], settings["pool"]) for settings in config["searches"].values()]
    for settings in config["comparisons"].values():
        used += [(strategy, pool) for strategy in settings["strategies"] for pool in settings["pools"]]
    return sorted(set(used))


def shown_quality_rules(config: Config) -> list[str]:
    """Quality rules with a page of their own: a rule that lacks an indicator is shown by its ablation."""
    ablated = all_ablated(config)
    return [name for name in config["quality_rules"] if name not in ablated]


def shown_rankings(config: Config) -> list[tuple[str, str]]:
    """Strategy and pool of rankings by a quality rule: the report has a page of their best and worst examples."""
    ablated = all_ablated(config)
    kinds = {name: settings["kind"] for name, settings in config["strategies"].items() if name not in ablated}
    return [(strategy, pool) for strategy, pool in used_rankings(config) if kinds.get(strategy) == "quality_rule"]

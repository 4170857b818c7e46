"""Inputs and params of rules/searches.smk."""

from collections.abc import Iterable
from typing import Any

from instructmining.dag.names import Config, Inputs, Wildcards
from instructmining.jobs import paths
from instructmining.selection import search


def trial(name: str, t: int) -> dict[str, str]:
    """The wildcards of a trial of a search."""
    return {"search": name, "t": f"{t:03d}"}


def trial_subset(name: str, t: int) -> str:
    """The subset of a trial of a search."""
    return f"searches/{name}/{t:03d}"


def _trial_files(config: Config, name: str, proposed: Iterable[int], evaluated: Iterable[int]) -> Inputs:
    """The proposals of the trials ``proposed`` and the evaluations of the trials ``evaluated``."""
    settings = config["searches"][name]
    recipe, loss = settings["recipe"], settings["loss"]
    return {
        "proposals": [paths.PROPOSAL.format(**trial(name, t)) for t in proposed],
        "evaluations": [
            paths.EVALUATION.format(recipe=recipe, subset=trial_subset(name, t), benchmark=loss) for t in evaluated
        ],
    }


def propose_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """All earlier proposals, and the evaluations that are known when this trial is proposed."""
    number = int(wildcards.t)
    known = search.told(number, config["searches"][wildcards.search]["parallel"])
    return _trial_files(config, wildcards.search, range(number), known)


def propose_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What a proposal depends on: the number of trials is not part of it."""
    settings = config["searches"][wildcards.search]
    return {key: settings[key] for key in ("low", "high", "parallel", "seed")}


def choose_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The proposals and evaluations of all trials."""
    trials = range(config["searches"][wildcards.search]["trials"])
    return _trial_files(config, wildcards.search, trials, trials)


def choose_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """All settings of a search."""
    found: dict[str, Any] = config["searches"][wildcards.search]
    return found


def search_strategy(config: Config, wildcards: Wildcards) -> str:
    """The strategy whose ranking a search takes its trials from."""
    return str(config["searches"][wildcards.search]["strategy"])


def search_pool(config: Config, wildcards: Wildcards) -> str:
    """The pool that a search selects from."""
    return str(config["searches"][wildcards.search]["pool"])


def search_ranking(config: Config, wildcards: Wildcards) -> str:
    """The ranking that a search takes its trials from."""
    settings = config["searches"][wildcards.search]
    return paths.RANKING.format(ranking=settings["strategy"], pool=settings["pool"])

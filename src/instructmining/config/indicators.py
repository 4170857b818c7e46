"""What a schema cannot say of indicators and embeddings: outputs, columns and names that clash, runs that score."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from instructmining.config.judges import judge_problems
from instructmining.config.names import columns, most_ranked, run_entries, seeded_names, strategy_columns
from instructmining.config.schema import Problem, similar, unknown
from instructmining.judge.prompts import PROMPTS, has_field
from instructmining.scorers import output_columns, outputs_of

Config = dict[str, Any]
Problems = Iterator[Problem]

# Columns of our own tables, which an indicator would overwrite.
RESERVED_COLUMNS = (
    *("id", "dataset", "row", "instruction", "input", "output", "truncated", "reason", "score", "rank", "pool"),
    *("mixture", "loss", "log_loss", "predicted_log_loss", "residual", "intercept", "const"),
    *("group", "predicted_loss", "source", "block", "vector"),
)


def model_problems(path: tuple[str | int, ...], settings: Config, config: Config) -> Problems:
    """A model's name that is meant to be one of section models, and is not."""
    model = settings.get("model", "/")
    if "/" not in model and model not in config["models"] and similar(model, config["models"]):
        yield from unknown(path, "model", model, "models", config["models"])


def indicator_problems(config: Config) -> Problems:
    """What is wrong with the entries of sections indicators and embeddings."""
    owners: dict[str, str] = {}
    for entry, settings in config["indicators"].items():
        path = ("indicators", entry)
        known = outputs_of(settings["scorer"])
        wrong = set(settings.get("outputs", {})) - set(known)
        for output in sorted(wrong):
            hint = similar(output, known) or f": expected some of {', '.join(known)}"
            yield Problem((*path, "outputs", output), f"unknown output{hint}")
        if wrong:
            continue
        for column in output_columns(entry, settings).values():
            if column in RESERVED_COLUMNS:
                yield Problem(path, f"column '{column}' is a reserved name")
            if column in owners:
                yield Problem(path, f"column '{column}' is already made by indicators.{owners[column]}")
            owners[column] = entry
        if settings.get("backend") != "api":
            yield from model_problems(path, settings, config)
        if settings["scorer"] == "judge":
            yield from judge_problems(path, settings)
        if settings["scorer"] == "causal":
            yield from _causal(path, settings, config)
        if settings["scorer"] == "knn" and settings["n_neighbors"] <= settings["i"]:
            yield Problem(path, f"n_neighbors {settings['n_neighbors']} must be above i {settings['i']}")
        if settings.get("reference_size", settings.get("i", 0) + 1) <= settings.get("i", 0):
            yield Problem(path, f"reference_size {settings['reference_size']} must be above i {settings['i']}")
        if settings["scorer"] == "expected_score" and not has_field(settings["prompt"]):
            yield Problem(path, f"prompt: expected {', '.join(PROMPTS)}, or a text with {{instruction}} or {{output}}")
        yield from _reading(path, settings)
    for entry, settings in config["embeddings"].items():
        path = ("embeddings", entry)
        if entry in config["indicators"]:
            yield Problem(path, f"name '{entry}' is taken by indicators.{entry}: their files would lie in one folder")
        yield from model_problems(path, settings, config)
        yield from _reading(path, settings)


def _reading(path: tuple[str | int, ...], settings: Config) -> Problems:
    """How a model reads: on which GPUs, and how much."""
    if settings.get("gpus", 1) > 1 and settings["device"] != "cuda":
        yield Problem(path, f"gpus {settings['gpus']} needs device cuda")
    if (settings.get("max_prompt_length") or 0) >= settings.get("max_length", 1):
        yield Problem(path, "max_prompt_length leaves no room for a response in max_length")


def _causal(path: tuple[str | int, ...], settings: Config, config: Config) -> Problems:
    head = settings.get("preference_head")
    if ("reward" in settings["outputs"]) != (head is not None):
        missing = "preference_head" if head is None else "reward among its outputs"
        yield Problem(path, f"output reward and preference_head go together: {missing} is missing")
    if head is not None and "run" in settings:
        yield Problem(path, "a model that is a run of each pool has no preference head")
    sides = [head["chosen"], head["rejected"]] if head else []
    yield from unknown((*path, "preference_head"), "dataset", sides, "datasets", config["datasets"])


def run_problems(config: Config) -> Problems:
    """What is wrong with the runs under which indicators are scored: names, sizes, and circles."""
    orders = [order for strategy in config["strategies"] for order in seeded_names(config, strategy)]
    found: list[Problem] = []
    for entry in run_entries(config):
        path, run = ("indicators", entry, "run"), config["indicators"][entry]["run"]
        found += unknown(path, "recipe", run["recipe"], "recipes", config["recipes"])
        found += unknown(path, "strategy", run["strategy"], "strategies", orders)
        if run["size"] != "all":
            if config["strategies"].get(run["strategy"], {}).get("kind") == "full":
                found.append(Problem(path, f"strategy '{run['strategy']}' is of kind full: its only size is all"))
            found += unranked(path, "size", run["size"], config, run["strategy"])
    yield from found
    if found:
        return
    try:
        TopologicalSorter(_scored_by(config)).prepare()
    except CycleError as error:
        yield Problem(("indicators",), f"runs that score what selects them: {' - '.join(error.args[1])}")


def unranked(path: tuple[str | int, ...], key: str, size: int, config: Config, strategy: str) -> Problems:
    """A size above what a strategy ranks at most."""
    most = most_ranked(config, strategy)
    if most is not None and size > most:
        yield Problem(path, f"{key} {size} is more than the {most} examples that strategy '{strategy}' ranks")


def _scored_by(config: Config) -> dict[str, list[str]]:
    """Strategy -> the strategies that its ranking waits for: behind an indicator's run, or held apart from it."""
    known, by_run = columns(config), run_entries(config)
    graph: dict[str, list[str]] = {}
    for name, settings in config["strategies"].items():
        # a quality rule reads what datasets have by themselves
        read = [] if settings["kind"] == "quality_rule" else strategy_columns(config, name)
        entries = [known[column][0] for column in read if column in known]
        orders = [config["indicators"][entry]["run"]["strategy"] for entry in entries if entry in by_run]
        apart = [other for other in settings.get("against", []) if other != name]
        graph[name] = [*(order.partition("-")[0] for order in orders), *apart]
    return graph

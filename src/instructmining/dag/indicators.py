"""Inputs and params of the scoring rules of rules/indicators.smk: one shard, preference heads, neighbours."""

from pathlib import Path
from typing import Any

from instructmining.config import mixture_names, neighbour_entries, run_entries, run_subset
from instructmining.config.params import result_params
from instructmining.dag.embeddings import (
    asks_an_endpoint,
    embedding_files,
    entry_model,
)
from instructmining.dag.mixtures import mixture_files
from instructmining.dag.models import model_path, model_record
from instructmining.dag.names import Config, Inputs, Wildcards, mixture_block, one_of
from instructmining.jobs import paths
from instructmining.jobs.errors import InputError
from instructmining.scorers import output_columns
from instructmining.settings import versions


def by_neighbours(config: Config) -> str:
    """Wildcard constraint: entries that compare examples with one another."""
    return one_of(neighbour_entries(config))


def under_runs(config: Config) -> str:
    """Wildcard constraint: entries whose model is a run on a subset of the pool."""
    return one_of(run_entries(config))


def by_models(config: Config) -> str:
    """Wildcard constraint: entries that score each example by itself, with a model."""
    return one_of(entry for entry in _by_example(config) if _needs_a_model(config, entry))


def by_counting(config: Config) -> str:
    """Wildcard constraint: entries that score each example by itself, without a model."""
    return one_of(entry for entry in _by_example(config) if not _needs_a_model(config, entry))


def _by_example(config: Config) -> list[str]:
    others = [*neighbour_entries(config), *run_entries(config)]
    return [entry for entry in config["indicators"] if entry not in others]


def _needs_a_model(config: Config, entry: str) -> bool:
    return bool({"device", "backend"} & set(config["indicators"][entry]))


def judge_places(config: Config, wildcards: Wildcards) -> int:
    """Places at the endpoint that a job takes: profiles/ let one job ask at a time, with all its concurrency."""
    return int(asks_an_endpoint(config, wildcards.entry))


def entry_params(config: Config, entry: str, pool: str | None = None) -> dict[str, Any]:
    """An entry's settings with its columns, where its model and its preference head lie, and what the model is.

    ``pool``: whose run the model is, of entries that have one.
    """
    settings = config["indicators"][entry]
    found = result_params("indicators", settings)
    # sorted, since Snakemake compares params as text, and the order in which a user writes these means nothing
    found["outputs"] = dict(sorted(output_columns(entry, settings).items()))
    if "request" in found:
        found["request"] = dict(sorted(found["request"].items()))
    if "run" in settings:
        recipe, subset = settings["run"]["recipe"], run_subset(config, entry, str(pool))
        # a run's folder has no revisions
        found |= {"model_path": paths.WEIGHTS.format(recipe=recipe, subset=subset), "revision": "main"}
        found["model_record"] = {"model": f"{recipe}/{subset}", "revision": "run"}
    elif asks_an_endpoint(config, entry):
        found["model_record"] = {"model": settings["model"]}
    elif "model" in settings:
        found["model_path"] = model_path(config, settings["model"])
        found["model_record"] = model_record(config, settings["model"], settings["revision"])
    if settings["scorer"] == "causal" and "reward" in found["outputs"]:
        found["preference_head_path"] = paths.PREFERENCE_HEAD.format(entry=entry)
    return found


def score_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What the values of a shard depend on."""
    return entry_params(config, wildcards.entry, getattr(wildcards, "pool", None))


def score_version(config: Config, wildcards: Wildcards) -> int:
    """The version of an entry's scorer."""
    return versions.SCORERS[config["indicators"][wildcards.entry]["scorer"]]


def score_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The examples of a dataset, and the entry's model, preference head and judge's prompt, if it has them."""
    head = entry_params(config, wildcards.entry).get("preference_head_path")
    return {
        "examples": paths.EXAMPLES.format(dataset=wildcards.dataset),
        **entry_model(config, wildcards.entry),
        **({"preference_head": head} if head else {}),
        **_judge_prompt(config["indicators"][wildcards.entry]),
    }


def score_under_run_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The examples of a dataset, and the weights of the run on the pool."""
    return {
        "examples": paths.EXAMPLES.format(dataset=wildcards.dataset),
        "model": entry_params(config, wildcards.entry, wildcards.pool)["model_path"],
    }


def _judge_prompt(settings: dict[str, Any]) -> Inputs:
    """A judge's prompt file. One that does not exist is no input: the job that reads it names it in its error."""
    found = settings["scorer"] == "judge" and Path(settings["prompt"]).is_file()
    return {"prompt": settings["prompt"]} if found else {}


def _reference_set(config: Config, wildcards: Wildcards) -> tuple[str, list[str], list[str]]:
    """The kind of a reference set (a dataset is its own reference), its datasets and its mixtures."""
    folder, _, name = wildcards.reference_set.rpartition("/")
    if not folder:
        return "dataset", [name], []
    kind = config["indicators"][wildcards.entry]["reference"]
    if kind == "dataset":
        raise InputError(f"indicators.{wildcards.entry} has reference dataset: it has no values for {folder}")
    if folder == "pools":
        return kind, config["pools"][name], []
    mixtures = mixture_names(config, [name]) if kind == "mixture" else []
    return kind, mixture_block(config, name)["datasets"], mixtures


def neighbour_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The embeddings of a reference set's datasets, and its mixtures where each is a reference of its own.

    Raises:
        InputError: the reference set is a pool or a block, and the entry looks for neighbours in the dataset alone.
    """
    _, datasets, mixtures = _reference_set(config, wildcards)
    inputs: Inputs = {"embeddings": embedding_files(config, datasets, wildcards.entry)}
    if mixtures:
        inputs["mixtures"] = mixture_files(mixtures)
    return inputs


def neighbour_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """The entry's settings that matter for this reference set; those of the model are there for the record."""
    kind = _reference_set(config, wildcards)[0]
    unused = ("device", "model_path", *([] if kind == "mixture" else ["reference_size"]))
    settings = {**entry_params(config, wildcards.entry), "reference": kind}
    return {key: settings[key] for key in sorted(set(settings) - {*unused})}


def neighbour_threads(config: Config, wildcards: Wildcards) -> int:
    """Threads of the search for neighbours."""
    return int(config["indicators"][wildcards.entry]["n_jobs"])


def preference_pair_examples(settings: dict[str, Any]) -> dict[str, str]:
    """Examples of both sides of preference pairs."""
    return {side: paths.EXAMPLES.format(dataset=settings[side]) for side in ("chosen", "rejected")}


def preference_head_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The preference pairs that a head is fitted on, and the entry's model."""
    pairs = preference_pair_examples(config["indicators"][wildcards.entry]["preference_head"])
    return {**pairs, **entry_model(config, wildcards.entry)}


def preference_head_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """The entry's settings without those of its other outputs."""
    settings = entry_params(config, wildcards.entry)
    return {key: value for key, value in settings.items() if key not in ("outputs", "preference_head_path")}

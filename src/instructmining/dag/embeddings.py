"""Inputs and params of rule ``embed``, and what any entry of embeddings or indicators asks of a machine."""

from collections.abc import Iterable
from typing import Any

from instructmining.config import EMBEDDING_KEYS, embedding_entry, neighbour_entries, shards
from instructmining.config.params import result_params
from instructmining.dag.models import model_files, model_path, model_record
from instructmining.dag.names import Config, Inputs, Wildcards, one_of
from instructmining.jobs import paths
from instructmining.settings import versions

# keys that change how fast a scorer works, and no value


def embedding_entries(config: Config) -> str:
    """Wildcard constraint: entries under whose names embeddings are kept."""
    entries = [*config["embeddings"], *neighbour_entries(config)]
    return one_of(embedding_entry(config, entry) for entry in entries)


def entry_settings(config: Config, name: str) -> dict[str, Any]:
    """Settings of an entry of embeddings, or of indicators."""
    found: dict[str, Any] = config["embeddings"][name] if name in config["embeddings"] else config["indicators"][name]
    return found


def batch_tokens(config: Config, wildcards: Wildcards) -> int:
    """Tokens of one batch; a resource, since it changes no result."""
    return int(entry_settings(config, wildcards.entry).get("batch_tokens", 0))


def gpus(config: Config, wildcards: Wildcards) -> int:
    """GPUs of one job, which computes one shard of the entry."""
    settings = entry_settings(config, wildcards.entry)
    return int(settings.get("gpus", 1)) if settings.get("device") == "cuda" else 0


def gpu_nodes(config: Config, wildcards: Wildcards) -> int | None:
    """One machine for the GPUs of a job, since Slurm would give them from two; None without GPUs."""
    return 1 if gpus(config, wildcards) else None


def one_gpu(config: Config, wildcards: Wildcards) -> int:
    """The GPU of a job that is not split."""
    return min(1, gpus(config, wildcards))


def asks_an_endpoint(config: Config, entry: str) -> bool:
    """Whether the model of an entry is asked over an API."""
    return bool(entry_settings(config, entry).get("backend") == "api")


def entry_model(config: Config, entry: str) -> Inputs:
    """The files of an entry's model as input ``model``; nothing without a model, or for one over an API."""
    name = entry_settings(config, entry).get("model")
    return {"model": model_files(config, name)} if name and not asks_an_endpoint(config, entry) else {}


def embed_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The examples of a dataset, and the model that embeds them."""
    examples = paths.EXAMPLES.format(dataset=wildcards.dataset)
    return {"examples": examples, **entry_model(config, wildcards.entry)}


def embed_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """Of an entry by neighbours what its embeddings depend on; all of an entry of section embeddings."""
    settings = entry_settings(config, wildcards.entry)
    hidden = wildcards.entry in config["embeddings"]
    keys = list(result_params("embeddings", settings)) if hidden else list(EMBEDDING_KEYS)
    model, revision = settings["model"], settings["revision"]
    found = {key: settings[key] for key in keys}
    record = model_record(config, model, revision)
    return {**found, "model_path": model_path(config, model), "model_record": record}


def embed_version(config: Config, wildcards: Wildcards) -> int:
    """The version of the kind of embeddings that an entry has."""
    return versions.EMBEDDINGS["hidden_embeddings" if wildcards.entry in config["embeddings"] else "embeddings"]


def embedding_files(config: Config, datasets: Iterable[str], entry: str) -> list[str]:
    """The embeddings of datasets that an entry reads; entries by neighbours with the same model share theirs."""
    owner = embedding_entry(config, entry)
    return [
        paths.EMBEDDINGS.format(dataset=dataset, entry=owner, shard=shard)
        for dataset in datasets
        for shard in shards(config, dataset)
    ]

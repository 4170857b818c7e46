"""Inputs and params of rules/models.smk, and where the model of any entry lies."""

from pathlib import Path
from typing import Any

from instructmining.dag.datasets import archive
from instructmining.dag.names import Config, Wildcards
from instructmining.jobs import paths


def prepare_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """The settings of a model that its prepared folder depends on."""
    settings = config["models"][wildcards.model]
    unused = ("path", "licence", "origin")
    return {key: value for key, value in settings.items() if value is not None and key not in unused}


def prepare_input(config: Config, wildcards: Wildcards) -> str:
    """The package archive or the file that a model is prepared from."""
    settings = config["models"][wildcards.model]
    return archive(settings) if settings.get("package") else str(settings["path"])


def is_prepared(config: Config, name: str) -> bool:
    """Whether a model lies in a package archive or a GGUF file, and is made a folder first; others load as they are."""
    settings = config["models"].get(name, {})
    return bool(settings.get("package")) or str(settings.get("path", "")).endswith(".gguf")


def model_path(config: Config, name: str) -> str:
    """What to load: a prepared folder, a local folder, or a hub id."""
    if is_prepared(config, name):
        return paths.MODEL.format(model=name)
    return str(config["models"].get(name, {}).get("path", name))


def model_record(config: Config, name: str, revision: str) -> dict[str, str]:
    """``model`` and ``revision`` for the record: a package and its version, ``local`` for a folder, a commit on the
    hub, or ``unpinned``."""
    model = config["models"].get(name)
    if model:
        found = f"{model['package']}=={model['version']}" if "package" in model else "local"
    elif Path(name).exists():
        found = "local"
    else:
        found = "unpinned" if revision == "main" else revision
    return {"model": Path(name).name if Path(name).is_absolute() else name, "revision": found}


def model_files(config: Config, name: str) -> list[str]:
    """Files that a model is loaded from: a prepared folder, or what lies in a local one; none for a hub id."""
    if is_prepared(config, name):
        return [paths.MODEL.format(model=name)]
    folder = Path(model_path(config, name))
    return sorted(str(path) for path in folder.glob("*") if path.suffix in (".json", ".safetensors"))

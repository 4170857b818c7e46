"""Launchers: how the processes of a finetuning are started, one module a launcher, found by their `SPEC`.

A launcher's module has ``check_installed()``, which raises InputError for what is missing on this machine;
``deepspeed_config(recipe)``, the config that Trainer hands to DeepSpeed, or None; and ``weights_in_parts(recipe)``,
whether no process holds all weights. Launchers of several processes are started by torch's ``torch.distributed.run``.
"""

from collections.abc import Mapping
from typing import Any

from instructmining.settings import Launcher
from instructmining.settings.discovery import load, spec_of

_ROOM = "training/launchers"


def launcher_spec(recipe: Mapping[str, Any]) -> Launcher:
    """The SPEC of a recipe's launcher. InputError for a launcher that does not exist."""
    spec: Launcher = spec_of(_ROOM, recipe["launcher"], "launcher")
    return spec


def launcher_module(recipe: Mapping[str, Any]) -> Any:
    """The module of a recipe's launcher. InputError for a launcher that does not exist."""
    return load(_ROOM, recipe["launcher"], "launcher")

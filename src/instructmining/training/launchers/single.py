"""One process: the job itself trains."""

from typing import Any

from instructmining.settings import Launcher

SPEC = Launcher(several_processes=False, order=1)


def check_installed() -> None:
    """Nothing but the lock's packages is needed."""


def deepspeed_config(recipe: dict[str, Any]) -> None:
    """DeepSpeed takes no part."""


def weights_in_parts(recipe: dict[str, Any]) -> bool:
    """The one process holds all weights."""
    return False

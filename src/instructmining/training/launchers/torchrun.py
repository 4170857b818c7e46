"""Several processes that each hold all weights and average their gradients (PyTorch's DistributedDataParallel)."""

from typing import Any

from instructmining.settings import Launcher

SPEC = Launcher(order=2)


def check_installed() -> None:
    """Nothing but the lock's packages is needed."""


def deepspeed_config(recipe: dict[str, Any]) -> None:
    """DeepSpeed takes no part."""


def weights_in_parts(recipe: dict[str, Any]) -> bool:
    """Every process holds all weights."""
    return False

"""Several processes under DeepSpeed, which spreads optimiser, gradients and weights over them (ZeRO)."""

from importlib.util import find_spec
from typing import Any

from instructmining.jobs.errors import InputError
from instructmining.settings import Launcher, one_of, whole

SPEC = Launcher(
    settings={
        "zero_stage": whole(2, "DeepSpeed ZeRO stage", minimum=0, maximum=3),
        "offload": one_of(
            ["none", "optimizer", "optimizer_and_weights"],
            "none",
            "what DeepSpeed keeps in main memory instead of the GPU: the optimiser's state (`zero_stage` 1 or more), "
            "and the weights (3)",
        ),
    },
    keeps_float32_copy=True,
    order=3,
)

_INSTALL = "`.venv/bin/pip install --no-build-isolation -r envs/deepspeed.lock`"


def check_installed() -> None:
    """InputError where DeepSpeed is not installed: it is built against the torch that is there, so it comes later."""
    if find_spec("deepspeed") is None:
        raise InputError(f"launcher: deepspeed is not installed; install it with {_INSTALL}")


def weights_in_parts(recipe: dict[str, Any]) -> bool:
    """ZeRO stage 3 spreads the weights."""
    return bool(recipe["zero_stage"] == 3)


def deepspeed_config(recipe: dict[str, Any]) -> dict[str, Any]:
    """DeepSpeed's config; what Trainer knows already is ``auto``: the recipe stays the one source.

    The optimiser is Trainer's own fused AdamW, offloaded too: DeepSpeed's would be compiled on first use.
    """
    place = {"device": "cpu", "pin_memory": recipe["device"] == "cuda"}
    zero: dict[str, Any] = {
        "stage": recipe["zero_stage"],
        "overlap_comm": recipe["device"] == "cuda",
        "stage3_gather_16bit_weights_on_model_save": True,
    }
    if recipe["offload"] != "none":
        zero["offload_optimizer"] = place
    if recipe["offload"] == "optimizer_and_weights":
        zero["offload_param"] = place
    return {
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "bf16": {"enabled": "auto"},
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
    }

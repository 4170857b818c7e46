"""What a recipe's keys must be to one another, which a schema cannot say."""

from collections.abc import Iterator
from typing import Any

from instructmining.settings.discovery import specs
from instructmining.training.launchers import launcher_spec

# how runs are started and watched: not what comes out of them
NOT_RESULTS = ("checkpoint_minutes", "runs_per_job", "threads")


def recipe_problems(recipe: dict[str, Any]) -> Iterator[str]:
    """One line for everything in a recipe that cannot be."""
    yield from _sizes(recipe)
    yield from _offload(recipe)
    if not launcher_spec(recipe).several_processes:
        several = [name for name, spec in specs("training/launchers").items() if spec.several_processes]
        for key in ("gpus", "nodes"):
            if recipe[key] > 1:
                yield f"{key} above 1 need launcher {' or '.join(several)}"
    if (recipe["max_prompt_length"] or 0) >= recipe["max_length"]:
        yield "max_prompt_length leaves no room for a response in max_length"


def _sizes(recipe: dict[str, Any]) -> Iterator[str]:
    batch, micro, processes = recipe["batch_size"], recipe["micro_batch_size"], recipe["gpus"] * recipe["nodes"]
    if micro * processes > batch:
        across = f" on {processes} GPUs" if processes > 1 else ""
        yield f"micro_batch_size {micro}{across} is more than batch_size {batch}"
    elif batch % (micro * processes):
        parts = (
            f"gpus x nodes x micro_batch_size = {micro * processes}" if processes > 1 else f"micro_batch_size {micro}"
        )
        yield f"batch_size {batch} is not a multiple of {parts}"


def _offload(recipe: dict[str, Any]) -> Iterator[str]:
    offload, stage = recipe.get("offload", "none"), recipe.get("zero_stage", 0)
    needed = {"none": 0, "optimizer": 1, "optimizer_and_weights": 3}[offload]
    if stage < needed:
        yield f"offload {offload} needs zero_stage {needed}{'' if needed == 3 else ' or more'}, got {stage}"

"""Inputs, params and resources of rules/runs.smk."""

from typing import Any

from instructmining.config import (
    comparison_evaluations,
    comparison_subsets,
    mixture_names,
    run_entries,
    run_subset,
    strategy_settings,
)
from instructmining.config.params import result_params
from instructmining.dag.mixtures import mixture_files
from instructmining.dag.models import model_files, model_path, model_record
from instructmining.dag.names import Config, Wildcards, best_subset, one_of
from instructmining.jobs import paths


def batch_recipes(config: Config) -> str:
    """Wildcard constraint: recipes that train several mixtures in one job."""
    return one_of(name for name, recipe in config["recipes"].items() if recipe["runs_per_job"] > 1)


def kept_subsets(config: Config) -> str:
    """Wildcard constraint: subsets of runs that keep their weights, since the config or the end of a search asks."""
    kept = [best_subset(config, name) for name in config["searches"]]
    for name, settings in config["comparisons"].items():
        kept += comparison_subsets(config, name) if settings["keep_models"] else []
    for entry in run_entries(config):
        if config["indicators"][entry]["run"]["keep_model"]:
            kept += [run_subset(config, entry, pool) for pool in config["pools"]]
    return one_of(sorted(kept))


def examples_pattern(config: Config, wildcards: Wildcards) -> str:
    """The pattern of examples files; a function returns it, since Snakemake would fill in the braces of a text."""
    return paths.EXAMPLES


def recipe(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """The settings of a recipe that its runs depend on."""
    return result_params("recipes", _recipe(config, wildcards))


def _recipe(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    found: dict[str, Any] = config["recipes"][wildcards.recipe]
    return found


def recipe_model_record(config: Config, wildcards: Wildcards) -> dict[str, str]:
    """What the base model of a recipe is, for the record."""
    settings = _recipe(config, wildcards)
    return model_record(config, settings["model"], settings["revision"])


def base_model(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """Where the base model of a recipe comes from, and its licence."""
    model = config["models"].get(_recipe(config, wildcards)["model"], {})
    record = recipe_model_record(config, wildcards)
    return {"origin": model.get("origin"), "licence": model.get("licence"), **record}


def recipe_model(config: Config, wildcards: Wildcards) -> list[str]:
    """The files of a recipe's base model."""
    return model_files(config, _recipe(config, wildcards)["model"])


def recipe_model_path(config: Config, wildcards: Wildcards) -> str:
    """Where a recipe's base model is loaded from."""
    return model_path(config, _recipe(config, wildcards)["model"])


def checkpoint_seconds(config: Config, wildcards: Wildcards) -> int:
    """Seconds between checkpoints, since a resource is a whole number."""
    return round(60 * _recipe(config, wildcards)["checkpoint_minutes"])


def recipe_threads(config: Config, wildcards: Wildcards) -> int:
    """Threads of a job that trains or evaluates a run, on each of its machines."""
    return int(_recipe(config, wildcards)["threads"])


def batch_subsets(config: Config, wildcards: Wildcards) -> list[str]:
    """The mixtures of one job that trains several."""
    size, batch = _recipe(config, wildcards)["runs_per_job"], int(wildcards.batch)
    return mixture_files(mixture_names(config, [wildcards.block])[batch * size : (batch + 1) * size])


def run_batch(config: Config, wildcards: Wildcards) -> str:
    """The folder of the job that trains a mixture together with others."""
    block, _, i = wildcards.mixture.rpartition("-")
    batch = int(i) // _recipe(config, wildcards)["runs_per_job"]
    return paths.BATCH.format(recipe=wildcards.recipe, block=block, batch=f"{batch:03d}")


def run_in_batch(config: Config, wildcards: Wildcards) -> str:
    """The folder of a mixture's run in the folder of its job."""
    return f"{run_batch(config, wildcards)}/{wildcards.mixture}"


def run_gpus(config: Config, wildcards: Wildcards) -> int:
    """GPUs of a training job on one machine; on several it asks for GPUs of each machine, as `run_gres`."""
    settings = _recipe(config, wildcards)
    return settings["gpus"] if settings["device"] == "cuda" and settings["nodes"] == 1 else 0


def run_gres(config: Config, wildcards: Wildcards) -> str | None:
    """GPUs of each of several machines, as Slurm asks for them."""
    settings = _recipe(config, wildcards)
    return f"gpu:{settings['gpus']}" if settings["device"] == "cuda" and settings["nodes"] > 1 else None


def run_nodes(config: Config, wildcards: Wildcards) -> int | None:
    """Machines of a training job. With GPUs one is asked for too, since Slurm would give them from two."""
    settings = _recipe(config, wildcards)
    return settings["nodes"] if settings["nodes"] > 1 or settings["device"] == "cuda" else None


def run_tasks(config: Config, wildcards: Wildcards) -> int | None:
    """Tasks of a training job on several machines: one on each."""
    nodes = _recipe(config, wildcards)["nodes"]
    return nodes if nodes > 1 else None


def run_mpi(config: Config, wildcards: Wildcards) -> str | None:
    """The job itself starts a process on each of several machines: the executor must not add its own srun."""
    return "srun" if run_tasks(config, wildcards) else None


def gpus_held(config: Config, wildcards: Wildcards) -> int:
    """GPUs that a training job holds, on all its machines."""
    settings = _recipe(config, wildcards)
    return settings["gpus"] * settings["nodes"] if settings["device"] == "cuda" else 0


def threads_held(config: Config, wildcards: Wildcards) -> int:
    """Cores that a training job holds, on all its machines."""
    return recipe_threads(config, wildcards) * int(_recipe(config, wildcards)["nodes"])


def one_gpu(config: Config, wildcards: Wildcards) -> int:
    """The GPU of a job that reads a run's model."""
    return 1 if _recipe(config, wildcards)["device"] == "cuda" else 0


def final_evaluations(config: Config, wildcards: Wildcards) -> list[str]:
    """Evaluations of a search's best run: by the search's own benchmark, and by comparisons that hold the run."""
    own = (wildcards.recipe, f"{wildcards.strategy}/{wildcards.pool}/best-{wildcards.search}")
    names = [config["searches"][wildcards.search]["loss"]]
    for comparison in config["comparisons"]:
        names += [name for *run, name in comparison_evaluations(config, comparison) if tuple(run) == own]
    return [paths.EVALUATION.format(recipe=own[0], subset=own[1], benchmark=name) for name in dict.fromkeys(names)]


def final_quality_rule(config: Config, wildcards: Wildcards) -> list[str]:
    """The quality rule behind a search's best run, if its strategy has one."""
    strategy = config["strategies"][strategy_settings(config, wildcards.strategy)[0]]
    names = [strategy["quality_rule"]] if "quality_rule" in strategy else []
    return [paths.QUALITY_RULE.format(quality_rule=name) for name in names]

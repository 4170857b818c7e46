"""Inputs, params and resources of rule ``evaluate_pairwise``: answers of runs, and the judge that compares them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructmining.config import against_runs
from instructmining.config.params import result_params
from instructmining.dag.evaluations import benchmark_examples, benchmark_settings, generations, own_generations
from instructmining.dag.models import model_files, model_path, model_record
from instructmining.dag.names import Config, Inputs, Wildcards
from instructmining.jobs.errors import InputError


def compared_runs(config: Config, wildcards: Wildcards) -> list[str]:
    """Runs, {recipe}/{subset}, with whose answers this run's are compared: none for the reference answers.

    Raises:
        InputError: the benchmark has no run to compare this one with.
    """
    runs = against_runs(config, wildcards.benchmark, wildcards.recipe, wildcards.subset)
    if runs is None:
        run = f"{wildcards.recipe}/{wildcards.subset}"
        raise InputError(f"benchmarks.{wildcards.benchmark} has nothing to set against run {run}")
    return runs


def pairwise_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """Questions, the answers of both sides, the judge's model where it runs here, and its prompt file."""
    benchmark = benchmark_settings(config, wildcards)
    judge = benchmark["judge"]
    runs = [run.partition("/") for run in compared_runs(config, wildcards)]
    return {
        "examples": benchmark_examples(config, wildcards),
        "answers": own_generations(config, wildcards),
        "others": [generations(config, recipe, subset, wildcards.benchmark) for recipe, _, subset in runs],
        **({"judge": model_files(config, judge["model"])} if judge["backend"] == "local" else {}),
        # a prompt file that does not exist is no input: the job that reads it names it in its error
        **({"prompt": benchmark["prompt"]} if Path(benchmark["prompt"]).is_file() else {}),
    }


def pairwise_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What an evaluation of kind pairwise depends on."""
    benchmark = result_params("benchmarks", benchmark_settings(config, wildcards))
    return {
        **{key: benchmark[key] for key in ("dataset", "against", "prompt", "min_share_used")},
        "judge": _judge(config, benchmark["judge"]),
        "generation": benchmark["generation"],
        "runs": compared_runs(config, wildcards),
    }


def _judge(config: Config, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A judge's settings, where its model lies, and what that is."""
    found = dict(settings)
    # sorted, since Snakemake compares params as text
    found["request"] = dict(sorted(settings["request"].items()))
    if settings["backend"] == "api":
        return {**found, "model_record": {"model": settings["model"]}}
    record = model_record(config, settings["model"], settings["revision"])
    return {**found, "model_path": model_path(config, settings["model"]), "model_record": record}


def judge_batch_tokens(config: Config, wildcards: Wildcards) -> int:
    """Tokens of one batch of a judge that runs here; a resource, since it changes no result."""
    return int(benchmark_settings(config, wildcards)["judge"].get("batch_tokens", 0))


def judge_gpu(config: Config, wildcards: Wildcards) -> int:
    """The GPU of a judge that runs here."""
    return int(benchmark_settings(config, wildcards)["judge"].get("device") == "cuda")


def judge_places(config: Config, wildcards: Wildcards) -> int:
    """Places at the endpoint that a job takes, as for an indicator's judge."""
    return int(benchmark_settings(config, wildcards)["judge"]["backend"] == "api")

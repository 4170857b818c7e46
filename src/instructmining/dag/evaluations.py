"""Inputs, params and resources of rules/evaluations.smk, save those of pairwise comparisons (``dag.pairwise``)."""

from pathlib import Path
from typing import Any

from instructmining.config import generation_owner, generation_owners
from instructmining.config.params import result_params
from instructmining.dag.models import model_files, model_path
from instructmining.dag.names import Config, Inputs, Wildcards, one_of
from instructmining.dag.runs import recipe_model_record
from instructmining.jobs import paths
from instructmining.settings.discovery import specs

# keys of a recipe that an evaluation of its runs depends on
_RUN_KEYS = ("template", "max_prompt_length", "precision", "device")
_HARNESS_KEYS = (
    *("preset", "tasks", "few_shot", "include_path", "limit"),
    *("seed", "prompt", "max_length", "min_share_used"),
)


# each has a rule of its own
_KINDS_THAT_READ_MORE = ("harness", "ifeval", "pairwise")


def benchmarks_of(config: Config, kind: str) -> str:
    """Wildcard constraint: benchmarks of a kind."""
    return one_of(name for name, settings in config["benchmarks"].items() if settings["kind"] == kind)


def generated(config: Config) -> str:
    """Wildcard constraint: benchmarks under whose names the answers of runs are kept."""
    return one_of(generation_owners(config))


def benchmark_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """All settings of a benchmark."""
    found: dict[str, Any] = config["benchmarks"][wildcards.benchmark]
    return found


def benchmark_examples(config: Config, wildcards: Wildcards) -> str:
    """The examples of a benchmark."""
    return paths.EXAMPLES.format(dataset=benchmark_settings(config, wildcards)["dataset"])


def _run_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """A run is evaluated with the prompt, the precision and the device of its recipe."""
    recipe = config["recipes"][wildcards.recipe]
    return {**recipe_model_record(config, wildcards), **{key: recipe[key] for key in _RUN_KEYS}}


def _settings(config: Config, wildcards: Wildcards, *keys: str) -> dict[str, Any]:
    """The settings of the run, and those of the benchmark's keys ``keys`` that it has."""
    benchmark = benchmark_settings(config, wildcards)
    return {**_run_settings(config, wildcards), **{key: benchmark[key] for key in keys if key in benchmark}}


def harness_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What an evaluation of kind harness depends on."""
    return _settings(config, wildcards, *_HARNESS_KEYS)


def plain_kinds() -> list[str]:
    """Kinds that read a run's model and the dataset of their benchmark, if that has one, and nothing else."""
    return [kind for kind in specs("evaluations") if kind not in _KINDS_THAT_READ_MORE]


def plain_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """The model of the run, and the examples of the benchmark where it has a dataset."""
    model = paths.WEIGHTS.format(recipe=wildcards.recipe, subset=wildcards.subset)
    examples = "dataset" in benchmark_settings(config, wildcards)
    return {"model": model, **({"examples": benchmark_examples(config, wildcards)} if examples else {})}


def plain_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What an evaluation depends on: how its run is asked, and the keys of its benchmark that change results."""
    benchmark = result_params("benchmarks", benchmark_settings(config, wildcards))
    return {**_run_settings(config, wildcards), **{key: value for key, value in benchmark.items() if key != "kind"}}


def generation_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What the answers of a run depend on."""
    benchmark = benchmark_settings(config, wildcards)
    return {**_run_settings(config, wildcards), "dataset": benchmark["dataset"], **benchmark["generation"]}


def batch_tokens(config: Config, wildcards: Wildcards) -> int:
    """Tokens of one batch; a resource, since it changes no result."""
    return int(benchmark_settings(config, wildcards).get("batch_tokens", 0))


def harness_batch_size(config: Config, wildcards: Wildcards) -> int:
    """Requests of one forward pass; 0 stands for auto, since a resource is a whole number."""
    size = benchmark_settings(config, wildcards)["batch_size"]
    return 0 if size == "auto" else size


def harness_tasks(config: Config, wildcards: Wildcards) -> list[str]:
    """Task files of the user's own. A folder that does not exist is no input: the job names it in its error."""
    folder = benchmark_settings(config, wildcards)["include_path"]
    return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file()) if folder else []


def generations(config: Config, recipe: str, subset: str, benchmark: str) -> str:
    """The file with the answers of a run that a benchmark reads; benchmarks that ask the same share it."""
    owner = generation_owner(config, benchmark)
    return paths.GENERATIONS.format(recipe=recipe, subset=subset, benchmark=owner)


def own_generations(config: Config, wildcards: Wildcards) -> str:
    """The answers of the run that is evaluated."""
    return generations(config, wildcards.recipe, wildcards.subset, wildcards.benchmark)


def ifeval_inputs(config: Config, wildcards: Wildcards) -> Inputs:
    """Prompts, answers, and the sentence model where it comes from section models."""
    data = benchmark_settings(config, wildcards)["nltk_data"]
    return {
        "examples": benchmark_examples(config, wildcards),
        "answers": own_generations(config, wildcards),
        **({"nltk_data": model_files(config, data)} if data in config["models"] else {}),
    }


def ifeval_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What an evaluation of kind ifeval depends on."""
    benchmark = benchmark_settings(config, wildcards)
    data = benchmark["nltk_data"]
    return {
        **{key: benchmark[key] for key in ("dataset", "min_share_used")},
        **{key: benchmark["generation"][key] for key in sorted(benchmark["generation"])},
        "nltk_data": model_path(config, data) if data else None,
    }

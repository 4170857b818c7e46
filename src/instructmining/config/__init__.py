"""The configuration: defaults, checks before any job starts, and the names that follow from it.

A checked configuration is plain data with every default filled in, every study beside what it stands for, and every
benchmark naming a dataset.
"""

from collections.abc import Container
from copy import deepcopy
from typing import Any

from instructmining.config.baselines import comparison_baselines
from instructmining.config.benchmarks import (
    against_runs,
    comparison_evaluations,
    evaluated_texts,
    generation_owner,
    generation_owners,
)
from instructmining.config.building import config_schema, generation
from instructmining.config.names import (
    EMBEDDING_KEYS,
    against_orders,
    columns,
    comparison_subsets,
    dataset_columns,
    embedding_entry,
    entries_for,
    mixture_names,
    neighbour_entries,
    rule_columns,
    run_entries,
    run_subset,
    scoring_runs,
    seeded_names,
    shards,
    strategy_columns,
    strategy_embeddings,
    strategy_settings,
)
from instructmining.config.references import reference_problems
from instructmining.config.schema import Problem, fill_defaults, plain_problems, schema_problems, with_numbers
from instructmining.config.sections import DATASETS
from instructmining.config.studies import (
    ablated,
    all_ablated,
    dataset_pools,
    in_studies,
    repeated_recipes,
    studies_of_kind,
    with_studies,
)
from instructmining.config.warnings import warnings
from instructmining.jobs.errors import InputError
from instructmining.settings.discovery import specs

__all__ = [
    "EMBEDDING_KEYS",
    "ablated",
    "against_orders",
    "against_runs",
    "all_ablated",
    "columns",
    "comparison_baselines",
    "comparison_evaluations",
    "comparison_subsets",
    "dataset_columns",
    "dataset_pools",
    "embedding_entry",
    "entries_for",
    "evaluated_texts",
    "generation_owner",
    "generation_owners",
    "load_defaults_and_check",
    "mixture_names",
    "neighbour_entries",
    "repeated_recipes",
    "rule_columns",
    "run_entries",
    "run_subset",
    "scoring_runs",
    "seeded_names",
    "shards",
    "strategy_columns",
    "strategy_embeddings",
    "strategy_settings",
    "studies_of_kind",
    "warnings",
]


def load_defaults_and_check(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """A new configuration: ``raw`` with all defaults, checked; studies and the sources of benchmarks are entries.

    InputError with one line, ``{where}: {key}: {problem}``: the first problem by path, and how many more there are.
    """
    _stop_at(where, plain_problems(raw))
    schema = config_schema(generation(raw))
    raw = with_numbers(raw, schema)
    _stop_at(where, schema_problems(raw, schema))
    expanded, owners, problems = with_studies(fill_defaults(raw, schema))
    _stop_at(where, problems)
    config, problems = _with_benchmark_datasets(expanded, DATASETS.settings)
    _stop_at(where, problems)
    _stop_at(where, in_studies(reference_problems(config), owners))
    return config


def _stop_at(where: str, problems: list[Problem]) -> None:
    if not problems:
        return
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: [(isinstance(p, str), p) for p in problem.path])
    more = len(ordered) - 1
    tail = f" (and {more} more problem{'s' if more > 1 else ''})" if more else ""
    # a key of the user's may hold a line break
    raise InputError(" ".join(f"{where}: {ordered[0]}{tail}".splitlines()))


def _with_benchmark_datasets(filled: dict[str, Any], keys: Container[str]) -> tuple[dict[str, Any], list[Problem]]:
    """``keys``: those of a dataset. What a benchmark has of them becomes a dataset of its name."""
    config, problems = deepcopy(filled), []
    for name, benchmark in config["benchmarks"].items():
        if "dataset" not in specs("evaluations")[benchmark["kind"]].settings:
            continue
        source = {key: value for key, value in benchmark.items() if key in keys}
        own = {key: value for key, value in benchmark.items() if key not in keys}
        config["benchmarks"][name] = {"dataset": name, **own}
        if "dataset" in benchmark:
            continue
        if name in config["datasets"]:
            problems.append(
                Problem(("benchmarks", name), f"has a source of its own, but datasets.{name} exists: rename one")
            )
        config["datasets"][name] = source
    return config, problems

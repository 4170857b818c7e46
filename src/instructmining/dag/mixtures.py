"""Inputs and params of rules/mixtures.smk."""

from collections.abc import Iterable
from typing import Any

from instructmining.dag.datasets import examples
from instructmining.dag.names import Config, Wildcards, mixture_block
from instructmining.jobs import paths


def mixture_subset(name: str) -> str:
    """The subset that a mixture is, by the mixture's name: ``base-000``."""
    return f"mixtures/{name}"


def mixture_files(names: Iterable[str]) -> list[str]:
    """The files of mixtures, by their names."""
    return [paths.SUBSET.format(subset=mixture_subset(name)) for name in names]


def draw_examples(config: Config, wildcards: Wildcards) -> list[str]:
    """The examples that a mixture is drawn from."""
    return examples(mixture_block(config, wildcards.block)["datasets"])


def draw_settings(config: Config, wildcards: Wildcards) -> dict[str, Any]:
    """What a mixture depends on: the number of mixtures in its block is not part of it."""
    block = mixture_block(config, wildcards.block)
    return {key: block[key] for key in ("datasets", "size", "seed")}

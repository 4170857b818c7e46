"""Mixtures: random subsets fused from candidate datasets, on which a quality rule is estimated.

Source: Cao et al. 2023 (arXiv 2307.06290), section 3: one uniform r_i per dataset, size * r_i / sum(r) examples of
dataset i. What the paper leaves open (rounding, repeated examples, seeding) is fixed here.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from instructmining.jobs.errors import InputError


def mixture(
    examples: Mapping[str, str | Path], settings: Mapping[str, Any], block: str, i: int, version: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Mixture ``i`` of a block, from files.

    Args:
        examples: dataset -> a file with the ids of all its examples, in the block's order.
        settings: the block's ``datasets``, ``size`` and ``seed``.
        block, i: the mixture's name.
        version: of mixtures.

    Returns:
        The mixture (``id``, ``dataset``) and its provenance.

    Raises:
        InputError: a dataset has fewer ids than its share.
    """
    pools = {dataset: pl.read_parquet(path, columns=["id"])["id"] for dataset, path in examples.items()}
    subset = draw_mixture(pools, settings["size"], settings["seed"], block, i)
    return subset, {**settings, "block": block, "i": i, "version": version}


def draw_mixture(pools: Mapping[str, Iterable[str]], size: int, seed: int, block: str, i: int) -> pl.DataFrame:
    """Draw mixture ``i`` of a block: ``size`` rows of ``id`` and ``dataset``, in random order.

    ``pools`` gives each dataset's ids, datasets in the block's order; the order and repetition of ids do not
    matter, and an id that an earlier dataset of the block holds counts as that one's. The draw depends on
    (seed, block, i) and these sets of ids, and on nothing else of the study. Training shuffles the order again, by the
    recipe's seed.

    InputError if a dataset has fewer ids than its share.
    """
    generator = np.random.default_rng([seed, _number(block), i])
    counts = largest_remainder(generator.random(len(pools)), size)
    seen: set[str] = set()
    ids: list[str] = []
    datasets: list[str] = []
    for (dataset, members), count in zip(pools.items(), counts, strict=True):
        available = sorted(set(members) - seen)
        seen.update(available)
        if count > len(available):
            raise InputError(
                f"mixtures: {block}-{i:03d} needs {count} examples of dataset {dataset}, which has {len(available)}"
            )
        ids += [available[k] for k in generator.choice(len(available), size=count, replace=False)]
        datasets += [dataset] * count
    order = generator.permutation(len(ids))
    return pl.DataFrame(
        {"id": [ids[k] for k in order], "dataset": [datasets[k] for k in order]},
        schema={"id": pl.String, "dataset": pl.String},
    )


def largest_remainder(weights: np.ndarray, size: int) -> list[int]:
    """Whole numbers that sum to ``size``, in proportion to ``weights`` (n,), each within 1 of its exact share.

    Equal remainders: the earlier one gets the unit.
    """
    exact = size * weights / weights.sum()
    counts = np.floor(exact).astype(int)
    by_remainder = np.argsort(-(exact - counts), kind="stable")
    counts[by_remainder[: size - counts.sum()]] += 1
    return [int(count) for count in counts]


def _number(name: str) -> int:
    """A number for a name, the same in every process (Python's own hash is not)."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")

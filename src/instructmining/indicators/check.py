"""Does an indicator tell good responses from bad ones? Checked on held-out preference pairs, before any GPU-hour.

Ours; neither paper has it. For each indicator: the AUC between the chosen and the rejected side (the probability that
a chosen response has the higher value than a rejected one, ties a half; Mann-Whitney), with a percentile bootstrap
interval over pairs, and the share of pairs whose chosen side is higher.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from instructmining.data.examples import read_examples
from instructmining.indicators import table as indicator_table
from instructmining.jobs.errors import InputError

MINIMUM_PAIRS = 8
_DRAWS_AT_ONCE = 2_000_000


def check_indicators(
    chosen: pl.DataFrame,
    rejected: pl.DataFrame,
    directions: Mapping[str, str],
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> dict[str, Any]:
    """Check every indicator named in ``directions`` ({indicator: direction in words}).

    ``chosen``, ``rejected``: ``row`` (the source row, which pairs the sides) and the indicators. Pairs with a null on
    either side are left out, per indicator, and counted. Returns {"pairs", "unpaired", "indicators": {name: {"auc",
    "interval", "paired_accuracy", "n_pairs_used", "n_pairs_null", "verdict", "direction"}}}; the verdict is "separates"
    where the interval excludes 0.5, whichever side it lies on.

    InputError if fewer than 8 pairs are left: an interval over so few says nothing.
    """
    names = list(directions)
    pairs = chosen.select("row", *names).join(
        rejected.select("row", *names), on="row", suffix=" of rejected", validate="1:1", maintain_order="left"
    )
    found = {}
    for name in names:
        sides = pairs.select(pl.col(name).alias("chosen"), pl.col(f"{name} of rejected").alias("rejected"))
        used = sides.drop_nulls()
        if used.height < MINIMUM_PAIRS:
            raise InputError(
                f"indicator_check: {used.height} of {pairs.height} pairs have {name} on both sides: "
                f"expected at least {MINIMUM_PAIRS}"
            )
        figures = separation(used["chosen"].to_numpy(), used["rejected"].to_numpy(), resamples, seed, confidence)
        counts = {"n_pairs_used": used.height, "n_pairs_null": pairs.height - used.height}
        low, high = figures["interval"]
        verdict = "does not separate" if low <= 0.5 <= high else "separates"
        found[name] = {**figures, **counts, "verdict": verdict, "direction": directions[name]}
    unpaired = chosen.height + rejected.height - 2 * pairs.height
    return {"pairs": pairs.height, "unpaired": unpaired, "indicators": found}


def check_files(
    examples: Sequence[str | Path],
    shards: Sequence[Sequence[str | Path]],
    columns: Sequence[str],
    settings: Mapping[str, Any],
    version: int,
) -> dict[str, Any]:
    """``check_indicators`` of the indicator ``columns``, from files, with its provenance.

    ``examples``, ``shards``: files of the chosen and the rejected side, in this order. Directions are those that the
    chosen side's files say. ``settings``: the check's config, for the provenance.
    Raises InputError as ``check_indicators`` does.
    """
    origins = indicator_table.provenance(shards[0])
    words = {column: text for origin in origins.values() for column, text in origin["directions"].items()}
    chosen, rejected = (
        indicator_table.attach(read_examples(path).select("id", "dataset", "row"), files, columns)
        for path, files in zip(examples, shards, strict=True)
    )
    result = check_indicators(chosen, rejected, {column: words[column] for column in columns})
    return {**result, "provenance": {**settings, "version": version, "indicators": origins}}


def separation(
    chosen: Sequence[float] | np.ndarray,
    rejected: Sequence[float] | np.ndarray,
    resamples: int,
    seed: int,
    confidence: float,
) -> dict[str, Any]:
    """AUC, bootstrap interval over pairs and paired accuracy of one indicator; the two sides in the same order."""
    better, worse = np.asarray(chosen, dtype=float), np.asarray(rejected, dtype=float)
    values, place = np.unique(np.concatenate([better, worse]), return_inverse=True)
    sides = place.reshape(2, -1)
    generator = np.random.default_rng(seed)
    pairs = len(better)
    draws = []
    left = resamples
    while left:
        size = min(left, max(1, _DRAWS_AT_ONCE // pairs))
        picks = generator.integers(pairs, size=(size, pairs))
        draws.append(_auc(sides[0][picks], sides[1][picks], len(values)))
        left -= size
    tail = (1 - confidence) / 2
    interval = np.quantile(np.concatenate(draws), [tail, 1 - tail])
    paired = np.mean(better > worse) + np.mean(better == worse) / 2
    return {
        "auc": float(_auc(sides[:1], sides[1:], len(values))[0]),
        "interval": [float(end) for end in interval],
        "paired_accuracy": float(paired),
    }


def _auc(chosen: np.ndarray, rejected: np.ndarray, values: int) -> np.ndarray:
    """AUC of each resample. ``chosen``, ``rejected``: (resamples, pairs) places of values in ascending order."""
    resamples, pairs = chosen.shape
    offset = np.arange(resamples)[:, None] * values
    better, worse = (
        np.bincount((side + offset).ravel(), minlength=resamples * values).reshape(resamples, values)
        for side in (chosen, rejected)
    )
    below = np.cumsum(worse, axis=1) - worse / 2
    auc: np.ndarray = (better * below).sum(axis=1) / pairs**2
    return auc

"""A random order of what no other strategy would take (Diddee & Ippolito 2024, section 3.2)."""

import logging
from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import ranked
from instructmining.settings import REQUIRED, Strategy, names, whole
from instructmining.strategies.random import permutation

SPEC = Strategy(
    version=1,
    meaning="random among what others leave",
    settings={
        "seeds": whole(3, "how many orders: `strict-0`, `strict-1`, …", minimum=1, again="only the new ones"),
        "seed": whole(0, "seed of all of them", minimum=0),
        "against": names("strategies", REQUIRED, "whose first examples are left out; no baselines"),
        "depth": whole(None, "how many of each; a quarter of the pool when absent", minimum=1),
    },
    rankings="against",
    is_baseline=True,
    order=3,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = a number in [0, 1) drawn from (``seed``, ``index``, id), ascending, other draws than random's.

    The union of the first ``depth`` examples that each strategy of ``against`` ranks (None: a quarter of the pool)
    comes last, without a score: a subset that would reach it fails with the number left. ``settings["rankings"]`` are
    those strategies' orders of the pool by name. InputError for a depth that is more than the pool, or where nothing
    is left.
    """
    depth = settings["depth"] if settings["depth"] is not None else examples.height // 4
    if depth > examples.height:
        raise InputError(f"strategy strict_random: depth {depth} is more than the pool's {examples.height} examples")
    chosen = pl.concat(
        ranking.filter(pl.col("score").is_not_null()).sort("rank").head(depth)["id"]
        for ranking in settings["rankings"].values()
    ).unique()
    order = permutation(examples, f"strict_random/{settings['seed']}/{settings['index']}/")
    kept = order.with_columns(score=pl.when(~pl.col("id").is_in(chosen.implode())).then("score"))
    left = kept["score"].count()
    if not left:
        raise InputError(f"strategy strict_random: the first {depth} of {', '.join(settings['rankings'])} are the pool")
    logging.info(
        "%d examples are in a first %d of %s; %d are left", len(chosen), depth, list(settings["rankings"]), left
    )
    return ranked(kept, kept["score"], descending=False)

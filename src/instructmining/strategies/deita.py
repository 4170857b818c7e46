"""DEITA: complex, good and different (Liu et al. 2023, arXiv 2312.15685, section 3; hkust-nlp/deita, ``selection``)."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.selection.diversity import walk
from instructmining.selection.rankings import ranked, vector_places
from instructmining.settings import COLUMN, VECTORS, Strategy, number, whole

SPEC = Strategy(
    version=1,
    meaning="complexity x quality, then diversity",
    settings={
        "complexity": COLUMN.but(meaning="an `expected_score` with prompt `deita_complexity`, say"),
        "quality": COLUMN.but(meaning="an `expected_score` with prompt `deita_quality`, say"),
        "embeddings": VECTORS,
        "threshold": number(
            0.9, "a row whose cosine similarity to one already kept is above it is dropped", minimum=-1, below=1
        ),
        "depth": whole(
            None,
            "the walk ends when so many are kept: at least the largest size asked for; all rows when absent",
            minimum=1,
        ),
    },
    columns=["complexity", "quality"],
    embeddings="embeddings",
    at_most=["depth"],
    order=7,
)


_log = logging.getLogger(__name__)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = the column ``settings["complexity"]`` times ``settings["quality"]``, descending, of those kept.

    In that order an example is kept unless its cosine similarity to one already kept is above ``threshold`` (DEITA's is
    0.9), until ``depth`` are kept (None: to the end). All others have no score and come last, as have those that lack
    an indicator or a vector. ``settings["vectors"]``: frame of ``id``, ``dataset``, ``vector`` (float32 array of a
    direction, nullable), in any order, also of others than ``examples``.

    InputError if an indicator's column is missing, or an example is not among the vectors at all.
    """
    for indicator in (settings["complexity"], settings["quality"]):
        if indicator not in examples.columns:
            raise InputError(f"strategy deita: no indicator {indicator} for the pool's examples")
    complexity, quality = (examples[settings[name]].cast(pl.Float64) for name in ("complexity", "quality"))
    scored = ranked(examples, complexity * quality, descending=True)
    walking = scored.with_columns(place=vector_places(scored, settings["vectors"])).drop_nulls()
    vectors = settings["vectors"]["vector"].gather(walking["place"])
    # polars gives no width where there are no rows
    matrix = vectors.to_numpy() if len(vectors) else np.empty((0, 1), dtype=np.float32)
    kept, visited = walk(matrix, settings["threshold"], settings["depth"])
    _log.info(
        "deita: %d examples, %d of them without score or vector; %d visited, %d kept, %d too similar to one kept",
        *(scored.height, scored.height - walking.height, visited, len(kept), visited - len(kept)),
    )
    chosen = scored["rank"].is_in(walking["rank"].gather(kept).implode())
    return ranked(scored, scored.select(pl.when(chosen).then("score"))["score"], descending=True)

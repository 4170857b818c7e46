"""Cherry's pre-experience: a few rows of each cluster of prompts, to finetune the model that then scores the pool.

Li et al. 2023 (arXiv 2308.12032), section 2.1: 100 k-means clusters of the pool's prompts, 10 rows of each.
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import ranked, vector_places
from instructmining.settings import VECTORS, Strategy, whole

SPEC = Strategy(
    version=1,
    meaning="rows of every cluster in turn",
    settings={
        "embeddings": VECTORS.but(meaning="what is clustered"),
        "clusters": whole(100, "clusters of k-means", minimum=1),
        "per_cluster": whole(10, "rows drawn of each", minimum=1),
        "seed": whole(0, "seed of k-means and of the draw", minimum=0),
    },
    embeddings="embeddings",
    at_most=["clusters", "per_cluster"],
    order=6,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = place in the order of ``clusters`` x ``per_cluster`` rows drawn at random: one of each cluster, then the
    next of each, so that a shorter prefix still holds all clusters. A cluster with fewer rows gives what it has.

    ``settings["vectors"]``: ``id``, ``dataset`` and ``vector`` (nullable) of the pool's examples; k-means (k-means++,
    Lloyd) and the draw follow from ``seed`` and from ids, not from the order of the rows. Rows that are not drawn have
    no score.
    InputError for more clusters than examples with a vector, or an example that is not among the vectors.
    """
    clusters = settings["clusters"]
    placed = examples.select("id", place=vector_places(examples, settings["vectors"]))
    known = placed.drop_nulls().sort("id")
    if clusters > known.height:
        raise InputError(
            f"strategy cherry_seed: {clusters} clusters of {known.height} examples: expected at most those"
        )
    vectors = settings["vectors"]["vector"].gather(known["place"]).to_numpy()
    cluster = kmeans(vectors, clusters, settings["seed"])
    order = (
        known.select("id", cluster=pl.Series(cluster))
        .with_columns(draw=pl.Series([_draw(settings["seed"], example) for example in known["id"]], dtype=pl.UInt64))
        .with_columns(turn=pl.col("draw").rank("ordinal").over("cluster"))
        .filter(pl.col("turn") <= settings["per_cluster"])
        .sort("turn", "draw")
        .select("id", place=pl.int_range(pl.len()).cast(pl.Float64))
    )
    sizes = np.bincount(cluster)
    logging.info("%d of %d examples have no vector", placed.height - known.height, placed.height)
    logging.info("%d rows of %d clusters of %d to %d examples", order.height, len(sizes), sizes.min(), sizes.max())
    places = examples.select("id").join(order, on="id", how="left", maintain_order="left")["place"]
    return ranked(examples, places, descending=False)


def kmeans(vectors: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Cluster of each row, (rows,)."""
    from sklearn.cluster import KMeans

    found: np.ndarray = KMeans(clusters, n_init=1, random_state=seed).fit_predict(vectors)
    return found


def _draw(seed: int, example: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"cherry_seed/{seed}/{example}".encode(), digest_size=8).digest())

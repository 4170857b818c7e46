"""Cherry's pre-experience set: some rows of every cluster of prompts."""

import numpy as np
import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import take
from instructmining.strategies import cherry_seed

SETTINGS = {"kind": "cherry_seed", "clusters": 4, "per_cluster": 3, "seed": 0}
# far apart: k-means must find them
CENTRES = np.eye(4, dtype=np.float32)
SIZES = (20, 10, 5, 2)


def embedded() -> pl.DataFrame:
    """37 rows in four clusters; the cluster is the id's first letter."""
    generator = np.random.default_rng(0)
    found = [
        (f"{'abcd'[cluster]}{row:02d}", centre + 0.05 * generator.standard_normal(4))
        for cluster, (centre, size) in enumerate(zip(CENTRES, SIZES, strict=True))
        for row in range(size)
    ]
    vectors = np.array([vector for _, vector in found], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = pl.Series("id", [name for name, _ in found])
    return pl.DataFrame([ids, pl.Series("vector", vectors)]).with_columns(dataset=pl.lit("dolly"))


def examples(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("id", pl.lit("dolly").alias("dataset"))


def rank(frame: pl.DataFrame, **settings: int) -> pl.DataFrame:
    return cherry_seed.rank(examples(frame), {**SETTINGS, **settings, "vectors": frame})


def test_every_cluster_gives_its_share_and_a_small_one_all_it_has() -> None:
    chosen = take(rank(embedded()), None, "unseen")["id"]
    assert [sum(name[0] == letter for name in chosen) for letter in "abcd"] == [3, 3, 3, 2]


def test_a_prefix_holds_all_clusters() -> None:
    assert {name[0] for name in take(rank(embedded()), 4, "unseen")["id"]} == set("abcd")


def test_the_order_of_the_rows_does_not_matter_but_the_seed_does() -> None:
    frame = embedded()
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    ranking = rank(frame)
    again = cherry_seed.rank(examples(frame.reverse()), {**SETTINGS, "vectors": shuffled})
    assert again.equals(ranking)
    assert not rank(frame, seed=1).equals(ranking)


def test_rows_without_a_vector_are_not_selected() -> None:
    frame = embedded().with_columns(pl.when(~pl.col("id").str.starts_with("d")).then("vector"))
    ranking = rank(frame, clusters=3)
    assert ranking.height == frame.height
    assert {name[0] for name in take(ranking, None, "unseen")["id"]} == set("abc")


def test_an_example_that_was_never_embedded_is_refused() -> None:
    frame = embedded()
    with pytest.raises(InputError, match="37 examples have no embedding, first a00 of dataset other"):
        cherry_seed.rank(examples(frame).with_columns(dataset=pl.lit("other")), {**SETTINGS, "vectors": frame})


def test_more_clusters_than_rows_are_refused() -> None:
    with pytest.raises(InputError, match="38 clusters of 37 examples"):
        rank(embedded(), clusters=38)

"""DEITA's ranking: complexity times quality, without what is too similar to something better."""

import logging

import numpy as np
import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import take
from instructmining.strategies import deita

rank = deita.rank
#        complexity, quality, vector
ROWS = {
    "a": (5.0, 5.0, [1.0, 0.0]),
    "b": (4.0, 6.0, [0.8, 0.6]),  # 0.8 from a
    "c": (6.0, 4.0, [0.0, 1.0]),  # as good as b, 0.6 from it
    "d": (5.0, 4.0, [0.6, 0.8]),  # 0.96 from b
    "e": (6.0, None, [-1.0, 0.0]),
    "f": (6.0, 6.0, None),
    "g": (1.0, 1.0, [-0.6, 0.8]),  # 0.8 from c
    "h": (1.0, 1.0, [-0.6, 0.8]),
}


def pool() -> pl.DataFrame:
    columns = [(key, "x", complexity, quality) for key, (complexity, quality, _) in ROWS.items()]
    schema = {"id": pl.String, "dataset": pl.String, "complexity": pl.Float64, "quality": pl.Float64}
    return pl.DataFrame(columns, schema=schema, orient="row")


def vectors() -> pl.DataFrame:
    """In another order, with a text of another dataset under an id of the pool."""
    found = [("a", "y", [0.0, 1.0]), *((key, "x", row[2]) for key, row in reversed(ROWS.items()))]
    return pl.DataFrame(
        found, schema={"id": pl.String, "dataset": pl.String, "vector": pl.Array(pl.Float32, 2)}, orient="row"
    )


def settings(**changes: object) -> dict[str, object]:
    given = {"complexity": "complexity", "quality": "quality", "threshold": 0.9, "depth": None, "vectors": vectors()}
    return given | changes


def test_dropped_examples_and_those_without_score_or_vector_come_last(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ranking = rank(pool(), settings())
    assert ranking["id"].to_list() == ["a", "b", "c", "g", "d", "e", "f", "h"]
    assert ranking["score"].to_list() == [25.0, 24.0, 24.0, 1.0, None, None, None, None]
    assert ranking["rank"].to_list() == list(range(8))
    assert ranking.schema == {"id": pl.String, "dataset": pl.String, "score": pl.Float64, "rank": pl.Int64}
    assert take(ranking, None, "p")["id"].to_list() == ["a", "b", "c", "g"]
    with pytest.raises(InputError, match=r"^pool p has 4 rankable examples, subset asks 5$"):
        take(ranking, 5, "p")
    line = "deita: 8 examples, 2 of them without score or vector; 6 visited, 4 kept, 2 too similar to one kept"
    assert line in caplog.messages


@pytest.mark.parametrize(("threshold", "kept"), [(1.0, "abcdgh"), (0.97, "abcdg"), (0.7, "ac")])
def test_threshold(threshold: float, kept: str) -> None:
    assert take(rank(pool(), settings(threshold=threshold)), None, "p")["id"].to_list() == list(kept)


@pytest.mark.parametrize(("depth", "kept"), [(1, "a"), (2, "ab"), (4, "abcg"), (9, "abcg")])
def test_depth(depth: int, kept: str) -> None:
    assert take(rank(pool(), settings(depth=depth)), None, "p")["id"].to_list() == list(kept)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_what_is_given_does_not_matter(seed: int) -> None:
    shuffled = vectors().sample(fraction=1.0, shuffle=True, seed=seed)
    given = pool().sample(fraction=1.0, shuffle=True, seed=seed)
    assert rank(given, settings(vectors=shuffled)).equals(rank(pool(), settings()))


def test_whole_numbers_and_infinite_scores() -> None:
    given = pool().with_columns(
        pl.col("complexity").cast(pl.Int64), quality=pl.when(pl.col("id") == "a").then(np.inf).otherwise("quality")
    )
    assert take(rank(given, settings()), None, "p")["id"].to_list() == ["b", "c", "g"]


def test_nothing_to_rank() -> None:
    assert rank(pool().head(0), settings()).height == 0
    assert rank(pool().filter(id="f"), settings())["score"].to_list() == [None]


def test_missing_columns_and_vectors() -> None:
    for name in ("complexity", "quality"):
        with pytest.raises(InputError, match=r"^strategy deita: no indicator words for the pool's examples$"):
            rank(pool(), settings(**{name: "words"}))
    some = vectors().filter(~pl.col("id").is_in(["b", "g"]))
    with pytest.raises(InputError, match=r"^2 examples have no embedding, first b of dataset x$"):
        rank(pool(), settings(vectors=some))
    elsewhere = vectors().with_columns(dataset=pl.lit("y"))
    with pytest.raises(InputError, match=r"8 examples have no embedding, first f of dataset x$"):
        rank(pool(), settings(vectors=elsewhere))

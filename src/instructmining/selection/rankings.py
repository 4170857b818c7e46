"""Rankings and subsets: what all strategies share. A ranking is a pool's order, a subset its first k examples."""

import polars as pl

from instructmining.jobs.errors import InputError


def ranked(examples: pl.DataFrame, score: pl.Series, *, descending: bool) -> pl.DataFrame:
    """Rank ``examples`` by ``score`` (one a row): columns ``id``, ``dataset``, ``score``, ``rank`` from 0, best first.

    Ties go by id, so that the order of the rows given does not matter. A score that is null or not finite is null
    and last: its example cannot be selected.
    """
    finite = pl.when(pl.col("score").is_finite()).then(pl.col("score"))
    return (
        examples.select("id", "dataset")
        .with_columns(score.cast(pl.Float64).alias("score"))
        .with_columns(finite.alias("score"))
        .sort("score", "id", descending=[descending, False], nulls_last=True)
        .with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("rank"))
    )


def take(ranking: pl.DataFrame, size: int | None, pool: str) -> pl.DataFrame:
    """The first ``size`` examples of a ranking (None: all that have a score), ``id`` and ``dataset``, in its order.

    InputError if that would reach past the end, or to examples without a score.
    """
    rankable = ranking.filter(pl.col("score").is_not_null()).sort("rank")
    if size is not None and size > rankable.height:
        raise InputError(f"pool {pool} has {rankable.height} rankable examples, subset asks {size}")
    return rankable.head(rankable.height if size is None else size).select("id", "dataset")


def vector_places(examples: pl.DataFrame, vectors: pl.DataFrame) -> pl.Series:
    """The row of ``vectors`` (``id``, ``dataset``, ``vector``) that each example has, null where that has no vector.

    InputError for an example that is not among them at all.
    """
    known = vectors.select("id", "dataset", known=pl.col("vector").is_not_null()).with_row_index("place")
    found = examples.select("id", "dataset").join(known, on=["id", "dataset"], how="left", maintain_order="left")
    missing = found.filter(pl.col("place").is_null())
    if missing.height:
        example, dataset = missing.select("id", "dataset").row(0)
        raise InputError(f"{missing.height} examples have no embedding, first {example} of dataset {dataset}")
    return found.select(pl.when("known").then("place"))["place"]

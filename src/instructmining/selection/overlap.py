"""How much of one selection is in another: the share that two subsets of the same size have in common."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import take

TABLE_SCHEMA: dict[str, type[pl.DataType]] = {
    "pool": pl.String,
    "size": pl.String,
    "examples": pl.Int64,
    "pool_examples": pl.Int64,
    "by_chance": pl.Float64,
    "strategy": pl.String,
    "other": pl.String,
    "overlap": pl.Float64,
}


def share(ids: pl.Series, other: pl.Series) -> float:
    """Share of ``other``'s ids that are among ``ids``, 0 to 1; of two subsets of one size it is the same either way."""
    return float(other.is_in(ids.implode()).mean())  # type: ignore[arg-type]


def prefixes(rankings: Mapping[str, pl.DataFrame], sizes: Sequence[int]) -> dict[tuple[str, int], pl.Series]:
    """Ids of the first ``size`` examples of every ranking, for every size.

    InputError where a ranking has fewer examples with a score.
    """
    return {
        (name, size): take(ranking, size, f"of strategy {name}")["id"]
        for name, ranking in rankings.items()
        for size in sizes
    }


def overlaps(ranking: pl.DataFrame, against: Mapping[tuple[str, int], pl.Series]) -> dict[tuple[str, int], float]:
    """Share of each of the prefixes ``against`` (from ``prefixes``) that is in the ranking's own of the same size."""
    order = ranking.sort("rank")["id"]
    return {(name, size): share(order.head(size), ids) for (name, size), ids in against.items()}


def record(ranking: pl.DataFrame, rankings: Mapping[str, pl.DataFrame], settings: Mapping[str, Any]) -> dict[str, Any]:
    """For a random ranking's provenance: overlap by strategy and size, and whether all are within the limit.

    Empty for a strategy that has no limit to keep.
    """
    if "overlap" not in settings:
        return {}
    found = overlaps(ranking, prefixes(rankings, settings["sizes"]))
    nested: dict[str, dict[str, float]] = {name: {} for name in rankings}
    for (name, size), value in found.items():
        nested[name][str(size)] = value
    return {"overlaps": nested, "overlap_limit_met": max(found.values()) <= settings["overlap"]}


def table(subsets: Mapping[tuple[str, str, str], pl.DataFrame], pools: Mapping[str, int]) -> pl.DataFrame:
    """Every subset with every other of the same pool and size: columns and types of ``TABLE_SCHEMA``.

    ``subsets``: (strategy or one of its orders, pool, size) to the subset; ``pools``: examples of each pool.
    ``by_chance`` is what two random subsets of that size share on average, examples / pool_examples. InputError where
    two subsets of one size have different numbers of examples.
    """
    rows = []
    for (strategy, pool, size), subset in subsets.items():
        for (other, other_pool, other_size), compared in subsets.items():
            if (pool, size) != (other_pool, other_size):
                continue
            if subset.height != compared.height:
                raise InputError(
                    f"pool {pool}, size {size}: {strategy} has {subset.height} examples, {other} {compared.height}"
                )
            rows.append(
                {
                    "pool": pool,
                    "size": size,
                    "examples": subset.height,
                    "pool_examples": pools[pool],
                    "by_chance": subset.height / pools[pool],
                    "strategy": strategy,
                    "other": other,
                    "overlap": share(compared["id"], subset["id"]),
                }
            )
    return pl.DataFrame(rows, schema=TABLE_SCHEMA)

"""A pool in a strategy's order, from the files that the strategy reads."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining import strategies
from instructmining.data.pools import pool_examples
from instructmining.indicators import table as indicator_table
from instructmining.jobs.files import read_json
from instructmining.selection import overlap
from instructmining.settings import entry_fields
from instructmining.settings.params import completed

Paths = Sequence[str | Path]


def rank_pool(
    pool: str,
    settings: Mapping[str, Any],
    columns: Sequence[str],
    version: Any,
    datasets: Sequence[str],
    *,
    examples: Paths,
    indicators: Paths = (),
    quality_rule: str | Path | None = None,
    against: Paths = (),
    embeddings: Paths = (),
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Put a pool in order, best first.

    Args:
        pool: its name, for the log.
        settings: the strategy's config; for one with seeds with the ``index`` of the order.
        columns: the indicators that the strategy reads.
        version: of the strategy, and of what all strategies share.
        datasets: the pool's, in its order.
        examples: files with the ``id`` and ``dataset`` of the pool's examples, in the order of ``datasets``.
        indicators: shards with the columns.
        quality_rule: the file of the rule by which the strategy orders.
        against: rankings of the pool by other strategies, each in a folder of the strategy's name.
        embeddings: shards with the vectors of the pool's examples.

    Returns:
        The ranking (``id``, ``dataset``, ``score``, ``rank`` from 0, best first) and its provenance.

    Raises:
        InputError: an example has no indicator or no vector, or the strategy cannot order this pool.
    """
    rows = [pl.read_parquet(path, columns=["id", "dataset"]) for path in examples]
    pooled, repeated = pool_examples(rows)
    rankings = {Path(path).parent.name: pl.read_parquet(path) for path in against}
    reads: dict[str, Any] = {"rankings": rankings}
    if quality_rule:
        reads["rule"] = read_json(quality_rule)
    if embeddings:
        # with torch, which no other strategy needs
        from instructmining.models import embeddings as embeddings_files

        reads["vectors"] = embeddings_files.read(embeddings)
    attached = indicator_table.attach(pooled, indicators, columns)
    strategy = strategies.load(settings["kind"])
    every = completed(entry_fields(strategy.SPEC), settings)
    ranking: pl.DataFrame = strategy.rank(attached, {**every, **reads})
    counts = {
        "examples": ranking.height,
        "repeated_in_pool": repeated,
        "without_score": ranking["score"].null_count(),
    }
    logging.info("pool %s: %s", pool, counts)
    provenance = {
        "strategy": settings,
        "version": version,
        "datasets": datasets,
        "indicators": indicator_table.provenance(indicators),
        **({"embeddings": indicator_table.provenance(embeddings)} if embeddings else {}),
        **counts,
        **overlap.record(ranking, rankings, settings),
    }
    return ranking, provenance

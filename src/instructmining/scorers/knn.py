"""Euclidean distance to the i-th nearest neighbour among other examples (IM, section 2.2: KNN_6).

The distance is taken between unit-norm sentence embeddings, and an example is not its own neighbour. ``reference``
says among which examples neighbours are looked for: all examples of a dataset or a pool, those of one mixture, or a
random sample as large as a mixture. It matters because distances shrink as the reference grows, so a quality rule must
be applied at the density at which it was estimated. The paper does not say which reference it used.

Up to ``approximate_above`` rows the search is exact. Above that number it uses NN-descent, whose neighbours depend on
its seed and on ``n_jobs``, so both are settings. Both ways compute the distances of the neighbours in float64.
"""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch

from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.settings import (
    BATCH_TOKENS,
    DEVICE,
    GPUS,
    MODEL,
    PRECISION,
    REVISION,
    Output,
    Scorer,
    one_of,
    whole,
)

SPEC = Scorer(
    version=2,
    outputs={
        "distance": Output(
            "Euclidean distance on unit-norm embeddings",
            "higher is farther from the other examples",
            "distance to the i-th nearest neighbour, itself excluded",
        ),
    },
    settings={
        "model": MODEL.but(meaning="sentence embedder", again="the entry"),
        "revision": REVISION.but(again="the entry"),
        "i": whole(6, "which neighbour, the example itself not counted", minimum=1),
        "reference": one_of(
            ["dataset", "pool", "mixture"],
            "dataset",
            "where neighbours are looked for",
            again="what quality rules and rankings read",
        ),
        "reference_size": whole(
            1000,
            "only with `mixture`: sample of the pool, as large as the mixtures; above `i`, at most the pool",
            minimum=2,
            only_with={"reference": "mixture"},
        ),
        "approximate_above": whole(50000, "exact up to so many examples, NN-descent above", minimum=1),
        "n_neighbors": whole(30, "neighbours that NN-descent keeps; above `i`", minimum=2),
        "n_jobs": whole(1, "threads of NN-descent, and of the comparison; its neighbours depend on them", minimum=1),
        "seed": whole(0, "seed of NN-descent and of the samples", minimum=0),
        "batch_tokens": BATCH_TOKENS,
        "device": DEVICE.but(meaning="where embeddings are computed", again="the entry"),
        "gpus": GPUS,
        "precision": PRECISION.but(again="the entry"),
    },
    again="the comparison",
    compares_examples=True,
    order=3,
)


_log = logging.getLogger(__name__)
_QUERIES = 1024
_REFERENCE = 32_768
_NUMBERS = 2**23  # of the float64 differences in memory at once
_SPARE = 8  # candidates beyond the i-th: float32 may put near ties in the wrong order
_RECALL_SAMPLE = 1000


class Neighbours(NamedTuple):
    """The i nearest rows of each query.

    Attributes:
        distance: (queries,) float64, the distance to the i-th nearest row; infinite where there is no such row.
        rows: (queries, i) the i nearest rows, nearest first; -1 where there is no such row.
    """

    distance: np.ndarray
    rows: np.ndarray


def score(
    embedded: pl.DataFrame, settings: dict[str, Any], mixtures: Mapping[str, pl.DataFrame]
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Compute the column ``distance``, from 0 to 2; higher is farther from the reference.

    The distance is 0 between texts with the same embedding. It is null for a text without a vector, and where there
    are, or NN-descent found, fewer than i other examples.

    Args:
        embedded: ``id``, ``dataset``, ``vector`` (nullable) and ``truncated`` of the examples.
        settings: the config entry.
        mixtures: name -> frame with ``id`` and ``dataset``. If there are any, each mixture is its own reference, and
            the result has the rows of every mixture. If there are none, the result has the rows of ``embedded`` in
            their order, and the reference is a sample of them where ``settings["reference"]`` is ``mixture``.

    Returns:
        A frame (``mixture`` where there are mixtures, ``id``, ``dataset``, ``distance``, ``truncated``, ``reason``),
        and how the neighbours were found, for the provenance.

    Raises:
        InputError: the sample would be larger than the pool, or an example of a mixture has no embedding.
    """
    if mixtures:
        return _inside_mixtures(embedded, mixtures, settings["i"])
    known = embedded["vector"].is_not_null()
    vectors = _matrix(embedded["vector"])
    if settings["reference"] == "mixture":
        reference = _sample(embedded.filter(known)["id"], settings)
        nearest, how = exact(vectors, settings["i"], reference=reference), {"method": "exact"}
    else:
        nearest, how = neighbours(vectors, settings)
    return _frame(embedded, known, nearest.distance, settings["i"]), how


def _sample(ids: pl.Series, settings: dict[str, Any]) -> np.ndarray:
    """Row numbers of ``reference_size`` random ids. The draw depends on the ids, not on their order."""
    size = settings["reference_size"]
    if size > len(ids):
        raise InputError(f"knn: reference_size is {size}: expected at most the {len(ids)} examples of the pool")
    drawn = np.random.default_rng(settings["seed"]).choice(len(ids), size, replace=False)
    return np.sort(ids.arg_sort().to_numpy()[drawn].astype(np.int64))


def _inside_mixtures(
    embedded: pl.DataFrame, mixtures: Mapping[str, pl.DataFrame], i: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    frames = []
    for name, mixture in mixtures.items():
        part = mixture.select("id", "dataset").join(embedded, on=["id", "dataset"], how="inner", maintain_order="left")
        if part.height < mixture.height:
            raise InputError(f"mixture {name}: {mixture.height - part.height} of its examples have no embedding")
        known = part["vector"].is_not_null()
        nearest = exact(_matrix(part["vector"]), i)
        frames.append(_frame(part, known, nearest.distance, i).select(pl.lit(name).alias("mixture"), pl.all()))
    return pl.concat(frames), {"method": "exact"}


def _matrix(vectors: pl.Series) -> np.ndarray:
    """The vectors that are not null, (rows, width). Without any, the width is 1, since polars knows none then."""
    matrix = vectors.drop_nulls().to_numpy()
    return matrix if len(matrix) else np.empty((0, 1), dtype=np.float32)


def _frame(embedded: pl.DataFrame, known: pl.Series, distance: np.ndarray, i: int) -> pl.DataFrame:
    all_distances = np.full(embedded.height, np.inf)
    all_distances[known.to_numpy()] = distance
    values = pl.Series("distance", all_distances)
    return embedded.select(
        "id",
        "dataset",
        pl.when(values.is_finite()).then(values),
        "truncated",
        reason=pl.when(~known)
        .then(pl.lit("does not fit in memory"))
        .when(values.is_infinite())
        .then(pl.lit(f"fewer than {i} neighbours")),
    )


def neighbours(vectors: np.ndarray, settings: dict[str, Any]) -> tuple[Neighbours, dict[str, Any]]:
    """The neighbours of every row among all other rows.

    Args:
        vectors: (rows, width), unit norm, float32.
        settings: the config entry.

    Returns:
        The neighbours, and how they were found: {"method"}, and for NN-descent its recall.

    Raises:
        InputError: ``n_neighbors`` is not above i and below the number of rows.
    """
    if len(vectors) <= settings["approximate_above"]:
        return exact(vectors, settings["i"]), {"method": "exact"}
    approximate = _by_nn_descent(vectors, settings)
    how = {"method": "nn-descent", **_recall(vectors, approximate, settings)}
    _log.info("neighbours: %s", how)
    return approximate, how


def exact(
    vectors: np.ndarray,
    i: int,
    queries: np.ndarray | None = None,
    reference: np.ndarray | None = None,
    block: int = _QUERIES,
) -> Neighbours:
    """Find for each query the i nearest rows of the reference, without the query itself.

    Candidates come from float32 products. Where these cannot rule out that a nearer row was missed, the candidates
    come from float64 products. The memory used in addition to the vectors does not grow with their number.

    Args:
        vectors: (rows, width), unit norm, float32.
        i: how many neighbours to find.
        queries: row numbers; all rows if None.
        reference: row numbers, ascending; all rows if None.
        block: how many queries are compared at once; it does not change the result.
    """
    queries = np.arange(len(vectors)) if queries is None else queries
    reference = np.arange(len(vectors)) if reference is None else reference
    distance, rows = np.full(len(queries), np.inf), np.full((len(queries), i), -1, dtype=np.int64)
    # norms are 1 only up to rounding, which counts between near duplicates
    squares = np.einsum("rw,rw->r", vectors, vectors, dtype=np.float64)
    advance = progress(len(queries), "rows compared")
    for start in range(0, len(queries), block):
        part = slice(start, min(start + block, len(queries)))
        own = queries[part]
        others, left = _candidates(vectors, squares, own, reference, i + _SPARE, np.float32)
        distance[part], rows[part] = _nearest(vectors, own, others, i)
        # error of a float32 product of unit vectors: at most one unit of rounding a term, and those of the norms
        margin = (vectors.shape[1] + 16) * 2.0**-23
        doubtful = np.flatnonzero(np.square(distance[part]) > left - margin)
        if doubtful.size:
            others, _ = _candidates(vectors, squares, own[doubtful], reference, i + _SPARE, np.float64)
            distance[start + doubtful], rows[start + doubtful] = _nearest(vectors, own[doubtful], others, i)
        advance(len(own))
    return Neighbours(distance, rows)


def _candidates(
    vectors: np.ndarray, squares: np.ndarray, own: np.ndarray, reference: np.ndarray, count: int, number: type
) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` rows of ``reference`` nearest to each row of ``own`` by |a - b|² = 1 + |b|² - 2ab.

    A row number is -1 where there are fewer. The second array is a lower bound of the squared distance to all rows that
    were not returned; it is infinite where all were.
    """
    best = torch.full((len(own), count), -torch.inf, dtype=torch.from_numpy(np.empty(0, number)).dtype)
    rows = torch.full((len(own), count), -1)
    asked = torch.from_numpy(vectors[own].astype(number))
    places = torch.from_numpy(own)
    for start in range(0, len(reference), _REFERENCE):
        part = torch.from_numpy(reference[start : start + _REFERENCE])
        others = torch.from_numpy(vectors[part.numpy()].astype(number, copy=False))
        shares = torch.from_numpy(-squares[part.numpy()].astype(number) / 2)
        products = torch.addmm(shares, asked, others.T)
        where = torch.searchsorted(part, places).clamp_(max=len(part) - 1)
        itself = part[where] == places
        products[itself, where[itself]] = -torch.inf
        values, columns = products.topk(min(count, len(part)), dim=1)
        joined = torch.cat([best, values], dim=1)
        best, kept = joined.topk(count, dim=1)
        rows = torch.cat([rows, part[columns]], dim=1).gather(1, kept)
    rows[best == -torch.inf] = -1
    left = 1 - 2 * best[:, -1].double() if len(reference) > count else torch.full((len(own),), torch.inf).double()
    return rows.numpy(), left.numpy()


def _nearest(vectors: np.ndarray, own: np.ndarray, others: np.ndarray, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the i-th nearest candidate, and the i nearest candidates, by float64 differences.

    A candidate of -1 stands for a missing one.
    """
    distance, rows = np.empty(len(own)), np.empty((len(own), i), dtype=np.int64)
    at_once = max(1, _NUMBERS // (others.shape[1] * vectors.shape[1]))
    for start in range(0, len(own), at_once):
        part = slice(start, start + at_once)
        differences = vectors[others[part]].astype(np.float64)
        differences -= vectors[own[part], None]
        distances = np.sqrt(np.einsum("qcw,qcw->qc", differences, differences))
        distances[others[part] < 0] = np.inf
        order = np.argsort(distances, axis=1, kind="stable")[:, :i]
        distance[part] = np.take_along_axis(distances, order[:, -1:], axis=1)[:, 0]
        rows[part] = np.take_along_axis(others[part], order, axis=1)
    return distance, rows


def _by_nn_descent(vectors: np.ndarray, settings: dict[str, Any]) -> Neighbours:
    rows, i, kept, n_jobs = len(vectors), settings["i"], settings["n_neighbors"], settings["n_jobs"]
    if not i < kept < rows:
        raise InputError(f"knn: n_neighbors is {kept}: expected more than i ({i}), fewer than {rows} rows")
    if "numba" not in sys.modules:
        # numba's default is the number of cores, and the neighbours found would then depend on the machine
        os.environ["NUMBA_NUM_THREADS"] = str(n_jobs)
    from pynndescent import NNDescent  # it compiles for 45 s in every process, so it is imported only here

    _log.info("NN-descent over %d rows, %d neighbours; it compiles for about a minute first", rows, kept)
    index = NNDescent(
        vectors,
        metric="euclidean",
        n_neighbors=kept,
        random_state=settings["seed"],
        n_jobs=n_jobs,
        verbose=True,
    )
    graph = index.neighbor_graph[0].astype(np.int64)
    graph[graph == np.arange(rows)[:, None]] = -1
    return Neighbours(*_nearest(vectors, np.arange(rows), graph, i))


def _recall(vectors: np.ndarray, approximate: Neighbours, settings: dict[str, Any]) -> dict[str, Any]:
    """Compare NN-descent with exact search on a random sample of rows.

    Returns ``distance_recall``, the share of rows whose i-th distance is exact, ``neighbour_recall``, the mean share
    of the i nearest rows that were found (recall@i), and ``sample``, the number of rows compared.
    """
    rows = np.random.default_rng(settings["seed"]).choice(len(vectors), min(_RECALL_SAMPLE, len(vectors)), False)
    true = exact(vectors, settings["i"], queries=rows)
    same_distance = np.isclose(approximate.distance[rows], true.distance, rtol=0, atol=1e-9)
    among = (true.rows[:, :, None] == approximate.rows[rows][:, None, :]).any(axis=2)
    return {
        "distance_recall": float(same_distance.mean()),
        "neighbour_recall": float(among.mean()),
        "sample": len(rows),
    }

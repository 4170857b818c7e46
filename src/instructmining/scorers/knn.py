"""Distance to the i-th nearest neighbour among other examples (IM, section 2.2: KNN_6).

Euclidean, on unit-norm sentence embeddings, the example itself excluded. Among which examples is ``reference``: all of
those given (a dataset, or a pool), those of one mixture, or a random sample as large as a mixture, since a distance
shrinks as the reference grows and a quality rule must be applied at the density at which it was estimated. The paper
does not say which it took.

Exact up to ``approximate_above`` rows; above it by NN-descent, whose neighbours depend on its seed and on ``n_jobs``,
so both are settings. Whichever way neighbours are found, the distances are computed anew in float64.
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
    """``distance`` (queries,): float64, to the i-th nearest, infinite where there is none. ``rows`` (queries, i): the
    i nearest, nearest first, -1 where there is none."""

    distance: np.ndarray
    rows: np.ndarray


def score(
    embedded: pl.DataFrame, settings: dict[str, Any], mixtures: Mapping[str, pl.DataFrame]
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Column ``distance``, 0 to 2: higher is farther from the reference; 0 for texts embedded as one.

    ``embedded`` has ``id``, ``dataset``, ``vector`` (nullable) and ``truncated``. Where there are ``mixtures`` (name ->
    frame with ``id``, ``dataset``) the rows are those of every mixture, each beside the others of its own, with a
    further column ``mixture``. Else they are those of ``embedded``, same order, and the reference is a sample of them
    if it is ``mixture``. Returns the frame (``id``, ``dataset``, ``distance``, ``truncated``, ``reason``) and how
    neighbours were found, for the provenance.

    The distance is null for a text without a vector, and where there are fewer than i others, or NN-descent found
    fewer. InputError if the sample is larger than what it is drawn from, or an example of a mixture is not there.
    """
    if mixtures:
        return _inside_mixtures(embedded, mixtures, settings["i"])
    known = embedded["vector"].is_not_null()
    vectors = _matrix(embedded["vector"])
    if settings["reference"] == "mixture":
        reference = _sample(embedded.filter(known)["id"], settings)
        found, how = exact(vectors, settings["i"], reference=reference), {"method": "exact"}
    else:
        found, how = neighbours(vectors, settings)
    return _frame(embedded, known, found.distance, settings["i"]), how


def _sample(ids: pl.Series, settings: dict[str, Any]) -> np.ndarray:
    """Places of ``reference_size`` random ids; the ids alone decide, not their order."""
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
        found = exact(_matrix(part["vector"]), i)
        frames.append(_frame(part, known, found.distance, i).select(pl.lit(name).alias("mixture"), pl.all()))
    return pl.concat(frames), {"method": "exact"}


def _matrix(vectors: pl.Series) -> np.ndarray:
    """The vectors there are, (rows, width); polars gives no width where there are none."""
    found = vectors.drop_nulls().to_numpy()
    return found if len(found) else np.empty((0, 1), dtype=np.float32)


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
    """The neighbours of every row among all others, and how they were found: {"method"}, and for NN-descent its recall.

    ``vectors``: (rows, width), unit norm, float32.
    """
    if len(vectors) <= settings["approximate_above"]:
        return exact(vectors, settings["i"]), {"method": "exact"}
    found = _by_nn_descent(vectors, settings)
    how = {"method": "nn-descent", **_recall(vectors, found, settings)}
    _log.info("neighbours: %s", how)
    return found, how


def exact(
    vectors: np.ndarray,
    i: int,
    queries: np.ndarray | None = None,
    reference: np.ndarray | None = None,
    block: int = _QUERIES,
) -> Neighbours:
    """The i nearest rows among ``reference`` of each of ``queries``, itself left out.

    Both are row numbers, those of ``reference`` ascending; all rows if not given. Memory beyond the vectors' own does
    not grow with either, and the result does not depend on ``block``.

    Candidates come from float32 products. Where those cannot rule out that a nearer row was left behind, they come
    from float64 products.
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
    """The ``count`` rows of ``reference`` nearest to each of ``own`` by |a - b|² = 1 + |b|² - 2ab, -1 where there are
    fewer; and the square that no other row can have below, infinite where none was left behind."""
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
    """Distance to the i-th nearest candidate, and the i nearest, by float64 differences; -1 is no candidate."""
    distance, rows = np.empty(len(own)), np.empty((len(own), i), dtype=np.int64)
    at_once = max(1, _NUMBERS // (others.shape[1] * vectors.shape[1]))
    for start in range(0, len(own), at_once):
        part = slice(start, start + at_once)
        differences = vectors[others[part]].astype(np.float64)
        differences -= vectors[own[part], None]
        found = np.sqrt(np.einsum("qcw,qcw->qc", differences, differences))
        found[others[part] < 0] = np.inf
        order = np.argsort(found, axis=1, kind="stable")[:, :i]
        distance[part] = np.take_along_axis(found, order[:, -1:], axis=1)[:, 0]
        rows[part] = np.take_along_axis(others[part], order, axis=1)
    return distance, rows


def _by_nn_descent(vectors: np.ndarray, settings: dict[str, Any]) -> Neighbours:
    rows, i, kept, n_jobs = len(vectors), settings["i"], settings["n_neighbors"], settings["n_jobs"]
    if not i < kept < rows:
        raise InputError(f"knn: n_neighbors is {kept}: expected more than i ({i}), fewer than {rows} rows")
    if "numba" not in sys.modules:
        # by default the machine's cores, which would then have a part in which neighbours are found
        os.environ["NUMBA_NUM_THREADS"] = str(n_jobs)
    from pynndescent import NNDescent  # compiles for 45 s in every process: only where it pays

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


def _recall(vectors: np.ndarray, found: Neighbours, settings: dict[str, Any]) -> dict[str, Any]:
    """On a random sample of rows, against exact search: ``distance_recall``, the share whose i-th distance is the exact
    one, and ``neighbour_recall``, the mean share of the i nearest rows that are among those found (recall@i)."""
    rows = np.random.default_rng(settings["seed"]).choice(len(vectors), min(_RECALL_SAMPLE, len(vectors)), False)
    true = exact(vectors, settings["i"], queries=rows)
    same_distance = np.isclose(found.distance[rows], true.distance, rtol=0, atol=1e-9)
    among = (true.rows[:, :, None] == found.rows[rows][:, None, :]).any(axis=2)
    return {
        "distance_recall": float(same_distance.mean()),
        "neighbour_recall": float(among.mean()),
        "sample": len(rows),
    }

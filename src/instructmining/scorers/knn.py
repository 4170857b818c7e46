"""Distance to the i-th nearest neighbour in the dataset (IM, section 2.2: KNN_6).

Euclidean, on unit-norm sentence embeddings of prompt + newline + response, the example itself excluded. Exact up to
``approximate_above`` rows; above it by NN-descent, whose neighbours depend on its seed and on ``n_jobs``, so both are
settings. Whichever way neighbours are found, the distances are computed anew in float64.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl
import torch

from instructmining.batching import Budget, over_batches
from instructmining.errors import InputError
from instructmining.examples import prompt_text
from instructmining.joblog import progress
from instructmining.models import PRECISIONS, check_device

_log = logging.getLogger(__name__)
_ROWS_AT_ONCE = 1024
_SPARE = 8  # candidates beyond the i-th: float32 may put near ties in the wrong order
_RECALL_SAMPLE = 1000


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Column ``distance``, 0 to 2: higher is farther from the rest of the dataset; 0 for duplicated texts.

    Null where the dataset has not more than i rows, or NN-descent found fewer than i neighbours.
    ``truncated``: the text is longer than the sentence embedder reads.
    """
    examples = pl.concat(parts)
    texts = [
        prompt_text(instruction, given) + "\n" + output
        for instruction, given, output in examples.select("instruction", "input", "output").iter_rows()
    ]
    vectors, truncated = embed(texts, settings)
    distances = neighbour_distances(vectors, settings)
    missing = pl.Series("missing", ~np.isfinite(distances))
    yield examples.select(
        "id",
        pl.when(~missing).then(pl.Series("distance", distances)).alias("distance"),
        truncated=pl.Series(truncated, dtype=pl.Boolean),
        reason=pl.when(missing).then(pl.lit(f"fewer than {settings['i']} neighbours")),
    )


def embed(texts: list[str], settings: dict[str, Any]) -> tuple[np.ndarray, list[bool]]:
    """Unit-norm float32 embeddings (rows, width), and whether each text was cut.

    Each different text is embedded once: equal texts are at distance 0, whatever batches they would have been in.
    """
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(
        settings["model_path"],
        revision=settings["revision"],
        device=str(check_device(settings["device"])),
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True, "dtype": PRECISIONS[settings["precision"]]},
    )
    different = list(dict.fromkeys(texts))
    lengths = _token_counts(model, different)
    limit = model.max_seq_length or max(lengths, default=0)

    def launch(rows: list[int]) -> Callable[[], list[np.ndarray]]:
        part = [different[row] for row in rows]
        found = list(model.encode(part, batch_size=len(rows), show_progress_bar=False))
        return lambda: found

    read = [min(length, limit) for length in lengths]
    advance = progress(len(different), "texts embedded")
    vectors = over_batches(read, Budget(settings["batch_tokens"]), launch, advance)
    if any(vector is None for vector in vectors):
        raise InputError(f"{settings['model']}: a text alone does not fit in memory: use a device with more")
    matrix = np.array(vectors, dtype=np.float32).reshape(len(different), -1 if different else 1)
    matrix /= np.linalg.norm(matrix.astype(np.float64), axis=1, keepdims=True)
    place = {text: row for row, text in enumerate(different)}
    own = [place[text] for text in texts]
    return matrix[own], [lengths[row] > limit for row in own]


def _token_counts(model: Any, texts: list[str]) -> list[int]:
    """Tokens of each text with the special ones, uncut."""
    counts: list[int] = []
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        part = texts[start : start + _ROWS_AT_ONCE]
        counts += map(len, model.tokenizer(part, truncation=False, verbose=False).input_ids)
    return counts


def neighbour_distances(vectors: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    """Float64 distance of each row to its i-th nearest other row; infinite where fewer than i are found."""
    rows, i = len(vectors), settings["i"]
    if rows <= i:
        return np.full(rows, np.inf)
    if rows <= settings["approximate_above"]:
        return exact_distances(vectors, np.arange(rows), i, settings["device"])
    return _approximate_distances(vectors, settings)


def exact_distances(
    vectors: np.ndarray, queries: np.ndarray, i: int, device: str = "cpu", block: int = 1024
) -> np.ndarray:
    """Distance of the rows ``queries`` to their i-th nearest other row, against all rows.

    Candidates come from float32 products, block after block; the result does not depend on ``block``.
    """
    everything = torch.from_numpy(vectors).to(device)
    found = np.empty(len(queries))
    candidates = min(i + _SPARE, len(vectors) - 1)
    advance = progress(len(queries), "rows compared with all others")
    for start in range(0, len(queries), block):
        own = torch.from_numpy(queries[start : start + block]).to(device)
        similarity = everything[own] @ everything.T
        similarity[torch.arange(len(own), device=device), own] = -torch.inf
        nearest = similarity.topk(candidates, dim=1).indices.cpu().numpy()
        found[start : start + block] = _ith_distance(vectors, own.cpu().numpy(), nearest, i)
        advance(len(own))
    return found


def _ith_distance(vectors: np.ndarray, own: np.ndarray, others: np.ndarray, i: int) -> np.ndarray:
    """The i-th smallest float64 distance between each row of ``own`` and its candidates; -1 is no candidate."""
    differences = vectors[own].astype(np.float64)[:, None, :] - vectors[others].astype(np.float64)
    distances = np.sqrt(np.square(differences).sum(axis=2))
    distances[others < 0] = np.inf
    return np.partition(distances, i - 1, axis=1)[:, i - 1]


def _approximate_distances(vectors: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    rows, i, neighbours = len(vectors), settings["i"], settings["n_neighbors"]
    if not i < neighbours < rows:
        raise InputError(f"knn: n_neighbors is {neighbours}: expected more than i ({i}), fewer than {rows} rows")
    from pynndescent import NNDescent  # compiles for 45 s in every process: only where it pays

    _log.info("NN-descent over %d rows, %d neighbours; it compiles for about a minute first", rows, neighbours)
    index = NNDescent(
        vectors,
        metric="euclidean",
        n_neighbors=neighbours,
        random_state=settings["seed"],
        n_jobs=settings["n_jobs"],
        verbose=True,
    )
    graph = index.neighbor_graph[0].astype(np.int64)
    graph[graph == np.arange(rows)[:, None]] = -1
    found = np.empty(rows)
    for start in range(0, rows, _ROWS_AT_ONCE):
        part = np.arange(start, min(start + _ROWS_AT_ONCE, rows))
        found[part] = _ith_distance(vectors, part, graph[part], i)
    _log_recall(vectors, found, settings)
    return found


def _log_recall(vectors: np.ndarray, found: np.ndarray, settings: dict[str, Any]) -> None:
    sample = np.random.default_rng(settings["seed"]).choice(len(vectors), min(_RECALL_SAMPLE, len(vectors)), False)
    exact = exact_distances(vectors, np.sort(sample), settings["i"], settings["device"])
    right = np.isclose(found[np.sort(sample)], exact, rtol=0, atol=1e-9)
    _log.info("NN-descent: distance exact on %.2f %% of %d sampled rows", 100 * right.mean(), len(sample))

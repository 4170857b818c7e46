"""Embeddings of examples: made once by a model, read by everything that compares examples with one another.

Here by a sentence embedder; `instructmining.models.hidden_embeddings` takes a causal model's own states.

An example's text is prompt + newline + response, its vector has unit norm.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from instructmining.data.examples import prompt_text
from instructmining.data.pools import pool_examples
from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.models.batching import Budget, over_batches
from instructmining.models.loading import PRECISIONS, check_device

_ROWS_AT_ONCE = 1024


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Columns ``id``, ``vector`` (float32 array of unit norm) and ``truncated`` (longer than the model reads).

    The vector is null where one text alone does not fit in memory. ``settings``: ``model``, ``model_path``,
    ``revision``, ``precision``, ``device``, ``batch_tokens``, ``rows``.
    InputError if the model gives what is no direction.
    """
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(
        settings["model_path"],
        revision=settings["revision"],
        device=str(check_device(settings["device"])),
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True, "dtype": PRECISIONS[settings["precision"]]},
    )
    tokens, advance = Budget(settings["batch_tokens"]), progress(settings["rows"], "texts embedded")
    for examples in parts:
        texts = [
            prompt_text(instruction, given) + "\n" + output
            for instruction, given, output in examples.select("instruction", "input", "output").iter_rows()
        ]
        try:
            yield examples.select("id").hstack(embed(texts, model, tokens, advance))
        except ValueError as error:
            raise InputError(f"{settings['model']}: {error}: the model is broken") from error


def embed(texts: list[str], model: Any, tokens: Budget, advance: Callable[[int], None] | None = None) -> pl.DataFrame:
    """Columns ``vector`` and ``truncated`` of each text.

    Each different text is embedded once: equal texts are at distance 0, whatever batches they would have been in.
    ValueError for vectors that are not finite, or zero.
    """
    different = list(dict.fromkeys(texts))
    lengths = _token_counts(model, different)
    limit = model.max_seq_length or max(lengths, default=0)

    def launch(rows: list[int]) -> Callable[[], list[np.ndarray]]:
        part = [different[row] for row in rows]
        found = model.encode(part, batch_size=len(rows), show_progress_bar=False, convert_to_tensor=True)
        return lambda: list(found.cpu().float().numpy())

    found = over_batches([min(length, limit) for length in lengths], tokens, launch, advance)
    place = {text: row for row, text in enumerate(different)}
    own = [place[text] for text in texts]
    vectors = unit_vectors([found[row] for row in own], model.get_embedding_dimension() or 0)
    return pl.DataFrame([vectors, pl.Series("truncated", [lengths[row] > limit for row in own], dtype=pl.Boolean)])


def unit_vectors(found: Sequence[np.ndarray | None], width: int) -> pl.Series:
    """Column ``vector``: each of unit norm, null where there is none.

    ValueError for vectors that are not finite, or zero.
    """
    fits = np.array([vector is not None for vector in found], dtype=bool)
    matrix = np.zeros((len(found), width), dtype=np.float32)
    if fits.any():
        matrix[fits] = [vector for vector in found if vector is not None]
    with np.errstate(invalid="ignore"):
        matrix[fits] /= np.linalg.norm(matrix[fits].astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(matrix).all():
        raise ValueError("embeddings that are not finite, or zero")
    vectors = pl.DataFrame([pl.Series("vector", matrix, dtype=pl.Array(pl.Float32, width))])
    return vectors.select(pl.when(pl.Series(fits)).then("vector"))["vector"]


def _token_counts(model: Any, texts: list[str]) -> list[int]:
    """Tokens of each text with the special ones, uncut."""
    counts: list[int] = []
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        part = texts[start : start + _ROWS_AT_ONCE]
        counts += map(len, model.tokenizer(part, truncation=False, verbose=False).input_ids)
    return counts


def read(paths: Iterable[str | Path]) -> pl.DataFrame:
    """Embeddings of several datasets together: ``id``, ``dataset``, ``vector``, ``truncated``.

    ``paths``: .../{dataset}/{entry}/{shard}.parquet, datasets in pool order, of which the first keeps a repeated id.
    """
    frames = [
        pl.read_parquet(path).select(
            "id", pl.lit(Path(path).parent.parent.name).alias("dataset"), "vector", "truncated"
        )
        for path in paths
    ]
    return pool_examples(frames)[0]

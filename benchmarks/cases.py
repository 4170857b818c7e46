"""For every scorer: its rows as it reads them, our way, the plain way, and the least work there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
import torch

import ceiling
import plain
from builders import Models
from instructmining.data.examples import prompt_text
from instructmining.models import embeddings
from instructmining.models.attention import budget
from instructmining.models.batching import Budget, over_batches
from instructmining.models.likelihood import Reading, read_responses
from instructmining.models.loading import load_tokenizer
from instructmining.models.prompts import Encoded, encode
from instructmining.scorers import causal, expected_score, knn, lengths, mtld, reward, unieval

MAX_LENGTH = 1024
DIMENSIONS = ("naturalness", "coherence", "understandability")
POINTS = [1, 2, 3, 4, 5, 6]


@dataclass(frozen=True)
class Case:
    """``tokenise`` makes the rows that ``ours`` and ``plain`` read; None where the texts are read as they are.

    ``tokens`` and ``flops`` say what those rows need, ``shapes`` and ``dtype`` which products to measure.
    """

    ours: Callable[[Any], np.ndarray]
    plain: Callable[[Any], np.ndarray]
    rows: Any = None
    tokenise: Callable[[], Any] | None = None
    tokens: Callable[[Any], int] | None = None
    flops: Callable[[Any], float] | None = None
    shapes: Sequence[ceiling.Shape] = ()
    dtype: torch.dtype = torch.float32


def _means(readings: list[Reading | None]) -> np.ndarray:
    return np.array([np.nan if reading is None else reading.nll / reading.tokens for reading in readings])


def _response_flops(model: Any, rows: Sequence[Encoded]) -> float:
    outputs = sum(len(row.ids) - max(row.start, 1) for row in rows)
    return ceiling.decoder_flops(model, [len(row.ids) for row in rows], outputs, model.config.vocab_size)


def nll_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    tokenizer, model, other = models.causal
    return Case(
        tokenise=lambda: encode(examples, tokenizer, "alpaca", MAX_LENGTH, end=False),
        ours=lambda rows: _means(read_responses(model, rows, budget(model, options.batch_tokens))),
        plain=lambda rows: plain.nll(other, rows, tokenizer.pad_token_id),
        tokens=lambda rows: sum(len(row.ids) for row in rows),
        flops=lambda rows: _response_flops(model, rows),
        shapes=ceiling.matrices(model.base_model),
        dtype=model.dtype,
    )


def ifd_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    tokenizer, model, other = models.causal

    def tokenise() -> list[tuple[Encoded, Encoded]]:
        given = encode(examples, tokenizer, "alpaca", MAX_LENGTH, end=False)
        alone = causal.without_prompt(examples, given, tokenizer, "alpaca", "ifd")
        return list(zip(given, alone, strict=True))

    def ours(pairs: Sequence[tuple[Encoded, Encoded]]) -> np.ndarray:
        tokens = budget(model, options.batch_tokens)
        given, alone = (_means(read_responses(model, rows, tokens)) for rows in zip(*pairs, strict=True))
        return np.divide(given, alone)

    return Case(
        tokenise=tokenise,
        ours=ours,
        plain=lambda pairs: plain.ifd(other, pairs),
        tokens=lambda pairs: sum(len(row.ids) for row in chain(*pairs)),
        flops=lambda pairs: _response_flops(model, list(chain(*pairs))),
        shapes=ceiling.matrices(model.base_model),
        dtype=model.dtype,
    )


def reward_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    tokenizer, model, other = models.reward
    head = reward.decoder_head(model)
    read = reward.reader(model, tokenizer.pad_token_id)
    encoded = reward.open_assistant_ids if isinstance(model, reward.GPTNeoXRewardModel) else reward.stock_ids

    def tokenise() -> list[list[int]]:
        prompts = [prompt_text(*row) for row in examples.select("instruction", "input").iter_rows()]
        return [ids for ids, _ in encoded(tokenizer, prompts, examples["output"].to_list(), MAX_LENGTH)]

    def ours(rows: Sequence[list[int]]) -> np.ndarray:
        tokens = Budget(options.batch_tokens) if head is None else budget(model, options.batch_tokens)
        values = over_batches(
            [len(row) for row in rows], tokens, lambda batch: read([rows[row] for row in batch]).tolist
        )
        return np.array(values, dtype=float)

    return Case(
        tokenise=tokenise,
        ours=ours,
        plain=lambda rows: plain.reward(other, rows, tokenizer.pad_token_id),
        tokens=lambda rows: sum(map(len, rows)),
        flops=lambda rows: ceiling.decoder_flops(model, [len(row) for row in rows], len(rows), 1),
        shapes=ceiling.matrices(model.base_model),
        dtype=model.dtype,
    )


def unieval_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    tokenizer, model, other = models.unieval
    judge = unieval.judge(tokenizer, model)

    def tokenise() -> list[tuple[list[int], ...]]:
        texts = [
            unieval.question(dimension, output, prompt_text(instruction, given) + "\n\n")
            for instruction, given, output in examples.select("instruction", "input", "output").iter_rows()
            for dimension in DIMENSIONS
        ]
        ids = unieval.question_ids(tokenizer, texts, MAX_LENGTH)[0]
        return list(zip(*(ids[place :: len(DIMENSIONS)] for place in range(len(DIMENSIONS))), strict=True))

    return Case(
        tokenise=tokenise,
        ours=lambda rows: np.array(judge(list(chain(*rows)), Budget(options.batch_tokens)), dtype=float).reshape(
            len(rows), len(DIMENSIONS)
        ),
        plain=lambda rows: plain.unieval(other, tokenizer, rows),
        tokens=lambda rows: sum(map(len, chain(*rows))),
        flops=lambda rows: ceiling.t5_flops(model, [len(row) for row in chain(*rows)]),
        shapes=ceiling.matrices(model.encoder),
    )


def expected_score_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    tokenizer, model, other = models.causal
    question = expected_score.ask(tokenizer, "deita_quality", POINTS)
    answers = expected_score.answerer(model, question.choices, POINTS)

    def ours(rows: Sequence[list[int]]) -> np.ndarray:
        tokens = budget(model, options.batch_tokens)
        values = over_batches(
            [len(row) for row in rows], tokens, lambda batch: answers([rows[row] for row in batch]).tolist
        )
        return np.array(values, dtype=float)

    return Case(
        tokenise=lambda: [ids for ids, _ in expected_score.encode(tokenizer, question, examples, MAX_LENGTH)],
        ours=ours,
        plain=lambda rows: plain.expected_score(other, rows, question.choices, POINTS, tokenizer.pad_token_id),
        tokens=lambda rows: sum(map(len, rows)),
        flops=lambda rows: ceiling.decoder_flops(model, [len(row) for row in rows], len(rows), len(POINTS)),
        shapes=ceiling.matrices(model.base_model),
        dtype=model.dtype,
    )


def knn_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    """Both ways load the embedder and tokenise inside; its FLOPs: the encoder's, and every text against every other."""
    from sentence_transformers import SentenceTransformer

    path = models.embedder_path
    embedder = SentenceTransformer(path, device="cpu")
    backbone: Any = embedder[0].auto_model

    def counts(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in embedder.tokenizer(list(texts), truncation=True).input_ids]

    def flops(texts: Sequence[str]) -> float:
        config = backbone.config
        pairs = 2 * len(texts) ** 2 * config.hidden_size
        return pairs + ceiling.encoder_flops(
            backbone.encoder, config.num_hidden_layers, config.hidden_size, counts(texts)
        )

    def ours(texts: Sequence[str]) -> np.ndarray:
        model = SentenceTransformer(path, device=options.device)
        vectors = embeddings.embed(list(texts), model, Budget(options.batch_tokens))["vector"]
        return knn.exact(vectors.to_numpy(), 6).distance

    return Case(
        rows=[
            prompt_text(instruction, given) + "\n" + output
            for instruction, given, output in examples.select("instruction", "input", "output").iter_rows()
        ],
        ours=ours,
        plain=lambda texts: plain.knn(path, options.device, texts, 6),
        tokens=lambda texts: sum(counts(texts)),
        flops=flops,
        shapes=ceiling.matrices(backbone.encoder),
    )


def lengths_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    path = models.tokenizer_path
    outputs = ("input_length", "output_length")

    def ours(frame: pl.DataFrame) -> np.ndarray:
        settings = {"model_path": path, "revision": "main", "rows": frame.height}
        return pl.concat(lengths.score([frame], settings)).select(outputs).to_numpy()

    return Case(ours=ours, plain=lambda frame: plain.lengths(load_tokenizer(path), frame), rows=examples)


def mtld_case(models: Models, examples: pl.DataFrame, options: Any) -> Case:
    def ours(frame: pl.DataFrame) -> np.ndarray:
        return pl.concat(mtld.score([frame], {"rows": frame.height}))["mtld"].to_numpy()

    return Case(ours=ours, plain=lambda frame: plain.mtld(frame["output"].to_list()), rows=examples)


CASES: dict[str, Callable[[Models, pl.DataFrame, Any], Case]] = {
    "nll": nll_case,
    "ifd": ifd_case,
    "reward": reward_case,
    "unieval": unieval_case,
    "expected_score": expected_score_case,
    "knn": knn_case,
    "lengths": lengths_case,
    "mtld": mtld_case,
}
# no model: every row of the file, or the measured time would be that of loading
TEXT_ONLY = ("lengths", "mtld")

"""The plain way of public code, for comparison: batches of 8 in file order, padded, every logit of the vocabulary.

Each function reads the same token ids as ours, so that its numbers can be compared. Tokenising is not in its time,
except where a package does it inside (sentence-transformers, tokenizers, lexicalrichness).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from instructmining.data.examples import prompt_text
from instructmining.models.prompts import Encoded

_ROWS = 8


def _batches(rows: Sequence[Sequence[int]], pad: int, device: Any) -> Iterator[tuple[int, dict[str, torch.Tensor]]]:
    """(first row, padded ids and mask) of every 8 rows."""
    for first in range(0, len(rows), _ROWS):
        part = [torch.tensor(row) for row in rows[first : first + _ROWS]]
        ids = nn.utils.rnn.pad_sequence(part, batch_first=True, padding_value=pad)
        mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in part], batch_first=True)
        yield first, {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


@torch.no_grad()
def nll(model: Any, rows: Sequence[Encoded], pad: int) -> np.ndarray:
    """Mean NLL of the response tokens: logits of the whole batch, shifted labels, cross-entropy."""
    found = []
    for first, batch in _batches([row.ids for row in rows], pad, model.device):
        logits = model(**batch).logits
        labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
        for place, row in enumerate(rows[first : first + _ROWS]):
            labels[place, : row.start] = -100
        labels = labels[:, 1:]
        losses = nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), labels, reduction="none")
        means = losses.float().sum(dim=1) / (labels != -100).sum(dim=1)
        found += [mean.item() for mean in means]
    return np.array(found)


@torch.no_grad()
def ifd(model: Any, pairs: Sequence[tuple[Encoded, Encoded]]) -> np.ndarray:
    """Ratio of mean losses as Cherry_LLM's data_analysis.py: one text a forward pass, one token a loss."""
    log_softmax, nll_loss = nn.LogSoftmax(dim=-1), nn.NLLLoss(reduction="none")

    def mean(row: Encoded) -> float:
        ids = torch.tensor([row.ids], device=model.device)
        labels = ids.clone()
        labels[0, : row.start] = -100
        logits = model(ids, labels=labels).logits
        losses = []
        for place in range(1, ids.shape[1]):
            distribution = log_softmax(logits[0, place - 1])
            losses.append(nll_loss(distribution.unsqueeze(0), ids[0, place].unsqueeze(0)).item())
        return float(np.mean(losses[row.start - 1 :]))

    return np.array([mean(given) / mean(alone) for given, alone in pairs])


@torch.no_grad()
def reward(model: Any, rows: Sequence[list[int]], pad: int) -> np.ndarray:
    """Open-Assistant's forward (backbone, state of the last token, head), or the stock class's own."""
    found: list[float] = []
    for _, batch in _batches(rows, pad, model.device):
        if hasattr(model, "out_proj"):
            states = model.gpt_neox(**batch).last_hidden_state
            last = batch["attention_mask"].cumsum(dim=1).argmax(dim=1)
            values = model.out_proj(states[torch.arange(len(states)), last])[:, 0]
        else:
            values = model(**batch).logits[:, 0]
        found += [value.item() for value in values]
    return np.array(found)


@torch.no_grad()
def unieval(model: Any, tokenizer: Any, rows: Sequence[tuple[list[int], ...]]) -> np.ndarray:
    """As UniEval's scorer.py, one dimension after the other; (rows, dimensions)."""
    yes, no = (tokenizer(word).input_ids[0] for word in ("Yes", "No"))
    softmax = nn.Softmax(dim=1)
    columns = []
    for texts in zip(*rows, strict=True):
        found: list[float] = []
        for _, batch in _batches(texts, tokenizer.pad_token_id, model.device):
            labels = torch.full((len(batch["input_ids"]), 1), no, device=model.device)
            logits = model(**batch, labels=labels).logits.view(-1, model.config.vocab_size)
            positive = [score.item() for score in softmax(logits)[:, yes]]
            negative = [score.item() for score in softmax(logits)[:, no]]
            found += [a / (a + b) for a, b in zip(positive, negative, strict=True)]
        columns.append(found)
    return np.array(columns).T


@torch.no_grad()
def expected_score(
    model: Any, rows: Sequence[list[int]], choices: list[int], points: list[int], pad: int
) -> np.ndarray:
    """Softmax over the score tokens of the last place's logits."""
    found = []
    for _, batch in _batches(rows, pad, model.device):
        logits = model(**batch).logits
        for place, length in enumerate(batch["attention_mask"].sum(dim=1)):
            odds = torch.softmax(logits[place, length - 1, choices].float(), dim=0)
            found.append(sum(point * odd.item() for point, odd in zip(points, odds, strict=True)))
    return np.array(found)


def knn(path: str, device: str, texts: Sequence[str], i: int) -> np.ndarray:
    """sentence-transformers on 8 texts at a time, and numpy's whole matrix of distances."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(path, device=device)
    parts = [
        model.encode(list(texts[first : first + _ROWS]), batch_size=_ROWS, show_progress_bar=False)
        for first in range(0, len(texts), _ROWS)
    ]
    vectors = np.concatenate(parts).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = np.sqrt(np.maximum(2 - 2 * vectors @ vectors.T, 0))
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, i - 1]


def lengths(tokenizer: Any, examples: pl.DataFrame) -> np.ndarray:
    """(rows, 2): prompt and response, one text at a time."""
    return np.array(
        [
            [len(tokenizer(text, add_special_tokens=False).input_ids) for text in (prompt_text(*row[:2]), row[2])]
            for row in examples.select("instruction", "input", "output").iter_rows()
        ],
        dtype=float,
    )


def mtld(texts: Sequence[str]) -> np.ndarray:
    from lexicalrichness import LexicalRichness

    measured = (LexicalRichness(text) for text in texts)
    return np.array([text.mtld(threshold=0.72) if text.words else np.nan for text in measured])

"""Negative log-likelihood of response tokens, and what else one forward pass over prompt and response can tell."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from instructmining.batching import over_batches, padded
from instructmining.errors import InputError
from instructmining.models import hidden_states, output_head
from instructmining.prompts import Encoded

# rows of the output matrix product at a time: bounds the (rows, vocabulary) tensor to 100 MB at 49k words
_ROWS_AT_ONCE = 512
Head = Callable[[torch.Tensor], torch.Tensor]


class Reading(NamedTuple):
    """What a model says about one response.

    ``nll``: sum over its ``tokens``, in nats. ``answers``: one log-odds a question of its first answer against its
    second. ``features``: mean hidden state of the chosen layer over the response, (hidden,).
    """

    nll: float
    tokens: int
    answers: list[float]
    features: torch.Tensor | None


@torch.inference_mode()
def read_responses(
    model: Any,
    encoded: Sequence[Encoded],
    max_tokens: int,
    questions: Sequence[Sequence[int]] = (),
    answers: tuple[int, int] | None = None,
    layer: int | None = None,
    what: str = "rows",
) -> list[Reading | None]:
    """One forward pass a batch: response NLL, answers to questions asked after the response, hidden features.

    Every question is a short suffix that sees the prompt, the response and itself, but no other question: the
    prompt's keys and values are computed once. ``answers`` are the token ids of the two answers compared.
    ``layer`` counts hidden states as transformers does (0 = embeddings).
    None where a row has no response token or does not fit in memory. Results in input order.
    """
    if layer is not None and layer > model.config.num_hidden_layers:
        raise InputError(f"layer {layer}: the model has {model.config.num_hidden_layers}")
    head = output_head(model)
    judge = output_head(model, answers) if answers else None
    usable = [row for row, example in enumerate(encoded) if example.start < len(example.ids)]
    extra = sum(len(question) for question in questions)
    lengths = [len(encoded[row].ids) + extra for row in usable]

    def forward(batch: list[int]) -> list[Reading]:
        return _forward(model, [encoded[usable[place]] for place in batch], questions, layer, head, judge)

    found: list[Reading | None] = [None] * len(encoded)
    for row, reading in zip(usable, over_batches(lengths, max_tokens, forward, what), strict=True):
        found[row] = reading
    return found


def _forward(
    model: Any,
    batch: list[Encoded],
    questions: Sequence[Sequence[int]],
    layer: int | None,
    head: Head,
    judge: Head | None,
) -> list[Reading]:
    device = model.device
    ids = padded([example.ids for example in batch], 0, device)
    inputs: dict[str, Any] = {"input_ids": ids}
    if questions:
        inputs = _with_questions(ids, [len(example.ids) for example in batch], questions)
    output = hidden_states(model, output_hidden_states=layer is not None, **inputs)
    nll = _response_nll(head, output.last_hidden_state, ids, batch)
    odds = _answer_odds(judge, output.last_hidden_state, ids.shape[1], questions)
    features: list[torch.Tensor | None] = [None] * len(batch)
    if layer is not None:
        states = output.hidden_states[layer]
        features = [
            states[i, example.start : len(example.ids)].float().mean(0).cpu() for i, example in enumerate(batch)
        ]
    return [Reading(nll[i], len(example.ids) - example.start, odds[i], features[i]) for i, example in enumerate(batch)]


def _with_questions(ids: torch.Tensor, lengths: list[int], questions: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Input ids, positions and a boolean mask (rows, 1, width, width) with the questions as columns behind the rows.

    Column ``width of ids`` onward holds the questions, one after the other, the same for all rows; each sees its row's
    real tokens and its own earlier ones, and counts its positions on from the row's end.
    """
    rows, width = ids.shape
    suffix = torch.tensor([token for question in questions for token in question], device=ids.device)
    owner = torch.repeat_interleave(torch.arange(len(questions)), torch.tensor([len(q) for q in questions]))
    place = torch.cat([torch.arange(len(question)) for question in questions])
    ends = torch.tensor(lengths)
    total = width + len(suffix)
    mask = torch.zeros(rows, 1, total, total, dtype=torch.bool)
    mask[:, :, :width, :width] = torch.ones(width, width, dtype=torch.bool).tril()
    mask[:, :, width:, :width] = (torch.arange(width)[None] < ends[:, None])[:, None, None, :]
    mask[:, :, width:, width:] = (owner[:, None] == owner[None]) & (place[:, None] >= place[None])
    positions = torch.cat([torch.arange(width).expand(rows, width), ends[:, None] + place[None]], dim=1)
    return {
        "input_ids": torch.cat([ids, suffix.expand(rows, -1)], dim=1),
        "position_ids": positions.to(ids.device),
        "attention_mask": mask.to(ids.device),
    }


def _response_nll(head: Head, hidden: torch.Tensor, ids: torch.Tensor, batch: list[Encoded]) -> list[float]:
    """Summed NLL of each row's response tokens; the output matrix is applied at their positions only."""
    row = torch.cat([torch.full((len(e.ids) - e.start,), i) for i, e in enumerate(batch)]).to(ids.device)
    place = torch.cat([torch.arange(e.start, len(e.ids)) for e in batch]).to(ids.device)
    # a response at the very start of the text has no token before it: its first token is conditioned on nothing
    known = place > 0
    losses = torch.zeros(len(place), device=ids.device)
    picked, targets = hidden[row[known], place[known] - 1], ids[row[known], place[known]]
    parts = zip(picked.split(_ROWS_AT_ONCE), targets.split(_ROWS_AT_ONCE), strict=True)
    losses[known] = torch.cat([functional.cross_entropy(head(h), t, reduction="none") for h, t in parts])
    sums = torch.zeros(len(batch), dtype=torch.float64, device=ids.device).index_add_(0, row, losses.double())
    return [float(value) for value in sums]


def _answer_odds(
    judge: Head | None, hidden: torch.Tensor, width: int, questions: Sequence[Sequence[int]]
) -> list[list[float]]:
    """Logit of the first answer less that of the second after each question's last token."""
    if judge is None:
        return [[] for _ in range(len(hidden))]
    last = torch.tensor([len(question) for question in questions]).cumsum(0) - 1 + width
    scores = judge(hidden[:, last.to(hidden.device)])
    return [[float(value) for value in row] for row in (scores[..., 0] - scores[..., 1]).double()]

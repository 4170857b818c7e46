"""Negative log-likelihood of response tokens, and what else one forward pass over prompt and response can tell."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from instructmining.jobs.errors import InputError
from instructmining.models.attention import PACKED, hidden_states
from instructmining.models.batching import Budget, over_batches, packed, to_device
from instructmining.models.loading import output_head
from instructmining.models.prompts import Encoded

# rows of the output matrix product at a time: bounds the (rows, vocabulary) tensor to 100 MB at 49k words
_ROWS_AT_ONCE = 512
Head = Callable[[torch.Tensor], torch.Tensor]


class Reading(NamedTuple):
    """What a model says about one response.

    ``nll``: sum over its ``tokens``, in nats; a first token that nothing stands before is not among them.
    ``answers``: one log-odds a question of its first answer against its second. ``features``: mean hidden state of the
    chosen layer over the response, (hidden,).
    """

    nll: float
    tokens: int
    answers: list[float]
    features: torch.Tensor | None


def read_responses(
    model: Any,
    encoded: Sequence[Encoded],
    budget: Budget,
    questions: Sequence[Sequence[int]] = (),
    answers: tuple[int, int] | None = None,
    layer: int | None = None,
    advance: Callable[[int], None] | None = None,
) -> list[Reading | None]:
    """One forward pass a batch: response NLL, answers to questions asked after the response, hidden features.

    Every question is a short suffix that sees the prompt, the response and itself, but no other question: the
    prompt's keys and values are computed once. ``answers`` are the token ids of the two answers compared.
    ``layer`` counts hidden states as transformers does (0 = embeddings).
    None where a row has no response token or does not fit in memory. Results in input order.
    Errors: InputError for a layer that the model has not, and for questions to a model that reads one row at a time.
    """
    layers = model.config.get_text_config().num_hidden_layers
    if layer is not None and layer > layers:
        raise InputError(f"layer {layer}: the model has {layers}")
    if questions and model.config._attn_implementation != PACKED:
        raise InputError(f"{type(model).__name__} cannot keep packed rows apart, so it cannot be asked questions")
    head = output_head(model)
    judge = output_head(model, answers) if answers else None
    usable = [row for row, example in enumerate(encoded) if max(example.start, 1) < len(example.ids)]
    extra = sum(len(question) for question in questions)
    lengths = [len(encoded[row].ids) + extra for row in usable]

    @torch.inference_mode()
    def launch(batch: list[int]) -> Callable[[], list[Reading]]:
        examples = [encoded[usable[place]] for place in batch]
        inputs = packed([example.ids for example in examples], model.device, questions)
        output = hidden_states(model, inputs, output_hidden_states=layer is not None)
        states = output.last_hidden_state[0]
        places = _response_places(examples, model.device)
        nll = _response_nll(head, states, inputs["input_ids"][0], *places, len(batch))
        odds = _answer_odds(judge, states, inputs["cu_seq_lens_q"], len(batch), len(questions))
        means = None if layer is None else _response_means(output.hidden_states[layer][0], *places[:2], len(batch))
        return lambda: _readings(examples, nll, odds, means)

    found: list[Reading | None] = [None] * len(encoded)
    for row, reading in zip(usable, over_batches(lengths, budget, launch, advance), strict=True):
        found[row] = reading
    return found


def _readings(
    examples: list[Encoded], nll: torch.Tensor, odds: torch.Tensor, means: torch.Tensor | None
) -> list[Reading]:
    features = [None] * len(examples) if means is None else list(means.cpu())
    return [
        Reading(total, len(example.ids) - max(example.start, 1), answers, feature)
        for example, total, answers, feature in zip(examples, nll.tolist(), odds.tolist(), features, strict=True)
    ]


def _response_places(examples: list[Encoded], device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each response token of the batch: its row, its place in the batch, whether a token of its row is before."""
    starts = np.cumsum([0, *(len(example.ids) for example in examples)])
    counts = [len(example.ids) - example.start for example in examples]
    inside = np.concatenate([np.arange(example.start, len(example.ids)) for example in examples])
    row = np.repeat(np.arange(len(examples)), counts)
    return to_device(row, device), to_device(inside + starts[row], device), to_device(inside > 0, device)


def _response_nll(
    head: Head,
    states: torch.Tensor,
    ids: torch.Tensor,
    row: torch.Tensor,
    place: torch.Tensor,
    known: torch.Tensor,
    rows: int,
) -> torch.Tensor:
    """Float64 sum (rows,) of the NLL of each row's response tokens; the output matrix is applied there only."""
    losses = [
        functional.cross_entropy(head(states[part - 1]), ids[part], reduction="none")
        for part in place.split(_ROWS_AT_ONCE)
    ]
    counted = torch.where(known, torch.cat(losses), 0.0).double()
    return torch.zeros(rows, dtype=torch.float64, device=ids.device).index_add_(0, row, counted)


def _response_means(states: torch.Tensor, row: torch.Tensor, place: torch.Tensor, rows: int) -> torch.Tensor:
    """Float32 mean (rows, hidden) of the states at each row's response tokens."""
    sums = torch.zeros(rows, states.shape[1], device=states.device).index_add_(0, row, states[place].float())
    return sums / torch.bincount(row, minlength=rows)[:, None]


def _answer_odds(
    judge: Head | None, states: torch.Tensor, borders: torch.Tensor, rows: int, questions: int
) -> torch.Tensor:
    """Float64 (rows, questions): logit of the first answer less that of the second after each question's last token."""
    if judge is None:
        return torch.zeros(rows, 0)
    last = borders[rows + 1 :] - 1
    scores = judge(states[last]).double()
    return (scores[:, 0] - scores[:, 1]).reshape(rows, questions)

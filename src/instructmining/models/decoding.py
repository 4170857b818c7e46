"""Writing on from prompts with a model of transformers: batched, and the same for a row whatever stands beside it.

Rows end at different lengths, and a batch goes on until its last row ends. So it goes in rounds of doubling length:
what has not ended is batched anew with what it has so far, which costs reading that again, and in all at most twice the
steps that the rows need. Numbers of bfloat16 still differ a little with a batch's shape, and a near tie with them.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from instructmining.models.batching import Budget, over_batches, to_device

STOP, LENGTH = "stop", "length"
_FIRST_ROUND = 128
# steps between two looks for stop texts, which only save steps: `ended` cuts at the token
_STEPS_BETWEEN_LOOKS = 16


@dataclass(frozen=True)
class Manner:
    """How to write: until one of the ``ends`` (token ids) or ``stops`` (texts), or ``max_new_tokens``.

    ``temperature`` 0 is greedy; otherwise each row's randomness is that of ``seed`` and its name.
    """

    max_new_tokens: int
    ends: frozenset[int]
    stops: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


class Written(NamedTuple):
    """``response`` without end token and stop text; ``tokens`` until it ended, with them; ``finish``: stop, length."""

    response: str
    tokens: int
    finish: str


def end_tokens(generation_config: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a response: the model's own (instruction models have several) and the tokenizer's."""
    ends = generation_config.eos_token_id
    ends = set(ends if isinstance(ends, list) else [ends]) | {tokenizer.eos_token_id}
    return frozenset(end for end in ends if end is not None)


def write(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    names: Sequence[str],
    manner: Manner,
    budget: Budget,
    keep: Callable[[list[tuple[int, Written]]], None],
) -> None:
    """Write on from token ids; ``keep`` gets each row's number and what was written as soon as it has ended.

    A batch holds as many tokens as ``budget`` says, those to come counted. A row that alone does not fit in memory is
    never kept. ``names`` seed the rows' randomness. The model's own generation config (sampling, penalties) is taken
    from it.
    """
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=sorted(manner.ends) or None, pad_token_id=tokenizer.pad_token_id
    )
    so_far: list[list[int]] = [[] for _ in prompts]
    rows, first = list(range(len(prompts))), 0
    for last in _rounds(manner.max_new_tokens):

        def launch(batch: list[int], rows: list[int] = rows, first: int = first, last: int = last) -> Any:
            own = [rows[place] for place in batch]
            texts = [[*prompts[row], *so_far[row]] for row in own]
            found = _continued(model, tokenizer, texts, [names[row] for row in own], manner, first, last)
            for row, ids in zip(own, found, strict=True):
                so_far[row] += ids
            ends = [(row, ended(so_far[row], tokenizer, manner)) for row in own]
            keep([(row, end) for row, end in ends if end])
            goes_on = [not end for _, end in ends]
            return lambda: goes_on

        goes_on = over_batches([len(prompts[row]) + last for row in rows], budget, launch)
        rows, first = [row for row, on in zip(rows, goes_on, strict=True) if on], last


def _rounds(steps: int) -> Iterator[int]:
    length = _FIRST_ROUND
    while length < steps:
        yield length
        length *= 2
    yield steps


def ended(ids: list[int], tokenizer: Any, manner: Manner) -> Written | None:
    """What a row is after these tokens; None where it goes on.

    At the first end token, or the token that completes the first stop text, however much was written after it.
    """

    def text(stop: int | None) -> str:
        return str(tokenizer.decode(ids[:stop], skip_special_tokens=True))

    def stopped(found: str) -> bool:
        return any(stop in found for stop in manner.stops)

    end = next((place for place, token in enumerate(ids) if token in manner.ends), None)
    response = text(end)
    if stopped(response):
        places = range(len(ids) + 1)
        tokens = bisect_left(places, True, hi=len(ids) if end is None else end, key=lambda place: stopped(text(place)))
        response = text(tokens)
        cut = min(response.index(stop) for stop in manner.stops if stop in response)
        return Written(response[:cut], tokens, STOP)
    if end is not None:
        return Written(response, end + 1, STOP)
    return Written(response, len(ids), LENGTH) if len(ids) >= manner.max_new_tokens else None


@torch.inference_mode()
def _continued(
    model: Any, tokenizer: Any, texts: list[list[int]], names: list[str], manner: Manner, first: int, last: int
) -> list[list[int]]:
    """The tokens ``first`` to ``last`` (exclusive) of these rows; after a row's end come padding tokens."""
    ids, mask = _left_padded(texts, tokenizer.pad_token_id, model.device)
    width = ids.shape[1]
    processors, criteria = LogitsProcessorList(), StoppingCriteriaList()
    if manner.temperature > 0:
        draws = np.array([_draws(manner.seed, name, last)[first:] for name in names])
        processors.append(_Sampled(to_device(draws, model.device), width, manner))
    if manner.stops:
        criteria.append(_StopTexts(tokenizer, manner.stops, width, first))
    found = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=last - first,
        logits_processor=processors,
        stopping_criteria=criteria,
    )
    rows: list[list[int]] = found[:, width:].tolist()
    return rows


def _left_padded(rows: Sequence[Sequence[int]], value: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(row) for row in rows)
    ids = np.array([[*[value] * (width - len(row)), *row] for row in rows], dtype=np.int64)
    mask = np.array([[0] * (width - len(row)) + [1] * len(row) for row in rows], dtype=np.int64)
    return to_device(ids, device), to_device(mask, device)


def row_seed(seed: int, name: str) -> int:
    """63 bits that depend on the seed and the row's name alone."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8]) >> 1


def _draws(seed: int, name: str, steps: int) -> np.ndarray:
    """One uniform number above 0, up to 1, for each step: the same whatever the number of steps."""
    return 1 - np.random.default_rng(row_seed(seed, name)).random(steps)


class _Sampled(LogitsProcessor):
    """Leaves one token, by inverting the distribution function at the row's own number of this step.

    Tokens stand in the vocabulary's order, so that the small differences of another batch move a choice only where the
    number is that close to a border. Top-p is Holtzman et al. 2020: the fewest tokens with at least that probability.
    """

    def __init__(self, draws: torch.Tensor, width: int, manner: Manner) -> None:
        self.draws, self.width, self.manner = draws, width, manner

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        shares = torch.softmax(scores.double() / self.manner.temperature, dim=-1)
        if self.manner.top_p < 1:
            falling = shares.sort(dim=-1, descending=True).values
            before = falling.cumsum(dim=-1) - falling
            least = falling.masked_fill(before >= self.manner.top_p, torch.inf).amin(dim=-1, keepdim=True)
            shares = shares.masked_fill(shares < least, 0)
        summed = shares.cumsum(dim=-1)
        border = self.draws[:, input_ids.shape[1] - self.width, None] * summed[:, -1:]
        chosen = torch.searchsorted(summed, border)
        return torch.full_like(scores, -torch.inf).scatter(1, chosen, 0.0)


class _StopTexts(StoppingCriteria):
    """Looks now and then for a stop text among the last tokens of each row."""

    def __init__(self, tokenizer: Any, stops: Sequence[str], width: int, first: int) -> None:
        self.tokenizer, self.stops, self.width, self.begin = tokenizer, stops, width, width - first
        # a token is at least a byte
        self.window = _STEPS_BETWEEN_LOOKS + max(len(stop.encode()) for stop in stops)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        length = input_ids.shape[1]
        if (length - self.width) % _STEPS_BETWEEN_LOOKS:
            return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        tails = input_ids[:, max(self.begin, length - self.window) :].tolist()
        texts = [self.tokenizer.decode(tail, skip_special_tokens=True) for tail in tails]
        found = [any(stop in text for stop in self.stops) for text in texts]
        return torch.tensor(found, device=input_ids.device)

"""Which of two short responses a model finds likelier, where the prompt is long: it is computed once for both."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from instructmining.models.attention import PACKED, hidden_states
from instructmining.models.batching import Budget, over_batches, packed, to_device
from instructmining.models.likelihood import read_responses
from instructmining.models.loading import output_head
from instructmining.models.prompts import Encoded

Rests = tuple[tuple[int, ...], tuple[int, ...]]


def log_odds(
    model: Any,
    pairs: Sequence[tuple[Encoded, Encoded]],
    budget: Budget,
    advance: Callable[[int], None] | None = None,
) -> list[float | None]:
    """log p(first) - log p(second) in nats for each pair of responses to one prompt, in input order.

    All their tokens count. What both begin with is one row, what is left of each a suffix that does not see the other;
    a model that reads one row at a time reads both whole. None where a pair does not fit in memory.
    ``pairs``: encoded by `prompts.encode_texts` with the same prompt; neither response begins with the other.
    """
    if model.config._attn_implementation != PACKED:
        readings = read_responses(model, [one for pair in pairs for one in pair], budget)
        both = zip(readings[::2], readings[1::2], strict=True)
        return [two.nll - one.nll if one and two else None for one, two in both]
    commons = [_common(first.ids, second.ids) for first, second in pairs]
    groups: dict[Rests, list[int]] = defaultdict(list)
    for number, ((first, second), common) in enumerate(zip(pairs, commons, strict=True)):
        groups[tuple(first.ids[common:]), tuple(second.ids[common:])].append(number)
    head = output_head(model)
    found: list[float | None] = [None] * len(pairs)
    for rests, numbers in groups.items():
        rows = [pairs[number][0].ids[: commons[number]] for number in numbers]

        @torch.inference_mode()
        def launch(batch: list[int], rows: list[list[int]] = rows, rests: Rests = rests) -> Callable[[], list[float]]:
            inputs = packed([rows[row] for row in batch], model.device, rests)
            states = hidden_states(model, inputs).last_hidden_state[0]
            borders = inputs["borders"][0]
            places, tokens, owners, signs = _predictions(borders, len(batch), rests)
            wanted = to_device(tokens, model.device)
            losses = functional.cross_entropy(head(states[to_device(places, model.device)]), wanted, reduction="none")
            odds = torch.zeros(len(batch), dtype=torch.float64, device=model.device)
            odds.index_add_(0, to_device(owners, model.device), losses.double() * to_device(signs, model.device))
            return odds.tolist

        lengths = [len(row) + sum(map(len, rests)) for row in rows]
        for number, value in zip(numbers, over_batches(lengths, budget, launch, advance), strict=True):
            found[number] = value
    return found


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _predictions(borders: list[int], rows: int, rests: Rests) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each token of each row's rests: the place that predicts it, the token, its row, -1 (first) or 1 (second)."""
    found = []
    for row in range(rows):
        for which, rest in enumerate(rests):
            start = borders[rows + row * len(rests) + which]
            before = [borders[row + 1] - 1, *range(start, start + len(rest) - 1)]
            found += [(place, token, row, 2 * which - 1) for place, token in zip(before, rest, strict=True)]
    places, tokens, owners, signs = np.array(found, dtype=np.int64).T
    return places, tokens, owners, signs

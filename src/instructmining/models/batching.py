"""One batching engine for every model: sort by length, fill a token budget, halve it when memory runs out.

Rows of decoders and of T5's encoder are laid end to end (`packed`, `models.attention`); models that cannot take
them so get `padded` rows, which sorting keeps nearly full. Reading and tokenising run one part ahead (`ahead`), and
results are fetched one batch behind, so that a GPU never waits for Python.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np
import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
Launched = tuple[list[int], Callable[[], Sequence[Result | None]]]
_log = logging.getLogger(__name__)


@dataclass
class Budget:
    """Tokens that one batch may hold. What runs out of memory halves it, for all that follows."""

    tokens: int


def batches(lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Indices of rows, longest first, in batches whose padded size (rows x longest) is at most ``max_tokens``.

    A row that is longer than the budget is a batch of its own. Longest first: memory runs out at once or never.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    found: list[list[int]] = []
    for row in order:
        if found and (len(found[-1]) + 1) * lengths[found[-1][0]] <= max_tokens:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def over_batches(
    lengths: Sequence[int],
    budget: Budget,
    launch: Callable[[list[int]], Callable[[], Sequence[Result]]],
    advance: Callable[[int], None] | None = None,
) -> list[Result | None]:
    """Run batches of row numbers; give the results back in input order.

    ``launch`` starts a batch and returns the function that waits for its results, one a row; it is called after the
    next batch has been launched. ``advance`` hears of every finished batch how many rows it had.
    Out of memory halves the budget for this batch and all that follow. A single row that does not fit is None:
    the caller says why in its ``reason`` column.
    """
    results: list[Result | None] = [None] * len(lengths)

    def settle(batch: list[int], finish: Callable[[], Sequence[Result | None]]) -> None:
        for row, result in zip(batch, finish(), strict=True):
            results[row] = result
        if advance and batch:
            advance(len(batch))

    launched: Launched[Result] = ([], list)
    waiting = batches(lengths, budget.tokens)[::-1]
    while waiting:
        batch = waiting.pop()
        try:
            following: Launched[Result] = (batch, launch(batch))
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            if len(batch) > 1:
                budget.tokens = max(1, min(budget.tokens, len(batch) * lengths[batch[0]]) // 2)
                _log.warning("out of memory: going on with %d tokens a batch", budget.tokens)
                waiting = _again(lengths, [batch, *reversed(waiting)], budget.tokens)
                following = ([], list)
            else:
                _log.warning("a row of %d tokens does not fit in memory", lengths[batch[0]])
                following = (batch, lambda: [None])
        settle(*launched)
        launched = following
        if not following[0] and torch.cuda.is_available():
            torch.cuda.empty_cache()
    settle(*launched)
    return results


def _again(lengths: Sequence[int], waiting: list[list[int]], max_tokens: int) -> list[list[int]]:
    """The rows of these batches in new ones, last to be run first."""
    rows = [row for batch in waiting for row in batch]
    return [[rows[place] for place in some] for some in batches([lengths[row] for row in rows], max_tokens)][::-1]


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in ("can't allocate memory", "out of memory", "ALLOC_FAILED"))


_END: Any = object()


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each made in a thread while the one before it is used."""
    source = iter(items)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, source, _END)
        while (item := waiting.result()) is not _END:
            waiting = pool.submit(next, source, _END)
            yield item


def packed(
    rows: Sequence[Sequence[int]], device: torch.device, suffixes: Sequence[Sequence[int]] = ()
) -> dict[str, Any]:
    """Token ids of ``rows`` end to end as a batch of one, (1, total), with what packed attention needs to know.

    ``suffixes`` follow behind all rows: for each row each of them, in order. A suffix sees its row and itself, but no
    other suffix, and counts its positions on from the row's end: the row's keys and values are computed once.
    """
    lengths = np.array([len(row) for row in rows])
    tails = np.array([len(suffix) for suffix in suffixes], dtype=int)
    places = [np.arange(length) for length in lengths]
    places += [length + np.arange(tail) for length in lengths for tail in tails]
    tokens = np.array([token for row in [*rows, *(s for _ in rows for s in suffixes)] for token in row], dtype=np.int64)
    own = np.concatenate([lengths, np.tile(tails, len(rows))])
    own_borders = _borders(own)
    inputs: dict[str, Any] = {
        "input_ids": to_device(tokens[None], device),
        "position_ids": to_device(np.concatenate(places)[None], device),
        "cu_seq_lens_q": to_device(own_borders, device),
        "max_length_q": int(own.max()),
    }
    if not len(tails):
        same = {"cu_seq_lens_k": inputs["cu_seq_lens_q"], "max_length_k": inputs["max_length_q"]}
        return {**inputs, **same, "borders": [own_borders.tolist()] * 2}
    keys = np.concatenate([lengths, (lengths[:, None] + tails[None]).ravel()])
    starts, at = _borders(lengths), iter(own_borders[len(rows) :])
    index = [np.arange(lengths.sum())]
    for row, length in enumerate(lengths):
        for tail in tails:
            index += [starts[row] + np.arange(length), next(at) + np.arange(tail)]
    return {
        **inputs,
        "cu_seq_lens_k": to_device(_borders(keys), device),
        "borders": [own_borders.tolist(), _borders(keys).tolist()],
        "max_length_k": int(keys.max()),
        "key_index": to_device(np.concatenate(index), device),
    }


def _borders(lengths: np.ndarray) -> np.ndarray:
    return np.array([0, *accumulate(lengths)], dtype=np.int32)


def to_device(values: np.ndarray, device: torch.device) -> torch.Tensor:
    """A tensor of ``values`` on ``device``; to a GPU from pinned memory, without waiting."""
    tensor = torch.from_numpy(values)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor


def padded(rows: Sequence[Sequence[int]], value: int, device: torch.device) -> torch.Tensor:
    """Right-padded integer tensor (rows, longest)."""
    width = max(len(row) for row in rows)
    return to_device(np.array([[*row, *[value] * (width - len(row))] for row in rows], dtype=np.int64), device)

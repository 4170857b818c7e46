"""One batching engine for every model: sort by length, fill a token budget, halve it when memory runs out."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from instructmining.joblog import progress

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


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
    max_tokens: int,
    forward: Callable[[list[int]], Sequence[Result]],
    what: str = "rows",
) -> list[Result | None]:
    """Call ``forward`` on batches of row numbers; give its results back in input order.

    Out of memory halves the budget for this batch and all that follow. A single row that does not fit is None:
    the caller says why in its ``reason`` column.
    """
    results: list[Result | None] = [None] * len(lengths)
    waiting = batches(lengths, max_tokens)[::-1]
    advance = progress(len(lengths), what)
    while waiting:
        batch = waiting.pop()
        try:
            found: Sequence[Result | None] = forward(batch)
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if len(batch) > 1:
                max_tokens = max(1, max_tokens // 2)
                _log.warning("out of memory: going on with %d tokens a batch", max_tokens)
                rows = [*batch, *(row for later in reversed(waiting) for row in later)]
                again = batches([lengths[row] for row in rows], max_tokens)
                waiting = [[rows[place] for place in some] for some in again][::-1]
                continue
            _log.warning("a row of %d tokens does not fit in memory", lengths[batch[0]])
            found = [None]
        for row, result in zip(batch, found, strict=True):
            results[row] = result
        advance(len(batch))
    return results


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def padded(rows: Sequence[Sequence[int]], value: int, device: torch.device) -> torch.Tensor:
    """Right-padded integer tensor (rows, longest). Under causal attention nothing real sees what is on its right."""
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows], device=device)


def packed_mask(lengths: Sequence[int], device: torch.device | str = "cpu") -> torch.Tensor:
    """Boolean mask (1, 1, total, total) for examples laid end to end: causal, and blocked between examples.

    Given explicitly, because transformers would find the borders from position ids only when no other mask is given
    and caching is off, and would otherwise let examples see one another without a word.
    """
    total = sum(lengths)
    owner = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    place = torch.arange(total)
    mask = (owner[:, None] == owner[None, :]) & (place[:, None] >= place[None, :])
    return mask[None, None].to(device)

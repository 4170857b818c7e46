"""What a judge costs: an estimate before, a limit that holds while it is asked, and what it was in the end.

Prices are money per million input and output tokens, in a currency of the user's. No tokenizer: only the server knows
its own. Estimates take a token for every three bytes of the messages and answers of full length, which is too much for
most texts; what must not be exceeded takes a token a byte, which byte-level vocabularies cannot exceed.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.jobs.files import write_json
from instructmining.judge.records import Record, Records, Request

_BYTES_PER_TOKEN = 3
# what chat templates put around a message; generous
_AROUND_MESSAGE = 16
_AROUND_ANSWER = 16
MAX_TOKENS_KEYS = ("max_tokens", "max_completion_tokens")


class Tokens(NamedTuple):
    """Tokens of requests and of answers."""

    input: int
    output: int


def estimate(request: Request, bytes_per_token: int = _BYTES_PER_TOKEN) -> Tokens:
    """Tokens of one request and its answer; with one byte a token, the most that they can be."""
    size = sum(len(message["content"].encode()) for message in request.messages)
    longest = next(request.asked["request"][key] for key in MAX_TOKENS_KEYS if key in request.asked["request"])
    around = _AROUND_MESSAGE * len(request.messages) + _AROUND_ANSWER
    return Tokens(math.ceil(size / bytes_per_token) + around, longest)


def at_most(request: Request) -> Tokens:
    """The most tokens that one request can be billed for."""
    return estimate(request, bytes_per_token=1)


def total(tokens: Iterable[Tokens]) -> Tokens:
    """The sum of both."""
    every = list(tokens)
    return Tokens(sum(t.input for t in every), sum(t.output for t in every))


def price(tokens: Tokens, calls: Mapping[str, Any]) -> float | None:
    """Money at the config's prices; None where it has none."""
    if calls.get("price_input") is None:
        return None
    return float(tokens.input * calls["price_input"] + tokens.output * calls["price_output"]) / 1e6


def spent(records: Records) -> Tokens:
    """Tokens of everything that the entry's records have, at most where the server did not say."""
    return total(_billed(record) for record in [*records.answers.values(), *records.unknown])


def _billed(record: Record) -> Tokens:
    if "refused" in record:
        return Tokens(0, 0)
    usage = record.get("usage") or record["at_most"]
    return Tokens(usage["input"], usage["output"])


class Purse:
    """Money that requests may cost together: each takes the most it can cost, and gives back what it did not."""

    def __init__(self, calls: Mapping[str, Any], spent: Tokens) -> None:
        self.calls, self.limit = calls, calls["max_cost"]
        self.spent, self.held, self.takers = price(spent, calls) or 0.0, 0.0, 0
        self.changed = asyncio.Condition()

    async def take(self, tokens: Tokens) -> str | None:
        """Wait until ``tokens`` may be asked for; the reason where even all that is given back would not be enough."""
        cost = price(tokens, self.calls) or 0.0
        async with self.changed:
            while self.limit is not None and self.spent + self.held + cost > self.limit:
                if not self.takers:
                    return (
                        f"max_cost {self.limit:g} would be exceeded: {self.spent:.6g} spent by this entry, "
                        f"and the next request may cost up to {cost:.6g}"
                    )
                await self.changed.wait()
            self.held, self.takers = self.held + cost, self.takers + 1
        return None

    async def settle(self, taken: Tokens, billed: Tokens) -> None:
        """A request has ended: ``billed`` of the tokens ``taken`` are gone."""
        async with self.changed:
            self.takers -= 1
            # a sum of floats: nothing is exactly nothing again when nobody holds anything
            self.held = self.held - (price(taken, self.calls) or 0.0) if self.takers else 0.0
            self.spent += price(billed, self.calls) or 0.0
            self.changed.notify_all()


def write(path: str | Path, requests: Iterable[Request], records: Records, calls: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens and the price of these questions' answers, whenever they were paid; also returned.

    ``usage_not_said``: answers without token counts, taken at their most. ``without_answer``: requests that came to
    none and may have been billed, at most.
    """
    keys = {request.key for request in requests}
    answers = [records.answers[key] for key in keys if "answer" in records.answers.get(key, {})]
    lost = [record for record in records.unknown if record["key"] in keys]
    tokens, wasted = total(map(_billed, answers)), total(map(_billed, lost))
    found = {
        "questions": len(keys),
        "answers": len(answers),
        "input_tokens": tokens.input,
        "output_tokens": tokens.output,
        "price": price(tokens, calls),
        "usage_not_said": sum(not record.get("usage") for record in answers),
        "without_answer": {"requests": len(lost), "price": price(wasted, calls)},
    }
    write_json(path, found)
    return found

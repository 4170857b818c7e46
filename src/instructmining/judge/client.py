"""Asking a judge over the API shape of OpenAI: concurrent, paced, retried, and no answer lost.

Base URL and key come from the environment, and go nowhere else: what the server says is never quoted in a message, and
the key is cut out of what is recorded.
"""

import asyncio
import logging
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import openai

from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.judge.costs import Purse, Tokens, at_most, estimate, spent
from instructmining.judge.protocol import Outcome, completion, refusal
from instructmining.judge.records import Record, Records, Request

_log = logging.getLogger(__name__)
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


class Endpoint:
    """Where the judge is, and the key: of no representation, so that no message can hold them."""

    def __init__(self, calls: Mapping[str, Any]) -> None:
        """InputError, without their values, for variables of the environment that are not set or cannot be."""
        self.url, self.key = (_variable(calls[name]) for name in ("base_url_env", "key_env"))
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise InputError(f"judge: environment variable {calls['base_url_env']}: expected http://… or https://…")
        self.key_env = calls["key_env"]


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        hint = " (OpenAI's own is https://api.openai.com/v1)" if "URL" in name else ""
        raise InputError(f"judge: environment variable {name} is not set{hint}")
    if not re.fullmatch(r"[!-~]+", value):
        raise InputError(f"judge: environment variable {name}: expected printable ASCII without blanks or line ends")
    return value


def ask(
    requests: Sequence[Request],
    calls: Mapping[str, Any],
    records: Records,
    usable: Callable[[Record | None], bool],
    spare: int,
) -> dict[str, str]:
    """Ask what ``records`` does not answer yet, and record every answer as it comes.

    ``calls``: the config's concurrency, requests_per_minute, tokens_per_minute, retries, timeout, prices, max_cost and
    names of environment variables. Returns the reason of each key without an answer. InputError, when all that was on
    its way has been recorded: for an endpoint that cannot answer, where ``max_cost`` would be exceeded, on a signal to
    end, or as soon as more than ``spare`` requests are not ``usable``.
    """
    endpoint = Endpoint(calls)
    records.secret = endpoint.key
    for noisy in ("openai", "httpx2", "httpcore2", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        asking = asyncio.run(_ask(requests, calls, records, endpoint, usable, spare))
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    if asking.stopped:
        raise InputError(
            f"judge: {asking.stopped}; {asking.answered} answers of this run are recorded: run again to go on"
        )
    return asking.reasons


async def _ask(
    requests: Sequence[Request],
    calls: Mapping[str, Any],
    records: Records,
    endpoint: Endpoint,
    usable: Callable[[Record | None], bool],
    spare: int,
) -> "_Asking":
    client = openai.AsyncOpenAI(base_url=endpoint.url, api_key=endpoint.key, timeout=calls["timeout"], max_retries=0)
    async with client:
        asking = _Asking(client, calls, records, endpoint.key_env, usable, spare, len(requests))
        waiting = iter(requests)
        with _ended_by_signals(asking):
            async with asyncio.TaskGroup() as group:
                for _ in range(min(calls["concurrency"], len(requests))):
                    group.create_task(asking.work(waiting))
    return asking


class _Asking:
    """Requests on their way: as many at once as there are workers."""

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        calls: Mapping[str, Any],
        records: Records,
        key_env: str,
        usable: Callable[[Record | None], bool],
        spare: int,
        requests: int,
    ) -> None:
        self.client, self.calls, self.records, self.key_env = client, calls, records, key_env
        self.usable, self.spare = usable, spare
        self.purse = Purse(calls, spent(records))
        self.reasons: dict[str, str] = {}
        self.answered, self.stopped = 0, ""
        self.stop = asyncio.Event()
        self.next_start = 0.0
        self.advance = progress(requests, "questions judged")

    async def work(self, waiting: Iterator[Request]) -> None:
        for request in waiting:
            await self._settle(request)
            if self.stop.is_set():
                return

    def end(self, reason: str) -> None:
        """No request is sent any more; those on their way are waited for."""
        self.stopped = self.stopped or reason
        self.stop.set()

    async def _settle(self, request: Request) -> None:
        """Ask until there is an answer, at most ``retries`` times again."""
        outcome, tries = Outcome(), self.calls["retries"] + 1
        for attempt in range(tries):
            if not await self._may_start(request):
                return
            outcome = await self._try(request)
            if outcome.record or outcome.stop:
                break
            if attempt + 1 < tries:
                _log.info("%s: asking again (%d of %d)", outcome.reason, attempt + 1, tries - 1)
                await self._pause(_back_off(attempt, outcome.wait))
        if outcome.stop:
            self.end(outcome.reason)
            return
        if outcome.record:
            self.answered += 1
        else:
            self.reasons[request.key] = f"no answer after {tries} tries: {outcome.reason}"
        if not self.usable(self.records.answers.get(request.key)):
            self.spare -= 1
        if self.spare < 0:
            self.end("too few answers can be used for min_share_used, whatever the rest says")
        self.advance(1)

    async def _may_start(self, request: Request) -> bool:
        """Hold the money and wait for the request's turn; False when nothing is to be sent any more."""
        most = at_most(request)
        if reason := await self.purse.take(most):
            self.end(reason)
            return False
        while not self.stop.is_set() and (seconds := self.next_start - time.monotonic()) > 0:
            await self._pause(seconds)
        if self.stop.is_set():
            await self.purse.settle(most, Tokens(0, 0))
            return False
        self.next_start = time.monotonic() + self._spacing(estimate(request))
        return True

    def _spacing(self, tokens: Tokens) -> float:
        """Seconds until the next request may start: even, so that no minute has more than it may."""
        requests, limit = self.calls["requests_per_minute"], self.calls["tokens_per_minute"]
        return max(60 / requests if requests else 0.0, 60 * sum(tokens) / limit if limit else 0.0)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return

    async def _try(self, request: Request) -> Outcome:
        """One request; its record is on disk when this returns."""
        outcome = await self._send(request)
        most, billed = at_most(request), Tokens(0, 0)
        if outcome.record:
            about = {"key": request.key, "example": request.example, "asked": request.asked}
            usage = outcome.record.get("usage")
            billed = Tokens(**usage) if usage else most if "answer" in outcome.record else billed
            self.records.add({**about, **outcome.record, **({} if usage else {"at_most": most._asdict()})})
        elif outcome.billed:
            billed = most
            self.records.add(
                {"key": request.key, "error": outcome.reason, "time": time.time(), "at_most": most._asdict()}
            )
        if outcome.wait:
            self.next_start = max(self.next_start, time.monotonic() + outcome.wait)
        await self.purse.settle(most, billed)
        return outcome

    async def _send(self, request: Request) -> Outcome:
        messages: Any = request.messages
        try:
            async with asyncio.timeout(self.calls["timeout"]):
                response = await self.client.chat.completions.with_raw_response.create(
                    model=request.asked["model"], messages=messages, extra_body=request.asked["request"]
                )
            return Outcome(completion(response.content, bool(request.asked["request"].get("logprobs"))))
        except openai.APIStatusError as error:
            return refusal(error, self.key_env)
        except (TimeoutError, openai.APITimeoutError):
            return Outcome(reason="timed out", billed=True)
        except openai.APIConnectionError as error:
            # known by name: the library that speaks HTTP is not ours to choose
            unconnected = type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout")
            return Outcome(reason="no connection" if unconnected else "connection lost", billed=not unconnected)
        except ValueError as error:
            return Outcome(reason=str(error), billed=True)


def _back_off(attempt: int, wait: float | None) -> float:
    """Seconds before the next try: doubled each time and drawn, so that many do not come back at once."""
    drawn = min(LONGEST_WAIT, FIRST_WAIT * 2**attempt) * random.uniform(0.5, 1.0)
    return drawn if wait is None else wait + drawn / 10


@contextmanager
def _ended_by_signals(asking: _Asking) -> Iterator[None]:
    """The first SIGTERM or SIGINT lets what is on its way arrive; the second does what it did before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, before = asyncio.get_running_loop(), {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            if loop.remove_signal_handler(number):
                signal.signal(number, handler)

    def end(which: signal.Signals) -> None:
        restore()
        asking.end(f"ended by {which.name}")

    for number in before:
        loop.add_signal_handler(number, end, number)
    try:
        yield
    finally:
        restore()

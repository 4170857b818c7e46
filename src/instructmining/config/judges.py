"""What a schema cannot say of a judge's entry: prompts that are, requests of bounded length, money with its prices."""

from collections.abc import Iterable, Iterator
from typing import Any

from instructmining.config.schema import Problem, similar
from instructmining.judge.pair_prompts import PAIR_PROMPTS
from instructmining.judge.prompts import JUDGE_PROMPTS

# sent already, or not to be sent: more answers than one, or none that can be recorded whole
_NOT_IN_REQUEST = ("model", "messages", "n", "stream", "stream_options", "api_key")
_LIMITS = ("max_tokens", "max_completion_tokens")
_LIMITED = f"expected one of {' and '.join(_LIMITS)}, a whole number above 0"


def judge_problems(path: tuple[str | int, ...], settings: dict[str, Any]) -> Iterator[Problem]:
    """Of one entry with all its defaults."""
    yield from _prompt(path, settings["prompt"], settings["scale"])
    request = settings["request"]
    yield from _sendable((*path, "request"), request)
    if not (limits := _limits(request)) or not all(limits):
        yield Problem((*path, "request"), _LIMITED)
    if settings["backend"] == "local":
        if set(request) != {"temperature", "max_tokens"} or request["temperature"] != 0:
            yield Problem((*path, "request"), "a local judge takes temperature 0 and max_tokens, and nothing else")
        return
    yield from _money(path, settings)


def pair_judge_problems(path: tuple[str | int, ...], prompt: str, judge: dict[str, Any]) -> Iterator[Problem]:
    """Of a benchmark whose judge compares two responses, with all defaults; its request stands over the prompt's."""
    yield from _known((*path, "prompt"), prompt, PAIR_PROMPTS)
    path, request = (*path, "judge"), judge["request"]
    yield from _sendable((*path, "request"), request)
    if not all(_limits(request)):
        yield Problem((*path, "request"), _LIMITED)
    if judge["backend"] == "local":
        if set(request) - {"temperature", "max_tokens"} or request.get("temperature", 0) != 0:
            yield Problem((*path, "request"), "a local judge takes temperature 0 and max_tokens, and nothing else")
        return
    if prompt in PAIR_PROMPTS and PAIR_PROMPTS[prompt].choices and request.get("logprobs", True) is not True:
        yield Problem((*path, "request", "logprobs"), f"prompt {prompt} needs log-probabilities")
    yield from _money(path, judge)


def _money(path: tuple[str | int, ...], settings: dict[str, Any]) -> Iterator[Problem]:
    prices = [settings["price_input"] is None, settings["price_output"] is None]
    if any(prices) != all(prices):
        yield Problem(path, "price_input and price_output go together")
    if settings["max_cost"] is not None and any(prices):
        yield Problem(path, "max_cost needs price_input and price_output")


def _prompt(path: tuple[str | int, ...], prompt: str, scale: list[float] | None) -> Iterator[Problem]:
    named, unknown = prompt in JUDGE_PROMPTS, list(_known((*path, "prompt"), prompt, JUDGE_PROMPTS))
    yield from unknown
    if not unknown and named != (scale is None):
        wrong = "has its own scale" if named else "of your own needs `scale`, the lowest and the highest score"
        yield Problem(path, f"prompt {prompt} {wrong}")
    if scale is not None and scale[0] >= scale[1]:
        yield Problem((*path, "scale"), f"the lowest score {scale[0]:g} must be below the highest {scale[1]:g}")


def _known(path: tuple[str | int, ...], prompt: str, names: Iterable[str]) -> Iterator[Problem]:
    if prompt not in names and not {".", "/"} & set(prompt):
        known = similar(prompt, names) or f": expected {', '.join(names)}, or a file's path"
        yield Problem(path, f"unknown prompt '{prompt}'{known}")


def _sendable(path: tuple[str | int, ...], request: dict[str, Any]) -> Iterator[Problem]:
    for key in sorted(set(request) & set(_NOT_IN_REQUEST)):
        yield Problem((*path, key), "is not for you to send")


def _limits(request: dict[str, Any]) -> list[bool]:
    """Whether each limit of the answer's length is one; none of them is, where there are several."""
    found = [request[key] for key in _LIMITS if key in request]
    return [len(found) == 1 and type(limit) is int and limit >= 1 for limit in found]

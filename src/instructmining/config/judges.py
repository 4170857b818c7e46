"""What a schema cannot say of a judge's entry: prompts that are, requests of bounded length, money with its prices."""

from collections.abc import Iterator
from typing import Any

from instructmining.config.schema import Problem, similar
from instructmining.judge_prompts import JUDGE_PROMPTS

# sent already, or not to be sent: more answers than one, or none that can be recorded whole
_NOT_IN_REQUEST = ("model", "messages", "n", "stream", "stream_options", "api_key")
_LIMITS = ("max_tokens", "max_completion_tokens")


def judge_problems(path: tuple[str | int, ...], settings: dict[str, Any]) -> Iterator[Problem]:
    """Of one entry with all its defaults."""
    yield from _prompt(path, settings["prompt"], settings["scale"])
    yield from _request((*path, "request"), settings["request"], settings["backend"])
    if settings["backend"] == "local":
        return
    prices = [settings["price_input"] is None, settings["price_output"] is None]
    if any(prices) != all(prices):
        yield Problem(path, "price_input and price_output go together")
    if settings["max_cost"] is not None and any(prices):
        yield Problem(path, "max_cost needs price_input and price_output")


def _prompt(path: tuple[str | int, ...], prompt: str, scale: list[float] | None) -> Iterator[Problem]:
    named = prompt in JUDGE_PROMPTS
    if not named and not {".", "/"} & set(prompt):
        known = similar(prompt, JUDGE_PROMPTS) or f": expected {', '.join(JUDGE_PROMPTS)}, or a file's path"
        yield Problem((*path, "prompt"), f"unknown prompt '{prompt}'{known}")
    elif named != (scale is None):
        wrong = "has its own scale" if named else "of your own needs `scale`, the lowest and the highest score"
        yield Problem(path, f"prompt {prompt} {wrong}")
    if scale is not None and scale[0] >= scale[1]:
        yield Problem((*path, "scale"), f"the lowest score {scale[0]:g} must be below the highest {scale[1]:g}")


def _request(path: tuple[str | int, ...], request: dict[str, Any], backend: str) -> Iterator[Problem]:
    for key in sorted(set(request) & set(_NOT_IN_REQUEST)):
        yield Problem((*path, key), "is not for you to send")
    limits = [request[key] for key in _LIMITS if key in request]
    if len(limits) != 1 or not isinstance(limits[0], int) or isinstance(limits[0], bool) or limits[0] < 1:
        yield Problem(path, f"expected one of {' and '.join(_LIMITS)}, a whole number above 0")
    if backend == "local" and (set(request) != {"temperature", "max_tokens"} or request["temperature"] != 0):
        yield Problem(path, "a local judge takes temperature 0 and max_tokens, and nothing else")

"""What a server of OpenAI's API shape says: a completion, a refusal, or neither. No message quotes a word of it."""

import json
import math
import re
import time
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import openai

# a server that asks for more patience than this (seconds) is asked again in another run
LONGEST_RETRY_AFTER = 600.0
# it would say the same to every request
_HOPELESS = (401, 402, 403, 404, 405)
_TRY_AGAIN = (408, 409, 425, 429)


class Outcome(NamedTuple):
    """What came of one request.

    ``record``: to be kept, with an answer or a refusal. Else ``reason`` says why there is none; ``stop``: no request
    would get one; otherwise it is to be tried again, after ``wait`` seconds at least. ``billed``: it may have been.
    """

    record: dict[str, Any] | None = None
    reason: str = ""
    stop: bool = False
    wait: float | None = None
    billed: bool = False


def completion(body: bytes, logprobs: bool = False) -> dict[str, Any]:
    """What is recorded of a chat completion. ValueError, with nothing of the body in it, if it is none.

    ``logprobs``: they were asked for, and are recorded: [token, log-probability] of the likeliest first tokens, or None
    from a server that gives none.
    """
    try:
        found = json.loads(body)
    except ValueError:
        raise ValueError("not a JSON answer") from None
    choices = found.get("choices") if isinstance(found, dict) else None
    if not isinstance(choices, list):
        raise ValueError("not a chat completion")
    if not choices:
        raise ValueError("an answer without choices")
    message = choices[0].get("message") if isinstance(choices[0], dict) else None
    text = message.get("content", "") if isinstance(message, dict) else 0
    if not (text is None or isinstance(text, str)):
        raise ValueError("a choice without text")
    said = {"finish_reason": choices[0].get("finish_reason"), "served_model": found.get("model")}
    said |= {key: found.get(key) for key in ("created", "system_fingerprint")}
    if logprobs:
        said["logprobs"] = _first_tokens(choices[0].get("logprobs"))
    return {"answer": text or "", **said, "usage": _usage(found.get("usage"))}


def _first_tokens(logprobs: Any) -> list[list[Any]] | None:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = content[0] if isinstance(content, list) and content else None
    likeliest = first.get("top_logprobs") if isinstance(first, dict) else None
    if not isinstance(likeliest, list):
        return None
    entries = [(one.get("token"), one.get("logprob")) for one in likeliest if isinstance(one, dict)]
    known = [[token, value] for token, value in entries if isinstance(token, str) and _is_logprob(value)]
    return known or None


def _is_logprob(value: Any) -> bool:
    # servers round: a little above 0 is certainty
    return type(value) in (int, float) and math.isfinite(value) and value < 0.01


def _usage(usage: Any) -> dict[str, int] | None:
    names = {"input": "prompt_tokens", "output": "completion_tokens"}
    counts = {key: usage.get(name) for key, name in names.items()} if isinstance(usage, dict) else {}
    known = {key: count for key, count in counts.items() if type(count) is int and count >= 0}
    return known if len(known) == len(names) else None


def refusal(error: openai.APIStatusError, key_env: str) -> Outcome:
    """By status; of the server's own words only an error code that looks like one."""
    status = error.status_code
    code = error.code if isinstance(error.code, str) and re.fullmatch(r"[a-z_]{1,40}", error.code) else ""
    reason = f"HTTP {status}{f' ({code})' if code else ''}"
    if status in (401, 403):
        return Outcome(reason=f"{reason}: is the key in {key_env} right?", stop=True)
    if status in _HOPELESS or status < 400 or code == "insufficient_quota":
        return Outcome(reason=reason, stop=True)
    if status not in _TRY_AGAIN and status < 500:
        return Outcome({"refused": reason})
    wait = _retry_after(error.response.headers.get("retry-after"))
    if wait is not None and wait > LONGEST_RETRY_AFTER:
        return Outcome(reason=f"{reason}: the server asks to wait for {wait:.0f} s", stop=True)
    return Outcome(reason=reason, wait=wait)


def _retry_after(header: str | None) -> float | None:
    """Seconds, of a header that has seconds or a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds == seconds else None

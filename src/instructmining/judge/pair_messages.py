"""Messages that ask a judge which of two responses is better, and reading its verdict."""

import math
import re
from collections.abc import Mapping
from typing import Any

from instructmining.jobs.errors import InputError
from instructmining.judge.costs import MAX_TOKENS_KEYS
from instructmining.judge.messages import THINKING, Message, read_prompt_file
from instructmining.judge.pair_prompts import EXPLAINED, PAIR_PROMPTS, VERDICTS, PairPrompt

_FIELD = re.compile(r"\{(instruction|output_1|output_2)\}")
_VERDICT = re.compile(r"\[\[([ABC])\]\]")
# what the first response is worth in each verdict
_WORTH = {"A": 1.0, "B": 0.0, "C": 0.5}


def load_pair_prompt(name: str) -> PairPrompt:
    """A prompt by name, or from a UTF-8 text file of one's own, answered with [[A]], [[B]] or [[C]].

    In a file, what stands before a line ``---`` is the system message; without such a line all is the user's.
    InputError if it cannot be read, or lacks one of {output_1}, {output_2} and the verdicts.
    """
    if name in PAIR_PROMPTS:
        return PAIR_PROMPTS[name]
    messages = read_prompt_file(name, PAIR_PROMPTS)
    text = "".join(part for _, part in messages)
    if missing := [word for word in ("{output_1}", "{output_2}", *VERDICTS) if word not in text]:
        raise InputError(f"{name}: expected {', '.join(missing)} in the prompt")
    return PairPrompt("file", messages, EXPLAINED)


def pair_messages(prompt: PairPrompt, instruction: str, first: str, second: str) -> list[Message]:
    """The messages about two responses to one ``instruction``, its input included, in this order."""
    fields = {"instruction": instruction, "output_1": first, "output_2": second}
    # one pass, not str.format: a response may hold braces
    return [
        {"role": role, "content": _FIELD.sub(lambda field: fields[field[1]], text)} for role, text in prompt.messages
    ]


def pair_request(prompt: PairPrompt, given: Mapping[str, Any], backend: str) -> dict[str, Any]:
    """What is sent beside the messages: the prompt's own, and over it ``given``, the config's; None takes a key out.

    A local judge answers greedily, or says the log-probabilities of ``choices`` alone.
    """
    limited = set(MAX_TOKENS_KEYS) & set(given)
    own = {key: value for key, value in prompt.request.items() if not (limited and key in MAX_TOKENS_KEYS)}
    found = {key: value for key, value in {**own, **given}.items() if value is not None}
    if backend != "local":
        return found
    choices = {"choices": list(prompt.choices)} if prompt.choices else {}
    return {"temperature": 0.0, "max_tokens": found["max_tokens"], **choices}


def read_pair(record: Mapping[str, Any], prompt: PairPrompt) -> tuple[float | None, str | None]:
    """What the response that stood first is worth against the second, 0 to 1; or None and the reason."""
    if prompt.choices:
        return read_preference(record.get("logprobs"), prompt.choices)
    return read_verdict(record["answer"])


def read_verdict(answer: str) -> tuple[float | None, str | None]:
    """1 for [[A]], 0 for [[B]], 0.5 for [[C]]; the same one several times is one.

    Nothing is guessed of several: FastChat takes A before B before C. A ``<think>`` block before it is passed over.
    """
    found = set(_VERDICT.findall(THINKING.sub("", answer)))
    if len(found) == 1:
        return _WORTH[found.pop()], None
    return None, "several verdicts" if found else "no verdict"


def read_preference(logprobs: Any, choices: tuple[str, ...]) -> tuple[float | None, str | None]:
    """Probability of the first of two ``choices``, from [token, log-probability] of the likeliest first tokens.

    As AlpacaEval's ``logprob_parser``: a choice that is not among them has probability 0, and one of both must be. A
    token with white space around a choice is that choice.
    """
    if not logprobs:
        return None, "no log-probabilities in the answer"
    first, second = (math.fsum(math.exp(value) for token, value in logprobs if token.strip() == c) for c in choices)
    if not first + second:
        return None, f"neither {choices[0]} nor {choices[1]} among the likeliest tokens"
    return first / (first + second), None

"""A judge on this machine: the same messages in the tokenizer's chat template, answered greedily, in batches."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import TemplateError

from instructmining.batching import Budget
from instructmining.decoding import Manner, Written, end_tokens, write
from instructmining.errors import InputError
from instructmining.joblog import progress
from instructmining.judge_records import Records, Request
from instructmining.models import check_length, load_causal_lm, load_tokenizer
from instructmining.prompts import beginning, chat

TOO_LONG, NO_MEMORY = "question over max_length tokens", "does not fit in memory"


def answer(requests: Sequence[Request], settings: Mapping[str, Any], records: Records) -> dict[str, str]:
    """Answer and record; returns the reason of each key without an answer.

    A question of more than ``max_length`` tokens is not cut, since a judge would judge another response: it is refused.
    Errors: InputError for a tokenizer without a chat template, or a model without room for question and answer.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    longest = settings["request"]["max_tokens"]
    check_length(model, settings["max_length"] + longest, settings["model_path"])
    manner = Manner(longest, end_tokens(model.generation_config, tokenizer))
    advance = progress(len(requests), "questions judged")
    asked = [(request, _ids(tokenizer, request)) for request in requests]
    fitting = [(request, ids) for request, ids in asked if len(ids) <= settings["max_length"]]
    for request, ids in asked:
        if len(ids) > settings["max_length"]:
            _record(records, request, {"refused": TOO_LONG})
    advance(len(asked) - len(fitting))
    reasons = {request.key: NO_MEMORY for request, _ in fitting}

    def keep(found: list[tuple[int, Written]]) -> None:
        for row, written in found:
            request, ids = fitting[row]
            usage = {"input": len(ids), "output": written.tokens}
            _record(records, request, {"answer": written.response, "usage": usage})
            del reasons[request.key]
        advance(len(found))

    rows, names = [ids for _, ids in fitting], [request.key for request, _ in fitting]
    write(model, tokenizer, rows, names, manner, Budget(settings["batch_tokens"]), keep)
    return reasons


def _record(records: Records, request: Request, found: dict[str, Any]) -> None:
    records.add({"key": request.key, "example": request.example, "asked": request.asked, **found})


def _ids(tokenizer: Any, request: Request) -> list[int]:
    """Template and messages as tokens; a beginning token that the template writes itself stands there once."""
    try:
        text = chat(tokenizer, request.messages, generation=True)
    except TemplateError as error:
        raise InputError(f"{tokenizer.name_or_path}: its chat template refuses the prompt: {error}") from None
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    begin = beginning(tokenizer)
    return ids if ids[: len(begin)] == begin else [*begin, *ids]

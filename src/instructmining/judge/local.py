"""A judge on this machine: the same messages in the tokenizer's chat template, answered greedily, in batches.

Where the request has ``choices``, nothing is generated: their log-probabilities as the first token are the answer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jinja2 import TemplateError

from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.judge.records import Records, Request
from instructmining.models.attention import budget as packed_budget
from instructmining.models.attention import last_states
from instructmining.models.batching import Budget, over_batches
from instructmining.models.decoding import Manner, Written, end_tokens, write
from instructmining.models.loading import check_length, load_causal_lm, load_tokenizer, output_head
from instructmining.models.prompts import beginning, chat

TOO_LONG, NO_MEMORY = "question over max_length tokens", "does not fit in memory"
# questions whose log-probabilities are read and on disk at a time: what a killed job does not ask again
_AT_ONCE = 256
Reply = Callable[[list[list[int]]], list[dict[str, Any]]]
# place of the question, what is recorded of the answer, and its tokens
Said = tuple[int, dict[str, Any], int]


def answer(requests: Sequence[Request], settings: Mapping[str, Any], records: Records) -> dict[str, str]:
    """Answer and record; returns the reason of each key without an answer.

    A question of more than ``max_length`` tokens is not cut, since a judge would judge another response: it is refused.
    Errors: InputError for a tokenizer without a chat template, or a model without room for question and answer.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    longest, choices = settings["request"]["max_tokens"], settings["request"].get("choices")
    check_length(model, settings["max_length"] + longest, settings["model_path"])
    advance = progress(len(requests), "questions judged")
    asked = [(request, _ids(tokenizer, request)) for request in requests]
    fitting = [(request, ids) for request, ids in asked if len(ids) <= settings["max_length"]]
    for request, ids in asked:
        if len(ids) > settings["max_length"]:
            _record(records, request, {"refused": TOO_LONG})
    advance(len(asked) - len(fitting))
    reasons = {request.key: NO_MEMORY for request, _ in fitting}

    def keep(found: list[Said]) -> None:
        for row, said, tokens in found:
            request, ids = fitting[row]
            _record(records, request, {**said, "usage": {"input": len(ids), "output": tokens}})
            del reasons[request.key]
        advance(len(found))

    rows, names = [ids for _, ids in fitting], [request.key for request, _ in fitting]
    if choices:
        budget = packed_budget(model, settings["batch_tokens"])
        _read_all(rows, _likelihoods(model, tokenizer, choices, _text(tokenizer, requests[0])), budget, keep)
    else:

        def keep_written(found: list[tuple[int, Written]]) -> None:
            keep([(row, {"answer": written.response}, written.tokens) for row, written in found])

        manner = Manner(longest, end_tokens(model.generation_config, tokenizer))
        write(model, tokenizer, rows, names, manner, Budget(settings["batch_tokens"]), keep_written)
    return reasons


def _record(records: Records, request: Request, found: dict[str, Any]) -> None:
    records.add({"key": request.key, "example": request.example, "asked": request.asked, **found})


def _text(tokenizer: Any, request: Request) -> str:
    try:
        return chat(tokenizer, request.messages, generation=True)
    except TemplateError as error:
        raise InputError(f"{tokenizer.name_or_path}: its chat template refuses the prompt: {error}") from None


def _plain_ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    return found


def _ids(tokenizer: Any, request: Request) -> list[int]:
    """Template and messages as tokens; a beginning token that the template writes itself stands there once."""
    ids = _plain_ids(tokenizer, _text(tokenizer, request))
    begin = beginning(tokenizer)
    return ids if ids[: len(begin)] == begin else [*begin, *ids]


def _read_all(rows: list[list[int]], reply: Reply, budget: Budget, keep: Callable[[list[Said]], None]) -> None:
    """Log-probabilities of all rows that fit in memory, kept a part at a time."""
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]

        def launch(batch: list[int], part: list[list[int]] = part) -> Callable[[], list[dict[str, Any]]]:
            found = reply([part[row] for row in batch])
            return lambda: found

        answers = over_batches([len(ids) for ids in part], budget, launch)
        keep([(start + row, said, 1) for row, said in enumerate(answers) if said is not None])


def _likelihoods(model: Any, tokenizer: Any, choices: Sequence[str], text: str) -> Reply:
    """A function from rows of token ids to the log-probabilities of two choices as the next token, and the likelier.

    ``text``: one of the prompts, behind which the choices are tokenised.
    """
    tokens = [_tokens_of(tokenizer, choice, text) for choice in choices]
    if set(tokens[0]) & set(tokens[1]):
        raise InputError(f"{tokenizer.name_or_path}: its tokenizer does not tell {' and '.join(choices)} apart")
    head = output_head(model)

    @torch.inference_mode()
    def reply(rows: list[list[int]]) -> list[dict[str, Any]]:
        logits = head(last_states(model, rows))
        found = torch.stack([logits[:, ids].logsumexp(dim=1) for ids in tokens], dim=1)
        values = (found - logits.logsumexp(dim=1, keepdim=True)).tolist()
        said = [[[choice, value] for choice, value in zip(choices, row, strict=True)] for row in values]
        return [{"answer": max(row, key=lambda one: one[1])[0], "logprobs": row} for row in said]

    return reply


def _tokens_of(tokenizer: Any, choice: str, text: str) -> list[int]:
    """The tokens that say ``choice`` behind ``text``: it alone and with a blank before it, as far as each is one."""
    before = _plain_ids(tokenizer, text)
    found = [_plain_ids(tokenizer, text + blank + choice) for blank in ("", " ")]
    tokens = {ids[-1] for ids in found if ids[:-1] == before}
    if not tokens:
        raise InputError(f"{tokenizer.name_or_path}: its tokenizer has no single token for {choice}")
    return sorted(tokens)

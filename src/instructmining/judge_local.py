"""A judge on this machine: the same messages in the tokenizer's chat template, answered greedily, in batches.

Where the request has ``choices``, nothing is generated: their log-probabilities as the first token are the answer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jinja2 import TemplateError
from transformers import GenerationConfig

from instructmining.attention import budget as packed_budget
from instructmining.attention import last_states
from instructmining.batching import Budget, over_batches, to_device
from instructmining.errors import InputError
from instructmining.joblog import progress
from instructmining.judge_records import Records, Request
from instructmining.models import check_length, load_causal_lm, load_tokenizer, output_head
from instructmining.prompts import beginning, chat

TOO_LONG, NO_MEMORY = "question over max_length tokens", "does not fit in memory"
# answered and on disk at a time: what a killed job does not answer again
_AT_ONCE = 256
Reply = Callable[[list[list[int]]], list[dict[str, Any]]]


def answer(requests: Sequence[Request], settings: Mapping[str, Any], records: Records) -> dict[str, str]:
    """Answer and record; returns the reason of each key without an answer.

    A question of more than ``max_length`` tokens is not cut, since a judge would judge another response: it is refused.
    Errors: InputError for a tokenizer without a chat template, or a model without room for question and answer.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    longest, choices = settings["request"]["max_tokens"], settings["request"].get("choices")
    check_length(model, settings["max_length"] + longest, settings["model_path"])
    if choices:
        budget = packed_budget(model, settings["batch_tokens"])
        reply = _likelihoods(model, tokenizer, choices, _text(tokenizer, requests[0]))
    else:
        budget, reply = Budget(settings["batch_tokens"]), _greedy(model, tokenizer, longest)
    advance = progress(len(requests), "questions judged")
    reasons: dict[str, str] = {}
    for start in range(0, len(requests), _AT_ONCE):
        part = requests[start : start + _AT_ONCE]
        asked = [(request, _ids(tokenizer, request)) for request in part]
        fitting = [(request, ids) for request, ids in asked if len(ids) <= settings["max_length"]]
        for request, ids in asked:
            if len(ids) > settings["max_length"]:
                _record(records, request, {"refused": TOO_LONG})
        advance(len(asked) - len(fitting))
        rows = [ids for _, ids in fitting]

        def launch(batch: list[int], rows: list[list[int]] = rows) -> Callable[[], list[dict[str, Any]]]:
            found = reply([rows[row] for row in batch])
            return lambda: found

        answers = over_batches([len(ids) + longest for ids in rows], budget, launch, advance)
        for (request, ids), found in zip(fitting, answers, strict=True):
            if found is None:
                reasons[request.key] = NO_MEMORY
            else:
                usage = {"input": len(ids), "output": found.pop("tokens")}
                _record(records, request, {**found, "usage": usage})
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
        return [{"answer": max(row, key=lambda one: one[1])[0], "logprobs": row, "tokens": 1} for row in said]

    return reply


def _tokens_of(tokenizer: Any, choice: str, text: str) -> list[int]:
    """The tokens that say ``choice`` behind ``text``: it alone and with a blank before it, as far as each is one."""
    before = _plain_ids(tokenizer, text)
    found = [_plain_ids(tokenizer, text + blank + choice) for blank in ("", " ")]
    tokens = {ids[-1] for ids in found if ids[:-1] == before}
    if not tokens:
        raise InputError(f"{tokenizer.name_or_path}: its tokenizer has no single token for {choice}")
    return sorted(tokens)


def _greedy(model: Any, tokenizer: Any, longest: int) -> Reply:
    """A function from rows of token ids to their answers and the tokens of these."""
    ends = model.generation_config.eos_token_id
    ends = set(ends if isinstance(ends, list) else [ends]) | {tokenizer.eos_token_id}
    # one of ours: a model's own may sample, or punish repetition
    model.generation_config = GenerationConfig(
        max_new_tokens=longest,
        do_sample=False,
        eos_token_id=sorted(end for end in ends if end is not None),
        pad_token_id=tokenizer.pad_token_id,
    )

    @torch.inference_mode()
    def reply(rows: list[list[int]]) -> list[dict[str, Any]]:
        ids, mask = _left_padded(rows, tokenizer.pad_token_id, model.device)
        found = model.generate(input_ids=ids, attention_mask=mask)[:, ids.shape[1] :].tolist()
        answers = []
        for row in found:
            stop = next((place for place, token in enumerate(row) if token in ends), len(row))
            answer = tokenizer.decode(row[:stop], skip_special_tokens=True)
            answers.append({"answer": answer, "tokens": min(stop + 1, len(row))})
        return answers

    return reply


def _left_padded(rows: list[list[int]], value: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(row) for row in rows)
    ids = np.array([[*[value] * (width - len(row)), *row] for row in rows], dtype=np.int64)
    mask = np.array([[0] * (width - len(row)) + [1] * len(row) for row in rows], dtype=np.int64)
    return to_device(ids, device), to_device(mask, device)

"""A judge on this machine: the same messages in the tokenizer's chat template, answered greedily, in batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jinja2 import TemplateError
from transformers import GenerationConfig

from instructmining.batching import Budget, over_batches, to_device
from instructmining.errors import InputError
from instructmining.joblog import progress
from instructmining.judge_records import Records, Request
from instructmining.models import check_length, load_causal_lm, load_tokenizer
from instructmining.prompts import beginning, chat

TOO_LONG, NO_MEMORY = "question over max_length tokens", "does not fit in memory"
# answered and on disk at a time: what a killed job does not answer again
_AT_ONCE = 256


def answer(requests: Sequence[Request], settings: Mapping[str, Any], records: Records) -> dict[str, str]:
    """Answer and record; returns the reason of each key without an answer.

    A question of more than ``max_length`` tokens is not cut, since a judge would judge another response: it is refused.
    Errors: InputError for a tokenizer without a chat template, or a model without room for question and answer.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    longest = settings["request"]["max_tokens"]
    check_length(model, settings["max_length"] + longest, settings["model_path"])
    reply = _greedy(model, tokenizer, longest)
    budget, advance = Budget(settings["batch_tokens"]), progress(len(requests), "questions judged")
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

        def launch(batch: list[int], rows: list[list[int]] = rows) -> Callable[[], list[tuple[str, int]]]:
            found = reply([rows[row] for row in batch])
            return lambda: found

        answers = over_batches([len(ids) + longest for ids in rows], budget, launch, advance)
        for (request, ids), found in zip(fitting, answers, strict=True):
            if found is None:
                reasons[request.key] = NO_MEMORY
            else:
                _record(records, request, {"answer": found[0], "usage": {"input": len(ids), "output": found[1]}})
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


def _greedy(model: Any, tokenizer: Any, longest: int) -> Callable[[list[list[int]]], list[tuple[str, int]]]:
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
    def reply(rows: list[list[int]]) -> list[tuple[str, int]]:
        ids, mask = _left_padded(rows, tokenizer.pad_token_id, model.device)
        found = model.generate(input_ids=ids, attention_mask=mask)[:, ids.shape[1] :].tolist()
        answers = []
        for row in found:
            stop = next((place for place, token in enumerate(row) if token in ends), len(row))
            answers.append((tokenizer.decode(row[:stop], skip_special_tokens=True), min(stop + 1, len(row))))
        return answers

    return reply


def _left_padded(rows: list[list[int]], value: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(row) for row in rows)
    ids = np.array([[*[value] * (width - len(row)), *row] for row in rows], dtype=np.int64)
    mask = np.array([[0] * (width - len(row)) + [1] * len(row) for row in rows], dtype=np.int64)
    return to_device(ids, device), to_device(mask, device)

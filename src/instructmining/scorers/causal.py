"""Indicators of a causal language model, all from one forward pass over prompt and response.

- perplexity: exp(mean NLL of the response tokens given the prompt); the end token is not counted (methods, section 2).
- naturalness, coherence, understandability: p(Yes) / (p(Yes) + p(No)) to UniEval's questions (Zhong et al. 2022), asked
  of the model itself as short suffixes that share the prompt's keys and values.
- reward: the preference head (see `instructmining.preference`) on the mean hidden state of a middle layer.
"""

import math
from typing import Any

import polars as pl

from instructmining.errors import InputError
from instructmining.files import read_json
from instructmining.likelihood import Reading, read_responses
from instructmining.models import load_causal_lm, load_tokenizer
from instructmining.preference import head_score
from instructmining.prompts import encode

QUESTIONS = {
    "naturalness": "Is this a natural response in the dialogue?",
    "coherence": "Is this a coherent response given the dialogue history?",
    "understandability": "Is this an understandable response in the dialogue?",
}
SUFFIX = "\n\nquestion: {question}\nanswer:"


def score(examples: pl.DataFrame, settings: dict[str, Any]) -> pl.DataFrame:
    """Columns id, one a requested output, truncated, reason; rows as given.

    Errors: InputError if the model lacks a weight, or its tokenizer has no single token for Yes and No.
    """
    outputs = list(settings["outputs"])
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    encoded = encode(
        examples, tokenizer, settings["template"], settings["max_length"], settings["max_prompt_length"], end=False
    )
    asked = [output for output in outputs if output in QUESTIONS]
    judged = [question_and_answers(tokenizer, output) for output in asked]
    head = read_json(settings["preference_head_path"]) if "reward" in outputs else None
    readings = read_responses(
        model,
        encoded,
        settings["batch_tokens"],
        questions=[question for question, _ in judged],
        answers=judged[0][1] if judged else None,
        layer=head["layer"] if head else None,
        what="responses read",
    )
    values = [_values(reading, asked, head) for reading in readings]
    empty = [example.start >= len(example.ids) for example in encoded]
    return pl.DataFrame(
        {
            "id": examples["id"],
            **{o: pl.Series(o, [row.get(o) for row in values], dtype=pl.Float64) for o in outputs},
            "truncated": [example.truncated for example in encoded],
            "reason": pl.Series(
                [_reason(reading, none) for reading, none in zip(readings, empty, strict=True)], dtype=pl.String
            ),
        }
    )


def question_and_answers(tokenizer: Any, output: str) -> tuple[list[int], tuple[int, int]]:
    """The question about ``output`` as the tokens that follow the response, and the tokens that mean Yes and No.

    All are tokenised as they stand behind a response that ends in a letter: at the start of a text a tokenizer may put
    a blank of its own. Where the texts with Yes and with No part is where the judge must decide.
    Errors: InputError if the tokenizer merges such a response with the question, or has no token each for Yes and No.
    """
    text = SUFFIX.format(question=QUESTIONS[output])
    response, yes, no = (
        list(tokenizer(f"a{rest}", add_special_tokens=False)["input_ids"]) for rest in ("", f"{text} Yes", f"{text} No")
    )
    if yes[: len(response)] != response:
        raise InputError("the judge's tokenizer merges the end of a response with the question: it cannot be asked")
    parting = next((i for i, (a, b) in enumerate(zip(yes, no, strict=False)) if a != b), None)
    if parting is None or tokenizer.unk_token_id in (yes[parting], no[parting]):
        raise InputError("the judge's tokenizer does not tell ' Yes' from ' No' by one token: it cannot answer")
    return yes[len(response) : parting], (yes[parting], no[parting])


def _values(reading: Reading | None, asked: list[str], head: dict[str, Any] | None) -> dict[str, float]:
    if reading is None:
        return {}
    values = {"perplexity": math.exp(reading.nll / reading.tokens)}
    values |= {output: 1 / (1 + math.exp(-odds)) for output, odds in zip(asked, reading.answers, strict=True)}
    if head is not None and reading.features is not None:
        values["reward"] = head_score(head, reading.features.double().numpy())
    return values


def _reason(reading: Reading | None, empty: bool) -> str | None:
    if empty:
        return "no response token within max_length"
    return "does not fit in memory" if reading is None else None

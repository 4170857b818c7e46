"""Indicators of a causal language model, from one forward pass over prompt and response.

- perplexity: exp(mean NLL of the response tokens given the prompt); the end token is not counted (methods, section 2).
- naturalness, coherence, understandability: p(Yes) / (p(Yes) + p(No)) as the answer to UniEval's questions (Zhong et
  al. 2022). The model itself is asked; the questions are short suffixes that share the prompt's keys and values.
- ifd: mean NLL of the response given the prompt, divided by its mean NLL given only the words that announce a response
  (Li et al. 2023, arXiv 2308.12032, equation 3; Cherry_LLM). It takes a second forward pass, without the prompt.
- ifd_perplexity: perplexity of the response given the prompt, divided by the perplexity of the bare response (Li et
  al. 2024, arXiv 2402.00530; Superfiltering), also with a second pass. Strategies that rank by ifd or ifd_perplexity
  leave out values above 1.
- reward: the preference head (see `instructmining.models.preference_head`) on the mean hidden state of a middle layer.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_json
from instructmining.jobs.log import progress
from instructmining.models.attention import budget
from instructmining.models.likelihood import Reading, read_responses
from instructmining.models.loading import check_length, load_causal_lm, load_tokenizer
from instructmining.models.preference_head import head_score
from instructmining.models.prompts import Encoded, encode, encode_texts, response_marker
from instructmining.models.token_cache import encoded_parts
from instructmining.settings import (
    ABSENT,
    BATCH_TOKENS,
    DEVICE,
    GPUS,
    MAX_LENGTH,
    MAX_PROMPT_LENGTH,
    MODEL,
    OUTPUTS,
    PRECISION,
    PREFERENCE_HEAD,
    REVISION,
    SCORING_RUN,
    TEMPLATE,
    Output,
    Scorer,
)

SPEC = Scorer(
    version=2,
    outputs={
        "perplexity": Output(
            "perplexity", "lower is more likely under the model", "exp(mean NLL of the response tokens)"
        ),
        "ifd": Output(
            "ratio of mean NLLs",
            "higher is harder to follow; above 1 the instruction does not help",
            "instruction-following difficulty: NLL of the response given the prompt over NLL given the response marker",
        ),
        "ifd_perplexity": Output(
            "ratio of perplexities",
            "higher is harder to follow; above 1 the instruction does not help",
            "instruction-following difficulty: perplexity of the response given the prompt over that of it alone",
        ),
        "naturalness": Output(
            "probability",
            "higher is better",
            "probability of Yes against No: is this a natural response in the dialogue?",
        ),
        "coherence": Output(
            "probability",
            "higher is better",
            "probability of Yes against No: is this a coherent response given the dialogue history?",
        ),
        "understandability": Output(
            "probability",
            "higher is better",
            "probability of Yes against No: is this an understandable response in the dialogue?",
        ),
        "reward": Output("log-odds", "higher is better", "preference head on a middle layer's hidden states"),
    },
    settings={
        "outputs": OUTPUTS,
        "model": MODEL.but(default=ABSENT, meaning="see [models](#models); either this or `run`"),
        "run": SCORING_RUN,
        "revision": REVISION.but(only_with={"model": None}),
        "template": TEMPLATE,
        "max_length": MAX_LENGTH,
        "max_prompt_length": MAX_PROMPT_LENGTH,
        "preference_head": PREFERENCE_HEAD,
        "batch_tokens": BATCH_TOKENS,
        "device": DEVICE,
        "gpus": GPUS,
        "precision": PRECISION,
    },
    exactly_one_of=["model", "run"],
    order=4,
)


QUESTIONS = {
    "naturalness": "Is this a natural response in the dialogue?",
    "coherence": "Is this a coherent response given the dialogue history?",
    "understandability": "Is this an understandable response in the dialogue?",
}
UNCONDITIONAL = ("ifd", "ifd_perplexity")
SUFFIX = "\n\nquestion: {question}\nanswer:"


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield for each part ``id``, one column per requested output, ``truncated`` and ``reason``, in the part's order.

    A value is null where no response token is left within ``max_length``, or where the row does not fit in memory. An
    IFD is also null where the response alone has no token that follows another.

    Raises:
        InputError: the model lacks a weight, or its tokenizer has no single token for Yes and for No.
    """
    outputs = list(settings["outputs"])
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_causal_lm(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    asked = [output for output in outputs if output in QUESTIONS]
    judged = [question_and_answers(tokenizer, output) for output in asked]
    longest = max((len(question) for question, _ in judged), default=0)
    check_length(model, settings["max_length"] + longest, settings["model_path"])
    tokens = budget(model, settings["batch_tokens"])
    head = read_json(settings["preference_head_path"]) if "reward" in outputs else None
    questions, answers = [question for question, _ in judged], judged[0][1] if judged else None
    layer = head["layer"] if head else None
    alone = [output for output in outputs if output in UNCONDITIONAL]
    advance = progress(settings["rows"] * (1 + len(alone)), "responses read")
    limits = (settings["max_length"], settings["max_prompt_length"])

    def encoded(examples: pl.DataFrame) -> tuple[list[Encoded], dict[str, list[Encoded]]]:
        given = encode(examples, tokenizer, settings["template"], *limits, end=False)
        return given, {o: without_prompt(examples, given, tokenizer, settings["template"], o) for o in alone}

    depends_on = ("causal", settings["template"], *limits, alone)
    cache = settings.get("token_cache")
    for examples, (given, bare) in encoded_parts(parts, encoded, cache, tokenizer, *depends_on):
        readings = read_responses(model, given, tokens, questions, answers, layer, advance)
        unconditional = {o: read_responses(model, rows, tokens, advance=advance) for o, rows in bare.items()}
        values = [_values(reading, asked, head) for reading in readings]
        for output, others in unconditional.items():
            for row, reading, other in zip(values, readings, others, strict=True):
                row[output] = _difficulty(output, reading, other)
        yield pl.DataFrame(
            {
                "id": examples["id"],
                **{o: pl.Series(o, [row.get(o) for row in values], dtype=pl.Float64) for o in outputs},
                "truncated": pl.Series([example.truncated for example in given], dtype=pl.Boolean),
                "reason": pl.Series(
                    [
                        _reason(example, reading, [row.get(o) for o in outputs])
                        for example, reading, row in zip(given, readings, values, strict=True)
                    ],
                    dtype=pl.String,
                ),
            }
        )


def without_prompt(
    examples: pl.DataFrame, given: list[Encoded], tokenizer: Any, template: str, output: str
) -> list[Encoded]:
    """The responses without their prompts, cut to the tokens that are also read with the prompts.

    Where nothing precedes the first response token, not even a beginning token, that token has no likelihood and is
    not scored. One more token of a cut response is then read, so that the number of scored tokens stays the same
    (Superfiltering's ``max_length - instruct_i_len + 1``).

    Args:
        examples: the rows, with their responses in ``output``.
        given: the same rows encoded with their prompts.
        tokenizer: the model's tokenizer.
        template: the prompt template, which says how a response is announced.
        output: ``ifd`` puts those words before each response (Cherry_LLM: ``### Response:``); ``ifd_perplexity`` does
            not.
    """
    marker = response_marker(template, tokenizer) if output == "ifd" else ""
    rows = encode_texts([marker] * examples.height, examples["output"].to_list(), tokenizer, end=False)
    encoded = []
    for whole, row in zip(given, rows, strict=True):
        start = max(row.start, 1)
        stop = start + len(whole.ids) - whole.start if whole.truncated else len(row.ids)
        ids = row.ids[:stop]
        encoded.append(Encoded(ids, min(start, len(ids)), whole.truncated))
    return encoded


def question_and_answers(tokenizer: Any, output: str) -> tuple[list[int], tuple[int, int]]:
    """The question about ``output`` as the tokens that follow the response, and the tokens that mean Yes and No.

    The texts are tokenised after a response that ends in a letter, because a tokenizer may add a blank at the start of
    a text. The judge decides at the first token at which the text with Yes differs from the text with No.

    Raises:
        InputError: the tokenizer merges such a response with the question, or has no single token for Yes and for No.
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


def _values(reading: Reading | None, asked: list[str], head: dict[str, Any] | None) -> dict[str, float | None]:
    if reading is None:
        return {}
    values: dict[str, float | None] = {"perplexity": math.exp(reading.nll / reading.tokens)}
    values |= {output: 1 / (1 + math.exp(-odds)) for output, odds in zip(asked, reading.answers, strict=True)}
    if head is not None and reading.features is not None:
        values["reward"] = head_score(head, reading.features.double().numpy())
    return values


def _difficulty(output: str, given: Reading | None, alone: Reading | None) -> float | None:
    """Ratio of the mean NLLs (Cherry_LLM), or of the perplexities (Superfiltering)."""
    if given is None or alone is None:
        return None
    with_prompt, without = given.nll / given.tokens, alone.nll / alone.tokens
    if not without:
        return None
    return with_prompt / without if output == "ifd" else math.exp(with_prompt - without)


def _reason(example: Encoded, reading: Reading | None, values: list[float | None]) -> str | None:
    if None not in values:
        return None
    if example.start >= len(example.ids):
        return "no response token within max_length"
    if reading is not None and reading.tokens == 1:
        return "a response of one token has no likelihood alone"
    if reading is not None and any(value is not None for value in values):
        return "the response alone is certain, or does not fit in memory"
    return "does not fit in memory"

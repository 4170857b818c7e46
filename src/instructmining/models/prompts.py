"""From an example to token ids, with the exact place where the response begins.

Templates: Alpaca (tatsu-lab/stanford_alpaca, train.py), Vicuna v1.1 (lm-sys/FastChat, conversation.py), the tokenizer's
own chat template, and Alpaca without its opening sentence, for models with little room.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, NamedTuple
from unicodedata import combining

import polars as pl

from instructmining.data.examples import prompt_text
from instructmining.jobs.errors import InputError

TEMPLATES = {
    "alpaca": (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{instruction}\n\n### Response:",
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:",
    ),
    "alpaca_short": (
        "### Instruction:\n{instruction}\n\n### Response:\n",
        "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n",
    ),
    # Superfiltering (tianyi-lab), code_ifd/data_analysis.py
    "plain": ("{instruction}\n", "{instruction}\n{input}\n"),
    "vicuna": (
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
        "detailed, and polite answers to the user's questions. USER: {prompt} ASSISTANT: ",
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
        "detailed, and polite answers to the user's questions. USER: {prompt} ASSISTANT: ",
    ),
}
# The words of each template that announce the response, and nothing of the instruction.
_MARKERS = {"alpaca": "### Response:", "alpaca_short": "### Response:\n", "plain": "", "vicuna": "ASSISTANT: "}
_ROWS_AT_ONCE = 1000
_THE_DAY = "26 Jul 2024"  # what Llama 3.1's template writes where it knows no date
# the combining marks in a row that can still meet the character before them
_MARKS = 32


class Encoded(NamedTuple):
    """One example as tokens. ``ids[start:]`` is supervised: the tokens that hold response characters, and the end."""

    ids: list[int]
    start: int
    truncated: bool


def render(template: str, instruction: str, input_: str, tokenizer: Any) -> str:
    """The text before the response. ``chat`` is the tokenizer's own template with its generation prompt."""
    if template == "chat":
        return chat(tokenizer, [{"role": "user", "content": prompt_text(instruction, input_)}], generation=True)
    fields = {"instruction": instruction, "input": input_, "prompt": prompt_text(instruction, input_)}
    # one pass, not str.format: an instruction may hold braces
    return re.sub(r"\{(\w+)\}", lambda field: fields[field[1]], TEMPLATES[template][bool(input_)])


def response_marker(template: str, tokenizer: Any) -> str:
    """What the template puts right before the response. ``chat``: the tokenizer's generation prompt."""
    if template != "chat":
        return _MARKERS[template]
    turns = [{"role": "user", "content": "?"}]
    return chat(tokenizer, turns, generation=True)[len(chat(tokenizer, turns, generation=False)) :]


def chat(tokenizer: Any, turns: list[dict[str, str]], generation: bool) -> str:
    """``turns`` in the tokenizer's chat template, with its generation prompt or without.

    A template that writes today's date unless it is given one gets always the same: scores must not depend on the day.
    Errors: InputError for a tokenizer without a chat template, or with one that writes the date whatever it is given.
    """
    if not tokenizer.chat_template:
        raise InputError(f"{tokenizer.name_or_path}: its tokenizer has no chat template: choose another `template`")
    if "strftime_now" in tokenizer.chat_template and "date_string" not in tokenizer.chat_template:
        raise InputError(
            f"{tokenizer.name_or_path}: its chat template writes the date: results would change by the day"
        )
    return str(
        tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=generation, date_string=_THE_DAY)
    )


def encode(
    examples: pl.DataFrame,
    tokenizer: Any,
    template: str,
    max_length: int,
    max_prompt_length: int | None = None,
    end: bool = True,
) -> list[Encoded]:
    """Tokenise rendered prompts and responses; see `encode_texts`."""
    prompts = [
        render(template, instruction, input_, tokenizer)
        for instruction, input_ in examples.select("instruction", "input").iter_rows()
    ]
    return encode_texts(prompts, examples["output"].to_list(), tokenizer, max_length, max_prompt_length, end)


def encode_texts(
    prompts: Sequence[str],
    responses: Sequence[str],
    tokenizer: Any,
    max_length: int | None = None,
    max_prompt_length: int | None = None,
    end: bool = True,
) -> list[Encoded]:
    """Tokenise prompt and response as one text and find the response by character offsets.

    A token that straddles the border counts as response: it holds response characters. The prompt keeps its last
    ``max_prompt_length`` tokens (all when None), the whole its first ``max_length``; ``truncated`` says if either cut.
    ``end`` appends the tokenizer's end token, supervised. What the tokenizer puts before every text stands there once,
    also where the prompt brings it, and is never cut off with the prompt's beginning.
    Returns one Encoded a row, in order; ``start == len(ids)`` where nothing of the response is left.
    Errors: InputError if ``end`` is asked of a tokenizer without an end token.
    """
    if end and tokenizer.eos_token_id is None:
        raise InputError(f"{tokenizer.name_or_path}: its tokenizer has no end token, and a response must end with one")
    texts = [prompt + response for prompt, response in zip(prompts, responses, strict=True)]
    begin = beginning(tokenizer)
    tail = [tokenizer.eos_token_id] if end else []
    normalizer = tokenizer.backend_tokenizer.normalizer
    found: list[Encoded] = []
    # a slice at a time: offsets take ten times the room of the ids that are kept
    for first in range(0, len(texts), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        with _whole_offsets(tokenizer):
            tokens = tokenizer(texts[part], add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        rows = zip(tokens["input_ids"], tokens["offset_mapping"], texts[part], prompts[part], strict=True)
        found += [
            _cut(
                ids,
                offsets,
                _border(text, len(prompt), offsets, normalizer),
                begin,
                tail,
                max_length,
                max_prompt_length,
            )
            for ids, offsets, text, prompt in rows
        ]
    return found


def beginning(tokenizer: Any) -> list[int]:
    """The tokens that the tokenizer puts before every text: mostly one or none."""
    framed, bare = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (True, False))
    return list(framed[: framed.index(bare[0])])


@contextmanager
def _whole_offsets(tokenizer: Any) -> Iterator[None]:
    """Without its post-processor: a byte-level one may trim blanks off the offsets, though the tokens hold them."""
    backend = tokenizer.backend_tokenizer
    processor, backend.post_processor = backend.post_processor, None
    try:
        yield
    finally:
        backend.post_processor = processor


def _border(text: str, border: int, offsets: Sequence[tuple[int, int]], normalizer: Any) -> int:
    """``border``, or the place before the prompt's last character if the normaliser joins the response's first to it.

    The offsets of such a character name its first part only, so that no token begins at the border.
    """
    joined = "".join(takewhile(_joins, text[border : border + _MARKS]))
    if normalizer is None or not joined or not border or any(first == border for first, _ in offsets):
        return border
    first = border - 1
    while first > 0 and _joins(text[first]):
        first -= 1
    last = text[first:border]
    return border if normalizer.normalize_str(last + joined).startswith(normalizer.normalize_str(last)) else first


def _joins(character: str) -> bool:
    # combining marks, and the vowels and finals of a Korean syllable
    return combining(character) > 0 or "\u1160" <= character <= "\u11ff"


def _cut(
    ids: list[int],
    offsets: Sequence[tuple[int, int]],
    border: int,
    begin: list[int],
    tail: list[int],
    max_length: int | None,
    max_prompt_length: int | None,
) -> Encoded:
    start = next((i for i, (_, stop) in enumerate(offsets) if stop > border), len(ids))
    prompt, response = ids[:start], ids[start:]
    if prompt[: len(begin)] == begin:
        prompt = prompt[len(begin) :]
    kept = prompt if max_prompt_length is None else prompt[max(0, len(prompt) - max_prompt_length) :]
    full = [*begin, *kept, *response, *tail]
    ids = full[:max_length]
    return Encoded(ids, min(len(begin) + len(kept), len(ids)), len(ids) < len(full) or len(kept) < len(prompt))

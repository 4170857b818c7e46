"""From an example to token ids, with the exact place where the response begins.

Templates: Alpaca (tatsu-lab/stanford_alpaca, train.py), Vicuna v1.1 (lm-sys/FastChat, conversation.py), the tokenizer's
own chat template, and Alpaca without its opening sentence, for models with little room.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from instructmining.examples import prompt_text

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


class Encoded(NamedTuple):
    """One example as tokens. ``ids[start:]`` is supervised: the tokens that hold response characters, and the end."""

    ids: list[int]
    start: int
    truncated: bool


def render(template: str, instruction: str, input_: str, tokenizer: Any) -> str:
    """The text before the response. ``chat`` is the tokenizer's own template with its generation prompt."""
    if template == "chat":
        turns = [{"role": "user", "content": prompt_text(instruction, input_)}]
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    fields = {"instruction": instruction, "input": input_, "prompt": prompt_text(instruction, input_)}
    # one pass, not str.format: an instruction may hold braces
    return re.sub(r"\{(\w+)\}", lambda field: fields[field[1]], TEMPLATES[template][bool(input_)])


def response_marker(template: str, tokenizer: Any) -> str:
    """What the template puts right before the response. ``chat``: the tokenizer's generation prompt."""
    if template != "chat":
        return _MARKERS[template]
    turns = [{"role": "user", "content": "?"}]
    before, after = (
        str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=add)) for add in (False, True)
    )
    return after[len(before) :]


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
    ``end`` appends the tokenizer's end token, supervised. A beginning token is added if the tokenizer adds one.
    Returns one Encoded a row, in order; ``start == len(ids)`` where nothing of the response is left.
    """
    texts = [prompt + response for prompt, response in zip(prompts, responses, strict=True)]
    begin = beginning(tokenizer, texts[0]) if texts else []
    tail = [tokenizer.eos_token_id] if end else []
    found: list[Encoded] = []
    # a slice at a time: offsets take ten times the room of the ids that are kept
    for first in range(0, len(texts), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        tokens = tokenizer(texts[part], add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        found += [
            _cut(ids, offsets, len(prompt), begin, tail, max_length, max_prompt_length)
            for ids, offsets, prompt in zip(tokens["input_ids"], tokens["offset_mapping"], prompts[part], strict=True)
        ]
    return found


def beginning(tokenizer: Any, text: str) -> list[int]:
    """The beginning token as a list, or an empty one: what the tokenizer puts first, unless the text has it already."""
    token = tokenizer.bos_token_id
    if token is None or (tokenizer.bos_token and text.startswith(tokenizer.bos_token)):
        return []
    return [token] if tokenizer("a")["input_ids"][0] == token else []


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
    kept = prompt if max_prompt_length is None else prompt[max(0, len(prompt) - max_prompt_length) :]
    full = [*begin, *kept, *response, *tail]
    ids = full[:max_length]
    return Encoded(ids, min(len(begin) + len(kept), len(ids)), len(ids) < len(full) or len(kept) < len(prompt))

"""Reward of a response to its prompt, from a reward model: the raw logit, unbounded, higher is better.

Two kinds of checkpoints can be read:

- Open-Assistant's ``gpt_neox_reward_model`` (IM's reward model): a GPT-NeoX backbone and ``out_proj``, a linear head
  with bias, on the last token. Stock transformers does not know it: its classes load it with a random head, and do not
  warn. Its texts are ``<|prompter|>{prompt}<|endoftext|>`` and ``<|assistant|>{response}<|endoftext|>``, tokenised
  separately, as its ``RankingDataCollator`` does.
- every model of AutoModelForSequenceClassification with one label. Its text is the tokenizer's chat template, or
  prompt and response as a pair where the tokenizer has no template. A chat that is too long keeps its end; a pair that
  is too long is cut by the tokenizer.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import polars as pl
import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    GPTNeoXConfig,
    GPTNeoXModel,
    GPTNeoXPreTrainedModel,
)

from instructmining.data.examples import prompt_text
from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress
from instructmining.models.attention import budget, last_states
from instructmining.models.batching import Budget, padded
from instructmining.models.loading import (
    PRECISIONS,
    check_device,
    check_length,
    check_loaded,
    load_pretrained,
    load_tokenizer,
)
from instructmining.models.prompts import chat
from instructmining.models.token_cache import encoded_parts
from instructmining.scorers import by_row
from instructmining.settings import BATCH_TOKENS, DEVICE, GPUS, MAX_LENGTH, MODEL, PRECISION, REVISION, Output, Scorer

SPEC = Scorer(
    version=2,
    outputs={
        "reward": Output("logit", "higher is better", "raw output of the reward model"),
    },
    settings={
        "model": MODEL,
        "revision": REVISION,
        "max_length": MAX_LENGTH,
        "batch_tokens": BATCH_TOKENS,
        "device": DEVICE,
        "gpus": GPUS,
        "precision": PRECISION,
    },
    order=5,
)


_log = logging.getLogger(__name__)
OPEN_ASSISTANT = "gpt_neox_reward_model"
MIN_PROMPT = 256


class GPTNeoXRewardConfig(GPTNeoXConfig):
    """Open-Assistant's model type: GPT-NeoX with a ``pooling`` field."""

    model_type = OPEN_ASSISTANT


class GPTNeoXRewardModel(GPTNeoXPreTrainedModel):
    """The weights of Open-Assistant's checkpoint under its names, ``gpt_neox.*`` and ``out_proj.*``; see `reader`."""

    config_class = GPTNeoXRewardConfig
    config: GPTNeoXRewardConfig
    # Buffers that older transformers saved; they are computed, not learned.
    _keys_to_ignore_on_load_unexpected = [r"attention\.(masked_)?bias$", r"rotary_emb\.inv_freq$"]  # noqa: RUF012

    def __init__(self, config: GPTNeoXRewardConfig) -> None:
        super().__init__(config)
        self.gpt_neox = GPTNeoXModel(config)
        self.out_proj = nn.Linear(config.hidden_size, 1)
        self.post_init()


AutoConfig.register(OPEN_ASSISTANT, GPTNeoXRewardConfig)
AutoModelForSequenceClassification.register(GPTNeoXRewardConfig, GPTNeoXRewardModel)


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield the column ``reward``: logit, higher is better; null where one row alone does not fit in memory.

    Raises:
        InputError: the checkpoint lacks a weight, has an unexpected weight or several labels, its tokenizer cannot
            separate prompt and response, or ``max_length`` does not suit it.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_model(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    encode = open_assistant_ids if isinstance(model, GPTNeoXRewardModel) else stock_ids
    read = reader(model, tokenizer.pad_token_id)
    check_length(model, settings["max_length"], settings["model_path"])
    tokens = _budget(model, read, settings["batch_tokens"])
    advance = progress(settings["rows"], "responses")

    def encoded(examples: pl.DataFrame) -> list[tuple[list[int], bool]]:
        prompts = [prompt_text(*row) for row in examples.select("instruction", "input").iter_rows()]
        return encode(tokenizer, prompts, examples["output"].to_list(), settings["max_length"])

    depends_on = ("reward", encode.__name__, settings["max_length"])
    encoded_rows = encoded_parts(parts, encoded, settings.get("token_cache"), tokenizer, *depends_on)
    yield from by_row.frames("reward", encoded_rows, read, tokens, advance)


def load_model(path: str, revision: str, precision: str, device: str) -> Any:
    """The reward model in evaluation mode.

    Raises:
        InputError: a weight is missing or unexpected, the pooling is not that of the last token, or the model has
            several labels.
    """
    target = check_device(device)
    model, report = load_pretrained(
        AutoModelForSequenceClassification,
        path,
        revision,
        dtype=PRECISIONS[precision],
        use_safetensors=True,
        output_loading_info=True,
    )
    check_loaded(path, report)
    if unexpected := sorted(report["unexpected_keys"]):
        raise InputError(f"{path}: weights that its model does not have: {', '.join(unexpected[:3])}")
    if isinstance(model, GPTNeoXRewardModel):
        pooling = getattr(model.config, "pooling", None) or "last"
        if pooling != "last":
            raise InputError(f"{path}: pooling is {pooling!r} in config.json: expected 'last'")
    elif model.config.num_labels != 1:
        raise InputError(f"{path}: a reward model has one label, this one has {model.config.num_labels}")
    return model.to(target).eval()


def open_assistant_ids(
    tokenizer: Any, prompts: list[str], responses: list[str], max_length: int
) -> list[tuple[list[int], bool]]:
    """For each row: the token ids, and whether the text was cut.

    The prompt keeps its last max(256, max_length - length of the response) tokens, and the response keeps the first
    tokens that still fit. Open-Assistant's ``ranking_collator.py`` cuts a response to max_length - 256 tokens even
    where a short prompt leaves room. That cut belongs to its training; here the response may use the room.

    Raises:
        InputError: ``max_length`` is not above 256.
    """
    if max_length <= MIN_PROMPT:
        raise InputError(f"max_length is {max_length}: the reward model needs more than {MIN_PROMPT}")
    befores = _tokenised(tokenizer, [f"<|prompter|>{prompt}<|endoftext|>" for prompt in prompts])
    afters = _tokenised(tokenizer, [f"<|assistant|>{response}<|endoftext|>" for response in responses])
    rows = []
    for before, after in zip(befores, afters, strict=True):
        kept = before[-max(MIN_PROMPT, max_length - len(after)) :]
        ids = [*kept, *after[: max_length - len(kept)]]
        rows.append((ids, len(ids) < len(before) + len(after)))
    return rows


def stock_ids(
    tokenizer: Any, prompts: list[str], responses: list[str], max_length: int
) -> list[tuple[list[int], bool]]:
    """For each row: the token ids by the chat template, or as a pair, and whether the text was cut.

    Raises:
        InputError: the tokenizer has no chat template, and puts no token between the texts of a pair.
    """
    if not tokenizer.chat_template:
        if not prompts:
            return []
        if not tokenizer.num_special_tokens_to_add(pair=True):
            raise InputError(f"{tokenizer.name_or_path}: no chat template, and nothing between the texts of a pair")
        whole = tokenizer(prompts, responses, truncation=False, verbose=False).input_ids
        cut = tokenizer(prompts, responses, truncation=True, max_length=max_length).input_ids
        return [(ids, len(ids) < len(all_ids)) for ids, all_ids in zip(cut, whole, strict=True)]
    chats = [
        [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        for prompt, response in zip(prompts, responses, strict=True)
    ]
    texts = [chat(tokenizer, turns, generation=False) for turns in chats]
    return [(ids[-max_length:], len(ids) > max_length) for ids in _tokenised(tokenizer, texts)]


def _tokenised(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False, verbose=False).input_ids if texts else []
    return ids


def _budget(model: Any, read: Callable[[list[list[int]]], torch.Tensor], batch_tokens: int) -> Budget:
    """How many tokens a batch may hold; one row per batch if padding changes the model's values."""
    if decoder_head(model):
        return budget(model, batch_tokens)
    short, long = list(range(5, 10)), list(range(5, 25))
    try:
        apart = abs(float(read([short, long])[0] - read([short])[0]))
    except ValueError:  # transformers refuses batches of a model without a padding token
        apart = float("inf")
    if apart <= (1e-4 if model.dtype == torch.float32 else 5e-2):
        return Budget(batch_tokens)
    _log.warning("%s reads one row at a time: padding changes its values", type(model).__name__)
    return Budget(1)


def decoder_head(model: Any) -> Any:
    """The linear head of a decoder, which reads the last token (Open-Assistant's or transformers'), or None."""
    return getattr(model, "out_proj", None) or getattr(model, "score", None)


def reader(model: Any, pad: int) -> Callable[[list[list[int]]], torch.Tensor]:
    """A function from rows of token ids to their float64 logits (rows,).

    A decoder's head is applied, in float32, to each row's true last token. transformers applies it to the last token
    that is not the padding token, which is a different one where a text ends in a token also used for padding. Models
    of other kinds read padded rows and apply their own heads.
    """
    head = decoder_head(model)
    if head is None:
        return lambda rows: _padded_logits(model, rows, pad)
    weight, bias = head.weight.float(), None if head.bias is None else head.bias.float()

    @torch.inference_mode()
    def read(rows: list[list[int]]) -> torch.Tensor:
        return nn.functional.linear(last_states(model, rows).float(), weight, bias)[:, 0].double()

    return read


@torch.inference_mode()
def _padded_logits(model: Any, rows: list[list[int]], pad: int) -> torch.Tensor:
    ids = padded(rows, pad, model.device)
    mask = padded([[1] * len(row) for row in rows], 0, model.device)
    logits: torch.Tensor = model(input_ids=ids, attention_mask=mask).logits[:, 0].double()
    return logits

"""Reward of a response to its prompt, from a reward model: the raw logit, unbounded, higher is better.

Two kinds of checkpoint. Open-Assistant's ``gpt_neox_reward_model`` (IM's reward model), which stock transformers does
not know: a GPT-NeoX backbone and ``out_proj``, a linear head with bias, on the last token; stock classes load it
without a word and with a random head. And every model of AutoModelForSequenceClassification with one label.

Texts. Open-Assistant: ``<|prompter|>{prompt}<|endoftext|>`` and ``<|assistant|>{response}<|endoftext|>``, tokenised
apart and cut as its ``RankingDataCollator`` does. Others: the tokenizer's chat template, or prompt and response as a
pair where it has none; too long ones keep the end of the chat, or are cut as the tokenizer cuts a pair.
"""

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

from instructmining.batching import over_batches, padded
from instructmining.errors import InputError
from instructmining.examples import prompt_text
from instructmining.models import PRECISIONS, check_device, check_loaded, load_pretrained, load_tokenizer

OPEN_ASSISTANT = "gpt_neox_reward_model"
MIN_PROMPT = 256


class GPTNeoXRewardConfig(GPTNeoXConfig):
    """Open-Assistant's model type: GPT-NeoX with a ``pooling`` field."""

    model_type = OPEN_ASSISTANT


class GPTNeoXRewardModel(GPTNeoXPreTrainedModel):
    """Names of Open-Assistant's checkpoint: ``gpt_neox.*`` and ``out_proj.*``. ``logits`` does the rest."""

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


def score(examples: pl.DataFrame, settings: dict[str, Any]) -> pl.DataFrame:
    """Column ``reward``: logit, higher is better. Null where one row alone does not fit in memory.

    InputError if the checkpoint misses a weight, has one too many, or has more than one label.
    """
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    model = load_model(settings["model_path"], settings["revision"], settings["precision"], settings["device"])
    prompts = [prompt_text(*row) for row in examples.select("instruction", "input").iter_rows()]
    encode = open_assistant_ids if isinstance(model, GPTNeoXRewardModel) else stock_ids
    encoded = encode(tokenizer, prompts, examples["output"].to_list(), settings["max_length"])

    def forward(rows: list[int]) -> list[float]:
        return logits(model, [encoded[row][0] for row in rows], tokenizer.pad_token_id).tolist()

    lengths = [len(ids) for ids, _ in encoded]
    rewards = pl.Series(
        "reward", over_batches(lengths, settings["batch_tokens"], forward, "responses"), dtype=pl.Float64
    )
    return examples.select(
        "id",
        rewards,
        truncated=pl.Series([cut for _, cut in encoded], dtype=pl.Boolean),
        reason=pl.when(rewards.is_null()).then(pl.lit("does not fit in memory")),
    )


def load_model(path: str, revision: str, precision: str, device: str) -> Any:
    """The reward model in evaluation mode. InputError on missing or unexpected weights, or several labels."""
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
    """Token ids and whether the text was cut, for each row.

    The prompt keeps its last max(256, max_length - length of the response) tokens; the response its first tokens that
    still fit. Source: Open-Assistant, ``ranking_collator.py``.
    """
    if max_length <= MIN_PROMPT:
        raise InputError(f"max_length is {max_length}: the reward model needs more than {MIN_PROMPT}")
    befores = _tokenised(tokenizer, [f"<|prompter|>{prompt}<|endoftext|>" for prompt in prompts])
    afters = _tokenised(tokenizer, [f"<|assistant|>{response}<|endoftext|>" for response in responses])
    found = []
    for before, after in zip(befores, afters, strict=True):
        kept = before[-max(MIN_PROMPT, max_length - len(after)) :]
        ids = [*kept, *after[: max_length - len(kept)]]
        found.append((ids, len(ids) < len(before) + len(after)))
    return found


def stock_ids(
    tokenizer: Any, prompts: list[str], responses: list[str], max_length: int
) -> list[tuple[list[int], bool]]:
    """Token ids and whether the text was cut: chat template, else a pair."""
    if not tokenizer.chat_template:
        whole = [
            tokenizer(*pair, truncation=False, verbose=False).input_ids for pair in zip(prompts, responses, strict=True)
        ]
        cut = [
            tokenizer(*pair, truncation=True, max_length=max_length).input_ids
            for pair in zip(prompts, responses, strict=True)
        ]
        return [(ids, len(ids) < len(all_ids)) for ids, all_ids in zip(cut, whole, strict=True)]
    chats = [
        [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        for prompt, response in zip(prompts, responses, strict=True)
    ]
    texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    return [(ids[-max_length:], len(ids) > max_length) for ids in _tokenised(tokenizer, texts)]


def _tokenised(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    found: list[list[int]] = tokenizer(texts, add_special_tokens=False, verbose=False).input_ids if texts else []
    return found


@torch.inference_mode()
def logits(model: Any, batch: list[list[int]], pad: int) -> torch.Tensor:
    """Float64 logits (rows,) of right-padded rows; the head in float32.

    Decoder-only heads are read at each row's true last token. transformers looks for the last token that is not the
    padding token, which is another one where a text ends in a token that is also used for padding.
    """
    device = model.device
    ids = padded(batch, pad, device)
    mask = padded([[1] * len(row) for row in batch], 0, device)
    head = getattr(model, "out_proj", None) or getattr(model, "score", None)
    if head is None:
        return model(input_ids=ids, attention_mask=mask).logits[:, 0].double()
    hidden = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    last = hidden[torch.arange(len(batch), device=device), mask.sum(dim=1) - 1].float()
    bias = None if head.bias is None else head.bias.float()
    return nn.functional.linear(last, head.weight.float(), bias)[:, 0].double()

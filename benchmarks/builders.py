"""Models for the benchmarks: from a path, or of a real architecture and size with random weights.

Speed depends on shapes, not on what the weights know; the differences to the plain way are those of random weights.
"""

import copy
from argparse import Namespace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from instructmining.models.loading import PRECISIONS, load_causal_lm, load_tokenizer
from instructmining.scorers import reward, unieval


def _shape(hidden: int, layers: int, heads: int, ffn: int, vocabulary: int, **more: Any) -> dict[str, Any]:
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
    return dict(zip(names, (hidden, layers, heads, ffn, vocabulary), strict=True)) | more


def _t5(width: int, layers: int, heads: int, ffn: int) -> dict[str, Any]:
    return {"d_model": width, "num_layers": layers, "num_heads": heads, "d_ff": ffn, "d_kv": 64, "vocab_size": 32128}


_NEOX = {"rotary_pct": 0.25, "max_position_embeddings": 2048}
SIZES: dict[str, dict[str, dict[str, Any]]] = {
    # SmolLM2-135M, Pythia-160M, T5-base, all-MiniLM-L6-v2
    "small": {
        "causal": _shape(576, 30, 9, 1536, 49152, num_key_value_heads=3, tie_word_embeddings=True),
        "reward": _shape(768, 12, 12, 3072, 50304, **_NEOX),
        "unieval": _t5(768, 12, 12, 3072),
        "embedder": _shape(384, 6, 12, 1536, 30522),
    },
    # Llama-2-7B, Pythia-1.4B, T5-large, all-mpnet-base-v2
    "paper": {
        "causal": _shape(4096, 32, 32, 11008, 32000),
        "reward": _shape(2048, 24, 16, 8192, 50304, **_NEOX),
        "unieval": _t5(1024, 24, 16, 4096),
        "embedder": _shape(768, 12, 12, 3072, 30522),
    },
    # TinyLlama-1.1B, for benchmarks/finetune.py
    "1.1b": {"causal": _shape(2048, 22, 32, 5632, 32000, num_key_value_heads=4)},
    # for benchmarks/memory.py, and to try the scripts themselves
    "tiny": {
        "causal": _shape(64, 2, 4, 128, 8192, num_key_value_heads=2),
        "reward": _shape(64, 2, 4, 128, 8192, **_NEOX),
        "unieval": _t5(64, 2, 4, 128) | {"d_kv": 16, "vocab_size": 8192},
        "embedder": _shape(64, 2, 4, 128, 8192),
    },
}


def train_tokenizer(examples: pl.DataFrame, folder: Path, end: str, ends_itself: bool = False) -> Any:
    """A byte-level BPE of 8,000 tokens trained on the data, saved to ``folder``; T5's ends every text with its end."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", end, "<|prompter|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=8000,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    questions = " ".join(unieval.QUESTIONS.values())
    texts = examples.select(pl.concat_str("instruction", "input", "output", separator="\n")).to_series()
    tokenizer.train_from_iterator([*texts, *[f"{questions} Yes No"] * 100], trainer)
    if ends_itself:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {end}", special_tokens=[(end, tokenizer.token_to_id(end))]
        )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token=end, bos_token=end)
    fast.add_special_tokens({"additional_special_tokens": special[2:]})
    fast.save_pretrained(folder)
    return fast


def twin(model: Any) -> Any:
    """The same model, its weights shared, with transformers' usual attention: for the plain way."""
    shared = {id(tensor): tensor for tensor in [*model.parameters(), *model.buffers()]}
    return copy.deepcopy(model, shared)


class Models:
    """Every model and tokenizer that the scorers ask for, made when first asked for.

    ``causal``, ``reward`` and ``unieval`` are (tokenizer, our model, its twin for the plain way).
    """

    def __init__(self, options: Namespace, examples: pl.DataFrame, folder: Path) -> None:
        self._options, self._examples, self._folder = options, examples, folder
        self._size = SIZES[options.sizes]

    @cached_property
    def tokenizer_path(self) -> str:
        """A folder with the causal model's tokenizer."""
        if self._options.causal:
            return str(self._options.causal)
        train_tokenizer(self._examples, self._folder / "tokenizer", "<|endoftext|>")
        return str(self._folder / "tokenizer")

    @cached_property
    def causal(self) -> tuple[Any, Any, Any]:
        options = self._options
        if options.causal:
            model = load_causal_lm(options.causal, precision=options.precision, device=options.device)
        else:
            model = self._random(LlamaForCausalLM, LlamaConfig(**self._size["causal"]), options.precision)
        return load_tokenizer(self.tokenizer_path), model, twin(model)

    @cached_property
    def reward(self) -> tuple[Any, Any, Any]:
        options = self._options
        if options.reward:
            model = reward.load_model(options.reward, "main", options.precision, options.device)
            tokenizer = load_tokenizer(options.reward)
            model.config.pad_token_id = tokenizer.pad_token_id
        else:
            config = reward.GPTNeoXRewardConfig(**self._size["reward"])
            model = self._random(reward.GPTNeoXRewardModel, config, options.precision)
            tokenizer = load_tokenizer(self.tokenizer_path)
        return tokenizer, model, twin(model)

    @cached_property
    def unieval(self) -> tuple[Any, Any, Any]:
        options = self._options
        if options.unieval:
            settings = {"model_path": options.unieval, "revision": "main", "precision": "float32"}
            tokenizer, model = unieval.load_model({**settings, "device": options.device})
        else:
            tokenizer = train_tokenizer(self._examples, self._folder / "t5", "</s>", ends_itself=True)
            config = T5Config(**self._size["unieval"], decoder_start_token_id=0)
            model = self._random(T5ForConditionalGeneration, config, "float32")
        return tokenizer, model, twin(model)

    @cached_property
    def embedder_path(self) -> str:
        if self._options.embedder:
            return str(self._options.embedder)
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

        backbone = self._folder / "backbone"
        train_tokenizer(self._examples, backbone, "<|endoftext|>")
        config = BertConfig(**self._size["embedder"], max_position_embeddings=256)
        torch.manual_seed(0)
        BertModel(config).save_pretrained(backbone)
        modules = [Transformer(str(backbone), max_seq_length=256), Pooling(config.hidden_size), Normalize()]
        SentenceTransformer(modules=modules, device="cpu").save(str(self._folder / "embedder"))
        return str(self._folder / "embedder")

    def _random(self, kind: Any, config: Any, precision: str) -> Any:
        torch.manual_seed(0)
        with torch.device(self._options.device):
            return kind._from_config(config, dtype=PRECISIONS[precision]).eval()

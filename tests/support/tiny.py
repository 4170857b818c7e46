"""Tiny models of the real classes, random but seeded, saved as plain folders and loaded through the normal path."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    GPTNeoXModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

SENTENCES = [
    "Below is an instruction that describes a task. Write a response that completes the request.",
    "question: Is this a natural response in the dialogue? Yes or No",
    "What is the capital of France? The capital of France is Paris.",
    "Explain why the sky is blue to a child of six, in three short sentences.",
    "Die Größe der Stadt beträgt 1.234 Einwohner; naïve café, 東京, emoji 🙂.",
    "def add(a, b):\n    return a + b\n",
]
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message.role == 'assistant' %}<|assistant|>{% else %}<|prompter|>{% endif %}"
    "{{ message.content }}<|endoftext|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def tiny_tokenizer(folder: Path, vocabulary: int = 600, end: str = "<|endoftext|>", ends_itself: bool = False) -> Any:
    """A byte-level BPE tokenizer (about 600 tokens, every text round-trips), saved to ``folder``.

    ``ends_itself``: append the end token to every text, as T5's tokenizer does.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", end, "<|prompter|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(SENTENCES * 4, trainer)
    if ends_itself:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {end}", special_tokens=[(end, tokenizer.token_to_id(end))]
        )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token=end, bos_token=end)
    fast.add_special_tokens({"additional_special_tokens": special[2:]})
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    return fast


def _llama_config(tokenizer: Any, **more: Any) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **more,
    )


def tiny_llama(path: Path, seed: int = 0) -> Path:
    """A causal language model: 2 layers, hidden 64."""
    torch.manual_seed(seed)
    LlamaForCausalLM(_llama_config(tiny_tokenizer(path))).save_pretrained(path)
    return path


def tiny_classifier(path: Path, labels: int = 1, seed: int = 0) -> Path:
    """A stock reward model: LlamaForSequenceClassification with ``labels`` outputs and a chat template."""
    torch.manual_seed(seed)
    LlamaForSequenceClassification(_llama_config(tiny_tokenizer(path), num_labels=labels)).save_pretrained(path)
    return path


def tiny_gpt_neox_reward(path: Path, without: tuple[str, ...] = (), seed: int = 0) -> Path:
    """An Open-Assistant reward checkpoint with its own key names, config keys and old buffers.

    ``without``: weights to leave out, for the tests that want the loader to notice.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(path)
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "max_position_embeddings": 2048,
        "initializer_range": 0.2,
        "rotary_pct": 0.25,
        "rotary_emb_base": 10000,
    }
    backbone = GPTNeoXModel(GPTNeoXConfig(**settings))
    weights = {f"gpt_neox.{name}": value for name, value in backbone.state_dict().items()}
    weights |= {"out_proj.weight": torch.randn(1, 64), "out_proj.bias": torch.tensor([0.5])}
    for layer in range(2):
        weights[f"gpt_neox.layers.{layer}.attention.masked_bias"] = torch.tensor(-1e9)
        weights[f"gpt_neox.layers.{layer}.attention.bias"] = torch.ones(1, 1, 8, 8, dtype=torch.bool)
        weights[f"gpt_neox.layers.{layer}.attention.rotary_emb.inv_freq"] = torch.ones(2)
    kept = {name: value.contiguous() for name, value in weights.items() if name not in without}
    save_file(kept, path / "model.safetensors", metadata={"format": "pt"})
    settings |= {
        "model_type": "gpt_neox_reward_model",
        "architectures": ["GPTNeoXRewardModel"],
        "pooling": "last",
    }
    (path / "config.json").write_text(json.dumps(settings))
    return path


def tiny_t5(path: Path, seed: int = 0) -> Path:
    """An encoder-decoder of UniEval's class, output matrix tied to the embeddings (so logits are scaled)."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(path, end="</s>", ends_itself=True)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=64,
        d_kv=16,
        d_ff=128,
        num_layers=2,
        num_heads=4,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        initializer_factor=1.0,
    )
    T5ForConditionalGeneration(config).save_pretrained(path)
    return path


def tiny_sentence_transformer(path: Path, seed: int = 0) -> Path:
    """A sentence embedder: BERT of 2 layers, mean pooling, unit norm, at most 64 tokens."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    torch.manual_seed(seed)
    backbone = path / "backbone"
    tokenizer = tiny_tokenizer(backbone)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertModel(config).save_pretrained(backbone)
    transformer = Transformer(str(backbone), max_seq_length=64)
    SentenceTransformer(modules=[transformer, Pooling(32), Normalize()], device="cpu").save(str(path / "model"))
    return path / "model"


def tiny_gpt_neox_lm(path: Path, seed: int = 0) -> Path:
    """A causal language model of another family: 2 layers, hidden 64."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer(path)
    config = GPTNeoXConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=4096,
        initializer_range=0.2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    GPTNeoXForCausalLM(config).save_pretrained(path)
    return path

"""Tiny but real tokenizers of the families in use, trained on a few sentences, built as its models' own file is."""

import json
from collections.abc import Callable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from instructmining.models.prompts import TEMPLATES
from tiny import SENTENCES

TEXTS = [
    *SENTENCES,
    *(without for without, _ in TEMPLATES.values()),
    "### Input:\nquestion: Is this a coherent response given the dialogue history?\nanswer: Yes\nanswer: No\n",
    "# list\n\n  - one,\n  - two:\n\n\n    x = [1, 22, 333]\n \n\tNo. Yes. (no)  (yes)",
    "東京タワー。 ﬁn ① Å e\u0301 ½ 🙂👩‍👩‍👧 <s> </s> don't I'll",
] * 4
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
# Llama 3's own pattern: a mark takes the line ends behind it, three digits make a word
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
CHAT = (
    "{{ bos_token or '' }}{% for m in messages %}<|user|>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TURNS = ["<|user|>", "<|assistant|>"]


def _train(tokenizer: Tokenizer, trainer: trainers.Trainer) -> dict:
    tokenizer.train_from_iterator(TEXTS, trainer)
    return json.loads(tokenizer.to_str())


def _framed(tokenizer: Tokenizer, form: str) -> processors.PostProcessor:
    names = [name for name in form.split() if name != "$A"]
    return processors.TemplateProcessing(form, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names])


def _byte_level(splitter: pre_tokenizers.PreTokenizer, special: list[str], merges_run: bool = True) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=not merges_run))
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    _train(tokenizer, trainers.BpeTrainer(vocab_size=560, special_tokens=special, initial_alphabet=alphabet))
    return tokenizer


def gpt_neox() -> tuple[Tokenizer, dict[str, str]]:
    """GPT-2, GPT-NeoX, SmolLM2: byte-level BPE, no beginning; NFC, offsets trimmed as in Pythia's files."""
    tokenizer = _byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=True)
    return tokenizer, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}


def llama_3() -> tuple[Tokenizer, dict[str, str]]:
    """Llama 3: byte-level BPE behind a pattern of its own, beginning token."""
    split = pre_tokenizers.Split(Regex(LLAMA_3), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    special = ["<|begin_of_text|>", "<|end_of_text|>"]
    tokenizer = _byte_level(pre_tokenizers.Sequence([split, byte_level]), special, merges_run=False)
    trim = processors.ByteLevel(trim_offsets=False)
    tokenizer.post_processor = processors.Sequence([trim, _framed(tokenizer, "<|begin_of_text|> $A")])
    return tokenizer, {"bos_token": special[0], "eos_token": special[1]}


def _sentencepiece_bpe(prefix: str) -> Tokenizer:
    """SentencePiece BPE with byte fallback, without normaliser and splitter; the bytes are words, not added tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace("\n", " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    alphabet = sorted({character for text in SENTENCES for character in text if character.isascii()} - {"\n"})
    trainer = trainers.BpeTrainer(
        vocab_size=260, special_tokens=["<unk>", prefix, "</s>"], initial_alphabet=alphabet, limit_alphabet=90
    )
    state = _train(tokenizer, trainer)
    vocabulary = state["model"]["vocab"]
    vocabulary |= {name: len(vocabulary) + place for place, name in enumerate(BYTES)}
    state["model"] |= {"vocab": vocabulary, "byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}
    state |= {"normalizer": None, "pre_tokenizer": None}
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = _framed(tokenizer, f"{prefix} $A")
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)])
    return tokenizer


def llama_2() -> tuple[Tokenizer, dict[str, str]]:
    """Llama 1 and 2, Mistral, Vicuna: SentencePiece BPE, a blank put before every stretch between added tokens."""
    tokenizer = _sentencepiece_bpe("<s>")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def mistral() -> tuple[Tokenizer, dict[str, str]]:
    """The newer form of the same: a blank before the text only."""
    tokenizer = _sentencepiece_bpe("<s>")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def metaspace() -> tuple[Tokenizer, dict[str, str]]:
    """The newer form with a blank before every stretch, and words split."""
    tokenizer = _sentencepiece_bpe("<s>")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def gemma() -> tuple[Tokenizer, dict[str, str]]:
    """Gemma: SentencePiece BPE, no blank of its own."""
    tokenizer = _sentencepiece_bpe("<bos>")
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    return tokenizer, {"bos_token": "<bos>", "eos_token": "</s>", "unk_token": "<unk>"}


def _unigram(normalizer: normalizers.Normalizer, special: list[str], form: str) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    _train(tokenizer, trainers.UnigramTrainer(vocab_size=260, special_tokens=special, unk_token="<unk>"))
    tokenizer.post_processor = _framed(tokenizer, form)
    return tokenizer


def t5() -> tuple[Tokenizer, dict[str, str]]:
    """T5: SentencePiece Unigram, NFKC, runs of blanks made one, end token; no bytes: what it lacks is unknown."""
    blanks = normalizers.Replace(Regex(" {2,}"), " ")
    normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), blanks])
    return _unigram(normalizer, ["<unk>", "</s>"], "$A </s>"), {"eos_token": "</s>", "unk_token": "<unk>"}


def xlnet() -> tuple[Tokenizer, dict[str, str]]:
    """XLNet: SentencePiece Unigram, accents dropped, blanks at the ends stripped, two tokens at the end."""
    steps = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    steps += [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Strip()]
    tokenizer = _unigram(normalizers.Sequence(steps), ["<unk>", "<s>", "</s>", "<sep>", "<cls>"], "$A <sep> <cls>")
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def bert() -> tuple[Tokenizer, dict[str, str]]:
    """BERT: WordPiece, lower case, blanks lost; a token at both ends."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[UNK]", "[CLS]", "[SEP]"]
    _train(tokenizer, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    tokenizer.post_processor = _framed(tokenizer, "[CLS] $A [SEP]")
    return tokenizer, {"cls_token": "[CLS]", "sep_token": "[SEP]", "eos_token": "[SEP]", "unk_token": "[UNK]"}


FAMILIES: dict[str, Callable[[], tuple[Tokenizer, dict[str, str]]]] = {
    family.__name__: family for family in (gpt_neox, llama_3, llama_2, mistral, metaspace, gemma, t5, xlnet, bert)
}


def save_family(name: str, folder: Path) -> Path:
    """The tokenizer of that family as a plain folder, with a chat template of special tokens."""
    tokenizer, named = FAMILIES[name]()
    tokenizer.add_special_tokens([AddedToken(turn, special=True, normalized=False) for turn in TURNS])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)
    fast.chat_template = CHAT
    fast.save_pretrained(folder)
    return folder

"""Token ids are made once per tokenizer and texts, whoever asks; what they depend on tells them apart."""

import hashlib

import polars as pl
import pytest
from transformers import AutoTokenizer

from instructmining.models.token_cache import encoded_parts
from instructmining.scorers import causal, expected_score, reward, unieval
from scoring import scored
from tiny import SENTENCES, tiny_classifier, tiny_gpt_neox_lm, tiny_llama, tiny_t5, tiny_tokenizer

EXAMPLES = pl.DataFrame(
    {"id": [f"{i:020x}" for i in range(6)], "instruction": SENTENCES, "input": [""] * 6, "output": SENTENCES[::-1]}
)
COMMON = {
    **{"revision": "main", "precision": "float32", "device": "cpu", "max_length": 1024, "batch_tokens": 500},
    **{"template": "alpaca", "max_prompt_length": None, "prompt": "deita_quality", "scores": [1, 2]},
}


def test_made_once_for_the_same_texts_tokenizer_and_settings(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path / "tokenizer")
    made = []

    def encode(examples):
        made.append(examples.height)
        return [tokenizer(text).input_ids for text in examples["output"]]

    def run(parts, *settings):
        found = list(encoded_parts(parts, encode, str(tmp_path / "cache"), tokenizer, "reward", *settings))
        return [row for _, rows in found for row in rows]

    first = run([EXAMPLES[:4], EXAMPLES[4:]], "a", 10)
    assert made == [4, 2]
    assert run([EXAMPLES[:4], EXAMPLES[4:]], "a", 10) == first and made == [4, 2]
    run([EXAMPLES[:4]], "a", 11)  # another setting
    run([EXAMPLES[1:5]], "a", 10)  # other rows
    assert made == [4, 2, 4, 4]
    tokenizer.add_tokens(["capital"])
    assert run([EXAMPLES[:4], EXAMPLES[4:]], "a", 10) != first  # another tokenizer
    assert made == [4, 2, 4, 4, 4, 2]


@pytest.mark.parametrize(
    ("scorer", "outputs", "make"),
    [
        (causal, ["perplexity", "ifd"], tiny_llama),
        (reward, ["reward"], tiny_classifier),
        (unieval, ["naturalness", "coherence"], tiny_t5),
        (expected_score, ["score"], tiny_llama),
    ],
)
def test_a_scorer_finds_its_ids_again(tmp_path, monkeypatch, scorer, outputs, make):
    settings = {**COMMON, "model_path": str(make(tmp_path / "model")), "outputs": dict.fromkeys(outputs, "x")}
    plain = scored(scorer, EXAMPLES, settings)
    settings["token_cache"] = str(tmp_path / "cache")
    assert scored(scorer, EXAMPLES, settings).equals(plain)
    [file] = (tmp_path / "cache").iterdir()
    written = file.stat().st_mtime_ns
    assert scored(scorer, EXAMPLES, settings).equals(plain)
    assert [file.stat().st_mtime_ns for file in (tmp_path / "cache").iterdir()] == [written]


def test_a_file_that_is_not_what_was_written_is_made_again(tmp_path):
    """Cut off anywhere, or with a bit turned: found out before anything is unpickled."""
    tokenizer = tiny_tokenizer(tmp_path / "tokenizer")

    def run():
        return [
            rows for _, rows in encoded_parts([EXAMPLES], lambda e: [[1, 2]] * e.height, cache, tokenizer, "reward")
        ]

    cache = str(tmp_path / "cache")
    first = run()
    [file] = (tmp_path / "cache").iterdir()
    whole = file.read_bytes()
    cut = [whole[:length] for length in range(len(whole))]
    turned = [whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :] for at in range(0, len(whole), 7)]
    for broken in (*cut, *turned, bytes(len(whole))):
        file.write_bytes(broken)
        assert run() == first and file.read_bytes() == whole
    # a class that has another module since: a study is continued with a later version of this package
    body = b"cinstructmining.prompts\nEncoded\n."
    file.write_bytes(hashlib.sha256(body).digest() + body)
    assert run() == first and file.read_bytes() == whole


def test_the_same_file_with_other_special_tokens_is_another_tokenizer(tmp_path):
    tokenizer = tiny_tokenizer(tmp_path / "tokenizer")
    made = []
    for end in ("<|endoftext|>", "<pad>"):
        tokenizer.eos_token = end
        list(encoded_parts([EXAMPLES], lambda e: made.append(1), str(tmp_path / "cache"), tokenizer, "reward"))
    assert len(made) == 2


def test_two_models_of_one_tokenizer_share_their_ids(tmp_path):
    folders = [str(tiny_llama(tmp_path / "one")), str(tiny_gpt_neox_lm(tmp_path / "two"))]
    assert len({AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str() for folder in folders}) == 1
    for folder in folders:
        outputs = {"perplexity": "perplexity"}
        scored(
            causal, EXAMPLES, {**COMMON, "model_path": folder, "outputs": outputs, "token_cache": str(tmp_path / "c")}
        )
    assert len(list((tmp_path / "c").iterdir())) == 1

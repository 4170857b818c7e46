"""Tokens of a response and of its prompt."""

from instructmining.scorers import lengths
from scoring import answered, scored
from tiny import tiny_llama


def test_lengths_are_tokens_without_special_ones(tmp_path):
    from transformers import AutoTokenizer

    settings = {"model_path": str(tiny_llama(tmp_path / "model")), "revision": "main"}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    texts = ["", "Paris.", "Die Größe der Stadt 🙂" * 30]
    found = scored(lengths, answered(texts, "What is it?", "東京"), settings)
    assert found["output_length"].to_list() == [len(tokenizer.tokenize(text)) for text in texts]
    assert set(found["input_length"]) == {float(len(tokenizer.tokenize("What is it?\n東京")))}
    assert not found["truncated"].any() and found["reason"].null_count() == 3


def test_no_rows(tmp_path):
    settings = {"model_path": str(tiny_llama(tmp_path / "model")), "revision": "main"}
    assert scored(lengths, answered([]), settings).height == 0

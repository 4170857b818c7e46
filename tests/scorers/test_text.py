"""Scorers without a model's weights: lengths and MTLD."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.scorers import lengths, mtld
from scoring import scored
from tiny import tiny_llama

ALPACA = Path(__file__).parents[2] / "../shared/data/alpaca_9k.json"


def examples(outputs, instruction="Say it.", given=""):
    rows = [{"id": str(i), "instruction": instruction, "input": given, "output": o} for i, o in enumerate(outputs)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("id", "instruction", "input", "output"), pl.String))


def reference(text):
    found = pytest.importorskip("lexicalrichness").LexicalRichness(text)
    return found.mtld(0.72) if found.words else None


@pytest.mark.skipif(not ALPACA.exists(), reason="no shared data")
def test_mtld_equals_lexicalrichness_on_real_responses():
    texts = [row["output"] for row in json.loads(ALPACA.read_text())[:2500]]
    assert scored(mtld, examples(texts), {})["mtld"].to_list() == [reference(text) for text in texts]


@given(st.one_of(st.text(), st.lists(st.sampled_from(["a", "b", "d-e", "4", "\u2013"]), max_size=80).map(" ".join)))
def test_mtld_equals_lexicalrichness(text):
    assert mtld.mtld(mtld.words(text)) == reference(text)


def test_mtld_by_hand():
    # forward: "a b a" is a factor (ratio 2/3), c adds none; backward: ratio 3/4 at the end, a factor of 0.25 / 0.28
    assert mtld.mtld(["a", "b", "a", "c"]) == pytest.approx((4 / 1 + 4 / (0.25 / 0.28)) / 2)
    assert mtld.mtld(["a", "b", "c"]) == 3.0
    assert mtld.mtld(["a", "a", "a", "a"]) == 2.0
    assert mtld.mtld([]) is None


def test_response_without_words_is_null_with_a_reason():
    found = scored(mtld, examples(["123 - !", "a word"]), {})
    assert found["mtld"].to_list() == [None, 2.0]
    assert found["reason"].to_list() == ["no word in the response", None]
    assert found.schema["truncated"] == pl.Boolean


def test_lengths_are_tokens_without_special_ones(tmp_path):
    from transformers import AutoTokenizer

    settings = {"model_path": str(tiny_llama(tmp_path / "model")), "revision": "main"}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    texts = ["", "Paris.", "Die Größe der Stadt 🙂" * 30]
    found = scored(lengths, examples(texts, "What is it?", "東京"), settings)
    assert found["output_length"].to_list() == [len(tokenizer.tokenize(text)) for text in texts]
    assert set(found["input_length"]) == {float(len(tokenizer.tokenize("What is it?\n東京")))}
    assert not found["truncated"].any() and found["reason"].null_count() == 3


@pytest.mark.parametrize("scorer", [lengths, mtld])
def test_no_rows(scorer, tmp_path):
    settings = {"model_path": str(tiny_llama(tmp_path / "model")), "revision": "main"}
    assert scored(scorer, examples([]), settings).height == 0

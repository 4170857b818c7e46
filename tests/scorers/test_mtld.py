"""Lexical diversity, as the published program computes it."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.scorers import mtld
from scoring import answered, scored

ALPACA = Path(__file__).parents[2] / "../shared/data/alpaca_9k.json"


def reference(text):
    found = pytest.importorskip("lexicalrichness").LexicalRichness(text)
    return found.mtld(0.72) if found.words else None


@pytest.mark.skipif(not ALPACA.exists(), reason="no shared data")
def test_mtld_equals_lexicalrichness_on_real_responses():
    texts = [row["output"] for row in json.loads(ALPACA.read_text())[:2500]]
    assert scored(mtld, answered(texts), {})["mtld"].to_list() == [reference(text) for text in texts]


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
    found = scored(mtld, answered(["123 - !", "a word"]), {})
    assert found["mtld"].to_list() == [None, 2.0]
    assert found["reason"].to_list() == ["no word in the response", None]
    assert found.schema["truncated"] == pl.Boolean


def test_no_rows():
    assert scored(mtld, answered([]), {}).height == 0

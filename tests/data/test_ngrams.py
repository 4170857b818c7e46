import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.data import ngrams
from instructmining.data.ngrams import Index, words

few = st.lists(st.sampled_from(["a", "B", "c.", "—", "d"]), max_size=12).map(" ".join)


def plain(one, other, n):
    """The first n-gram of ``one`` that ``other`` has as well."""
    grams = [" ".join(own[i : i + n]) for own in (words(one), words(other)) for i in range(len(own) - n + 1)]
    count = max(0, len(words(one)) - n + 1)
    return next((gram for gram in grams[:count] if gram in grams[count:]), None)


def test_words_are_those_of_the_harness():
    """By hand, from lm_eval/decontamination/janitor.py: its normalize_string, then split."""
    text = "Don't   STOP, the \n'13-gram' [filter]!  x_y $5.00 -- end"
    assert words(text) == ["dont", "stop", "the", "13gram", "filter", "xy", "500", "end"]
    assert words("“Don\u2019t” — naïve… Ärger 東京。") == ["dont", "naïve", "ärger", "東京"]
    assert words(" ?! ") == []


@settings(max_examples=200, deadline=None)
@given(indexed=st.lists(few, max_size=6), texts=st.lists(few, max_size=8), n=st.integers(1, 4))
def test_shared_is_the_plain_comparison_of_all_pairs(indexed, texts, n):
    expected = {
        (row, number): gram
        for row, text in enumerate(texts)
        for number, other in enumerate(indexed)
        if (gram := plain(text, other, n))
    }
    assert Index(indexed, n).shared(texts) == expected


def test_a_gram_never_spans_two_texts(monkeypatch):
    monkeypatch.setattr(ngrams, "_TEXTS_AT_ONCE", 2)
    index = Index(["a b c d"], 3)
    assert index.shared(["x a b", "c d y", "a", "b c", "d b c d"]) == {(4, 0): "b c d"}


def test_a_collision_of_hashes_is_no_match(monkeypatch):
    monkeypatch.setattr(ngrams, "_hashes", lambda own: ngrams.np.zeros(len(own), ngrams.np.uint64))
    assert Index(["a b c", "d e f"], 2).shared(["x y", "f a b z", "e f"]) == {(1, 0): "a b", (2, 1): "e f"}


def test_results_do_not_depend_on_the_seed_of_hash():
    texts = "['a b c', 'b c d'], 2).shared(['z b c', 'c d', 'q'])"
    code = f"from instructmining.data.ngrams import Index; print(Index({texts})"
    source = str(Path(__file__).parents[2] / "src")
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": source},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert found == {b"{(0, 0): 'b c', (0, 1): 'b c', (1, 1): 'c d'}\n"}


def test_no_words_no_grams():
    assert Index([], 13).shared(["a " * 20]) == {}
    assert Index(["a " * 12], 13).shared(["a " * 20]) == {}
    with pytest.raises(ValueError, match="n-grams of 0 words"):
        Index(["a"], 0)

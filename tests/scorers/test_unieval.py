"""UniEval: the questions, the score against a plain computation, and the authors' worked example."""

import os
from functools import cache

import polars as pl
import pytest
import torch
from transformers import AutoTokenizer, T5ForConditionalGeneration

from instructmining.jobs.errors import InputError
from instructmining.models.batching import Budget
from instructmining.scorers import outputs_of, unieval
from scoring import scored
from tiny import SENTENCES, tiny_t5

SETTINGS = {"revision": "main", "precision": "float32", "device": "cpu", "max_length": 1024, "batch_tokens": 400}
ALL = {name: name for name in unieval.QUESTIONS}
ROWS = [(SENTENCES[i], SENTENCES[-i] * (i + 1)) for i in range(len(SENTENCES))]


def examples(rows):
    columns = ("id", "instruction", "input", "output")
    return pl.DataFrame(
        [(str(i), prompt, "", response) for i, (prompt, response) in enumerate(rows)], schema=columns, orient="row"
    ).cast(pl.String)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    return str(tiny_t5(tmp_path_factory.mktemp("t5")))


@cache
def loaded(path):
    return AutoTokenizer.from_pretrained(path), T5ForConditionalGeneration.from_pretrained(
        path, dtype=torch.float64
    ).eval()


def authors_score(path, text, max_length=1024):
    """As in UniEval's metric/scorer.py: full softmax, one text at a time, here in float64."""
    tokenizer, model = loaded(path)
    source = tokenizer([text], max_length=max_length, truncation=True, return_tensors="pt")
    target = tokenizer(["No"], return_tensors="pt").input_ids[:, :1]
    with torch.no_grad():
        logits = model(input_ids=source.input_ids, attention_mask=source.attention_mask, labels=target).logits[0, 0]
    yes, no = (logits.softmax(0)[tokenizer(word).input_ids[0]] for word in ("Yes", "No"))
    return float(yes / (yes + no))


def test_questions_verbatim():
    assert set(unieval.QUESTIONS) == set(outputs_of("unieval"))
    assert unieval.question("coherence", "{b}", "a\n\n") == (
        "question: Is this a coherent response given the dialogue history? </s> response: {b} "
        "</s> dialogue history: a\n\n"
    )
    assert unieval.question("engagingness", "b", "a", "c") == (
        "question: Is this an engaging and informative response according to the dialogue history and fact? "
        "</s> response: b </s> dialogue history: a </s> fact: c"
    )
    assert unieval.question("groundedness", "b", "a") == (
        "question: Is this response consistent with knowledge in the fact? </s> response: b </s> fact: "
    )


def halves(text):
    """A splitter that needs no data."""
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def test_score_equals_the_authors_computation(model_path, monkeypatch):
    """Engagingness is summed over sentences, as in metric/evaluator.py; the others are asked once."""
    monkeypatch.setattr(unieval, "sentences", halves)
    found = scored(unieval, examples(ROWS), {**SETTINGS, "model_path": model_path, "outputs": ALL})
    for name in ALL:
        split = halves if name == "engagingness" else lambda text: [text]
        plain = [
            sum(authors_score(model_path, unieval.question(name, part, prompt + "\n\n")) for part in split(response))
            for prompt, response in ROWS
        ]
        assert found[name].to_list() == pytest.approx(plain, abs=1e-5)
        assert max(plain) - min(plain) > 1e-3  # the model can tell them apart, so the test can fail
    assert not found["truncated"].any() and found["reason"].null_count() == len(ROWS)


def test_sentences_need_data_that_the_error_names(monkeypatch):
    import nltk

    monkeypatch.setattr(nltk.data, "path", [])
    nltk.tokenize._get_punkt_tokenizer.cache_clear()
    with pytest.raises(InputError, match=r"engagingness is asked of each sentence: expected NLTK's punkt_tab"):
        unieval.sentences("One. Two.")


def test_sentences_are_nltk_s():
    try:
        found = unieval.sentences("Dr. Smith came at 5 p.m. on Monday. He left.")
    except InputError:
        pytest.skip("NLTK's punkt_tab data are not installed")
    assert found == ["Dr. Smith came at 5 p.m. on Monday.", "He left."]


def test_order_and_batches_change_nothing(model_path):
    settings = {**SETTINGS, "model_path": model_path, "outputs": {"coherence": "coherence"}}
    found = scored(unieval, examples(ROWS), settings)["coherence"].to_list()
    alone = scored(unieval, examples(ROWS), {**settings, "batch_tokens": 1})["coherence"].to_list()
    turned = scored(unieval, examples(ROWS[::-1]), settings)["coherence"].to_list()
    assert found == pytest.approx(alone, abs=1e-5) and found == pytest.approx(turned[::-1], abs=1e-5)


def test_long_texts_lose_their_right_end(model_path):
    rows = [("Hi", "word " * 100), ("Hi", "word")]
    settings = {**SETTINGS, "model_path": model_path, "max_length": 64, "outputs": {"naturalness": "naturalness"}}
    found = scored(unieval, examples(rows), settings)
    assert found["truncated"].to_list() == [True, False]
    plain = authors_score(model_path, unieval.question("naturalness", "word " * 100, ""), max_length=64)
    assert found["naturalness"][0] == pytest.approx(plain, abs=1e-5)


def test_separators_become_the_end_token(model_path):
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    ids = tokenizer(unieval.question("coherence", "b", "a\n\n")).input_ids
    assert ids.count(tokenizer.eos_token_id) == 3 and ids[-1] == tokenizer.eos_token_id


def test_other_precision_and_no_rows(model_path):
    settings = {**SETTINGS, "model_path": model_path, "outputs": ALL}
    assert scored(unieval, examples([]), settings).height == 0
    with pytest.raises(InputError, match="precision is bfloat16: T5 needs float32"):
        scored(unieval, examples(ROWS), {**settings, "precision": "bfloat16"})


@pytest.mark.skipif("INSTRUCTMINING_UNIEVAL" not in os.environ, reason="INSTRUCTMINING_UNIEVAL names no checkpoint")
def test_worked_example_of_the_authors():
    history = (
        "hi , do you know much about the internet ? \n i know a lot about different sites and some website design , "
        "how about you ? \n\n"
    )
    response = (
        "i do too . did you know the 3 horizontal line menu on apps and websites is called the hamburger button ?"
    )
    texts = [unieval.question(name, response, history) for name in ("naturalness", "coherence", "understandability")]
    tokenizer, model = unieval.load_model({**SETTINGS, "model_path": os.environ["INSTRUCTMINING_UNIEVAL"]})
    ids, _ = unieval.question_ids(tokenizer, texts, 1024)
    values = unieval.judge(tokenizer, model)(ids, Budget(4096))
    assert values == pytest.approx([0.950218, 0.973135, 0.946209], abs=1e-4)

import math

import numpy as np
import polars as pl
import pytest
import torch

from evaluating import job
from instructmining.evaluations.loss import evaluate
from instructmining.jobs.errors import InputError
from instructmining.models.attention import budget
from instructmining.models.likelihood import read_responses
from instructmining.models.loading import load_causal_lm, load_tokenizer
from instructmining.models.preference_head import response_features
from instructmining.models.prompts import Encoded, encode
from instructmining.scorers import causal
from scoring import scored
from tiny import SENTENCES, tiny_llama


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="module")
def examples():
    rows = [
        {"id": str(i), "instruction": s, "input": "", "output": (s + " ") * (i % 3 + 1)}
        for i, s in enumerate(SENTENCES)
    ]
    return pl.DataFrame(rows)


SETTINGS = {
    "revision": "main",
    "precision": "float32",
    "device": "cpu",
    "template": "alpaca",
    "max_length": 2048,
    "max_prompt_length": None,
    "batch_tokens": 400,
    "min_share_used": 0.9,
}


def plain(folder, text_ids):
    """Log-probabilities of a plain, unbatched forward pass in float64."""
    model = load_causal_lm(folder).double()
    with torch.no_grad():
        output = model(torch.tensor([text_ids]), output_hidden_states=True, use_cache=False)
    return torch.log_softmax(output.logits[0], -1), [state[0] for state in output.hidden_states]


def test_nll_is_that_of_a_plain_float64_pass_whatever_the_batch(folder, examples):
    tokenizer, model = load_tokenizer(folder), load_causal_lm(folder)
    encoded = encode(examples, tokenizer, "alpaca", 2048, end=False)
    readings = read_responses(model, encoded, budget(model, 500))
    shuffled = read_responses(model, encoded[::-1], budget(model, 10_000))[::-1]
    for example, reading, other in zip(encoded, readings, shuffled, strict=True):
        logs, _ = plain(folder, example.ids)
        expected = -sum(float(logs[i - 1, example.ids[i]]) for i in range(example.start, len(example.ids)))
        assert reading.tokens == len(example.ids) - example.start
        assert reading.nll == pytest.approx(expected, rel=1e-5)
        assert other.nll == pytest.approx(expected, rel=1e-5)


def test_questions_are_answered_as_if_each_were_asked_alone(folder, examples):
    tokenizer, model = load_tokenizer(folder), load_causal_lm(folder)
    encoded = encode(examples, tokenizer, "alpaca", 2048, end=False)
    judged = [causal.question_and_answers(tokenizer, name) for name in causal.QUESTIONS]
    questions, (yes, no) = [question for question, _ in judged], judged[0][1]
    alone = read_responses(model, encoded, budget(model, 10_000))
    readings = read_responses(model, encoded, budget(model, 700), questions, (yes, no), layer=1)
    for example, reading, without in zip(encoded, readings, alone, strict=True):
        assert reading.nll == pytest.approx(without.nll, rel=1e-5)
        for question, answer in zip(questions, reading.answers, strict=True):
            logs, _ = plain(folder, [*example.ids, *question])
            assert answer == pytest.approx(float(logs[-1, yes] - logs[-1, no]), abs=1e-4)
        _, states = plain(folder, example.ids)
        expected = states[1][example.start :].mean(0)
        np.testing.assert_allclose(reading.features.double(), expected, atol=1e-5)


def test_a_first_token_without_anything_before_it_is_not_counted(folder):
    model = load_causal_lm(folder)
    ids = [70, 71, 72]
    [whole, one] = read_responses(model, [Encoded(ids, 0, False), Encoded([70], 0, False)], budget(model, 100))
    logs, _ = plain(folder, ids)
    assert whole.tokens == 2 and one is None
    assert whole.nll == pytest.approx(-float(logs[0, 71] + logs[1, 72]), rel=1e-5)


def test_a_row_without_response_is_null_with_a_reason(folder, examples):
    settings = {**SETTINGS, "model_path": folder, "max_length": 30, "outputs": {"perplexity": "ppl", "coherence": "c"}}
    found = scored(causal, examples, settings)
    assert found.columns == ["id", "perplexity", "coherence", "truncated", "reason"]
    assert found["perplexity"].null_count() == found.height
    assert set(found["reason"]) == {"no response token within max_length"}
    assert all(found["truncated"])


def test_perplexity_and_loss_agree(folder, examples, tmp_path):
    found = scored(causal, examples, {**SETTINGS, "model_path": folder, "outputs": {"perplexity": "perplexity"}})
    figures, items = evaluate(job(tmp_path, examples, model=folder), SETTINGS)
    assert items["value"].to_list() == pytest.approx([math.log(value) for value in found["perplexity"]], rel=1e-6)
    assert figures["value"] == pytest.approx(items["nll"].sum() / items["tokens"].sum())
    assert figures["n_used"] == figures["n_expected"] == examples.height


def test_an_evaluation_that_loses_items_fails(folder, examples, tmp_path):
    with pytest.raises(InputError, match=r"0 of 6 items .* asks for 90%"):
        evaluate(job(tmp_path, examples, model=folder), {**SETTINGS, "max_length": 30})


def test_response_features_give_none_for_an_empty_response(folder, examples):
    settings = {**SETTINGS, "model_path": folder, "max_length": 30}
    assert response_features(examples, settings, layer=1) == [None] * examples.height

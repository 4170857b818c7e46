"""Where a row ends, and what is drawn."""

import pytest
import torch
from transformers import AutoTokenizer

from generating import EXAMPLES, SETTINGS
from instructmining.models import decoding
from instructmining.models.decoding import Manner, ended
from instructmining.models.generation import generate
from tiny import tiny_llama


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("model")))


def test_samples_have_the_models_distribution():
    draws = 1 - torch.rand(20_000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shares = torch.tensor([0.1, 0.0, 0.4, 0.2, 0.3])
    for top_p, expected in {1.0: shares, 0.6: torch.tensor([0, 0, 4 / 7, 0, 3 / 7])}.items():
        pick = decoding._Sampled(draws, 0, Manner(1, frozenset(), temperature=2.0, top_p=top_p))
        chosen = pick(torch.zeros(20_000, 0), 2 * shares.log().expand(20_000, -1)).argmax(dim=1)
        assert torch.allclose(chosen.bincount(minlength=5) / 20_000, expected, atol=0.01)
        assert set(chosen.tolist()) == set(expected.nonzero().flatten().tolist())


def test_stop_texts_end_the_work(folder, tmp_path, monkeypatch):
    steps = []
    original = decoding._StopTexts.__call__
    monkeypatch.setattr(
        decoding._StopTexts, "__call__", lambda *given, **more: steps.append(1) or original(*given, **more)
    )
    letters = [chr(place) for place in range(33, 127)]
    found = generate(folder, EXAMPLES, {**SETTINGS, "max_new_tokens": 120, "stop": letters}, tmp_path / "done.jsonl")
    assert found["finish"].unique().to_list() == ["stop"] and found["tokens"].max() < 16
    assert found["response"].str.contains(r"[!-~]").sum() == 0
    assert len(steps) < 120


def test_the_token_that_completes_the_first_stop_text_counts(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("The capital of France is Paris, not Lyon").input_ids
    full = Manner(len(ids), frozenset([tokenizer.eos_token_id]))
    assert ended(ids, tokenizer, full) == ("The capital of France is Paris, not Lyon", len(ids), "length")
    assert ended(ids[:-1], tokenizer, full) is None
    assert ended([*ids, tokenizer.eos_token_id, *ids], tokenizer, full).tokens == len(ids) + 1
    stops = Manner(99, full.ends, ("Paris, not Lyon", "France"))
    text, tokens, finish = ended(ids, tokenizer, stops)
    assert (text, finish) == ("The capital of ", "stop")
    assert "France" in tokenizer.decode(ids[:tokens]) and "France" not in tokenizer.decode(ids[: tokens - 1])
    assert ended([*ids[:2], tokenizer.eos_token_id, *ids], tokenizer, stops).tokens == 3

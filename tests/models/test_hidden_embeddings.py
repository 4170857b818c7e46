"""Embeddings by a causal model: what it gives each text alone, pooled."""

import numpy as np
import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instructmining.jobs.errors import InputError
from instructmining.models import hidden_embeddings
from instructmining.models import loading as models
from instructmining.models.prompts import encode
from scoring import scored
from tiny import SENTENCES, tiny_llama

SETTINGS = {
    **{"model": "tiny", "revision": "main", "device": "cpu", "precision": "float32", "batch_tokens": 128},
    **{"template": "alpaca_short", "max_length": 60, "max_prompt_length": None},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("llama")
    tiny_llama(target)
    return str(target)


def examples(texts: list[str]) -> pl.DataFrame:
    rows = [{"id": str(i), "instruction": text, "input": "", "output": text[::-1]} for i, text in enumerate(texts)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("id", "instruction", "input", "output"), pl.String))


def alone(folder: str, frame: pl.DataFrame, text: str, pooling: str) -> np.ndarray:
    """The same of transformers, one text at a time."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    found = []
    for row in encode(frame, tokenizer, "alpaca_short", 60, end=False):
        # DEITA's text ends with the end token, unless it is cut
        ids = row.ids[: row.start] if text == "prompt" else [*row.ids, tokenizer.eos_token_id][:60]
        with torch.inference_mode():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
        vector = states.mean(0) if pooling == "mean" else states[-1]
        found.append((vector / vector.norm()).numpy())
    return np.array(found)


@pytest.mark.parametrize("text", ["prompt", "example"])
@pytest.mark.parametrize("pooling", ["mean", "last_token"])
def test_vectors_are_those_of_texts_read_alone(folder, text, pooling):
    frame = examples(["Say it.", *SENTENCES[:3]])
    found = scored(
        hidden_embeddings, frame, {**SETTINGS, "model_path": folder, "text": text, "pooling": pooling}, rows_at_once=3
    )
    assert found.columns == ["id", "vector", "truncated"]
    assert found["id"].to_list() == frame["id"].to_list()
    np.testing.assert_allclose(found["vector"].to_numpy(), alone(folder, frame, text, pooling), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found["vector"].to_numpy().astype(float), axis=1), 1, rtol=1e-6)


def test_a_cut_text_is_counted(folder):
    found = scored(
        hidden_embeddings,
        examples(["a", "a b c " * 40]),
        {**SETTINGS, "model_path": folder, "text": "example", "pooling": "mean"},
    )
    assert found["truncated"].to_list() == [False, True]


def test_a_text_that_does_not_fit_in_memory_has_no_vector(folder, monkeypatch):
    def over_batches(lengths, tokens, launch, advance):
        return [*launch(list(range(len(lengths))))()[:1], None]

    monkeypatch.setattr(hidden_embeddings, "over_batches", over_batches)
    settings = {**SETTINGS, "model_path": folder, "text": "example", "pooling": "mean"}
    assert scored(hidden_embeddings, examples(SENTENCES[:2]), settings)["vector"].is_null().to_list() == [False, True]


def test_what_is_no_direction_is_refused(folder, monkeypatch):
    load = models.load_causal_lm

    def broken(*arguments):
        model = load(*arguments)
        model.get_decoder().norm.weight.data.zero_()
        return model

    monkeypatch.setattr(hidden_embeddings, "load_causal_lm", broken)
    monkeypatch.setattr(models, "_check_head", lambda *_: None)
    settings = {**SETTINGS, "model_path": folder, "text": "prompt", "pooling": "last_token"}
    with pytest.raises(InputError, match="tiny: embeddings that are not finite, or zero"):
        scored(hidden_embeddings, examples(SENTENCES[:2]), settings)

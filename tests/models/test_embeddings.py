"""Embeddings: those of the model alone, equal for equal texts, null where a text does not fit."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import write_parquet
from instructmining.models import embeddings
from scoring import scored
from tiny import SENTENCES, tiny_sentence_transformer

SETTINGS = {"model": "tiny", "revision": "main", "device": "cpu", "precision": "float32", "batch_tokens": 256}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return {**SETTINGS, "model_path": str(tiny_sentence_transformer(tmp_path_factory.mktemp("embedder")))}


def examples(texts):
    rows = [{"id": str(i), "instruction": "Go on:", "input": "", "output": text} for i, text in enumerate(texts)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("id", "instruction", "input", "output"), pl.String))


def test_vectors_are_those_of_texts_embedded_alone(settings):
    from sentence_transformers import SentenceTransformer

    frame = examples([*SENTENCES, SENTENCES[0] * 20])
    found = scored(embeddings, frame, settings)
    model = SentenceTransformer(settings["model_path"], device="cpu")
    alone = np.concatenate([model.encode([f"Go on:\n{text}"]) for text in frame["output"]])
    np.testing.assert_allclose(found["vector"].to_numpy(), alone, atol=1e-6)
    assert found.columns == ["id", "vector", "truncated"]
    assert found["id"].to_list() == frame["id"].to_list()
    assert found["truncated"].to_list() == [False] * len(SENTENCES) + [True]


def test_equal_texts_have_equal_vectors_of_unit_norm(settings):
    found = scored(embeddings, examples([SENTENCES[2]] * 3 + SENTENCES[:2]), settings)["vector"].to_numpy()
    assert (found[1] == found[0]).all() and (found[2] == found[0]).all()
    np.testing.assert_allclose(np.linalg.norm(found.astype(float), axis=1), 1, rtol=1e-6)


def test_no_examples_have_vectors_of_the_same_width(settings):
    none = scored(embeddings, examples([]), settings)
    assert none.schema == scored(embeddings, examples(SENTENCES[:1]), settings).schema


def test_a_text_that_does_not_fit_in_memory_has_no_vector(settings, monkeypatch):
    def over_batches(lengths, tokens, launch, advance):
        found = launch(list(range(len(lengths))))()
        return [*found[:1], None, *found[2:]]

    monkeypatch.setattr(embeddings, "over_batches", over_batches)
    found = scored(embeddings, examples([*SENTENCES[:3], SENTENCES[1]]), settings)
    assert found["vector"].is_null().to_list() == [False, True, False, True]


def test_what_is_no_direction_is_refused(settings, monkeypatch):
    monkeypatch.setattr(embeddings, "over_batches", lambda lengths, *_: [np.full(32, np.nan)] * len(lengths))
    with pytest.raises(InputError, match="tiny: embeddings that are not finite, or zero"):
        scored(embeddings, examples(SENTENCES[:2]), settings)


def test_the_first_dataset_keeps_an_id_of_both(tmp_path: Path):
    paths = []
    for dataset, shard, ids in (("b", "000-of-002", ["1", "2"]), ("b", "001-of-002", ["3"]), ("a", "x", ["2", "4"])):
        vectors = pl.Series("vector", np.full((len(ids), 2), len(paths)), dtype=pl.Array(pl.Float32, 2))
        path = tmp_path / dataset / "knn" / f"{shard}.parquet"
        write_parquet(pl.DataFrame([pl.Series("id", ids), vectors]).with_columns(truncated=False), path)
        paths.append(str(path))
    found = embeddings.read(paths)
    assert found.select("id", "dataset").rows() == [("1", "b"), ("2", "b"), ("3", "b"), ("4", "a")]
    assert found["vector"].to_numpy()[:, 0].tolist() == [0, 0, 1, 2]

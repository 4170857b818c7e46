"""k-NN distances: exact against brute force, duplicates, too few rows, NN-descent."""

import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.errors import InputError
from instructmining.scorers import knn
from scoring import scored
from tiny import SENTENCES, tiny_sentence_transformer

SETTINGS = {
    **{"model": "tiny", "revision": "main", "device": "cpu", "precision": "float32", "batch_tokens": 256},
    **{"i": 2, "approximate_above": 1000, "n_neighbors": 5, "n_jobs": 2, "seed": 0},
}


def unit(rows, width=8, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(vectors, i):
    wide = vectors.astype(np.float64)
    distances = np.sqrt(np.square(wide[:, None] - wide[None]).sum(-1))
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, i - 1]


@given(rows=st.integers(2, 60), i=st.integers(1, 7), block=st.integers(1, 70), copies=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_exact_equals_brute_force_whatever_the_block(rows, i, block, copies):
    vectors = np.concatenate([unit(rows), np.repeat(unit(1, seed=1), copies, axis=0)])
    i = min(i, len(vectors) - 1)
    found = knn.exact_distances(vectors, np.arange(len(vectors)), i, block=block)
    np.testing.assert_allclose(found, brute_force(vectors, i), rtol=1e-12, atol=0)


def test_too_few_rows_have_no_neighbour():
    assert np.isinf(knn.neighbour_distances(unit(3), {**SETTINGS, "i": 3})).all()
    assert np.isfinite(knn.neighbour_distances(unit(4), {**SETTINGS, "i": 3})).all()


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    return str(tiny_sentence_transformer(tmp_path_factory.mktemp("embedder")))


def examples(texts):
    rows = [{"id": str(i), "instruction": "Go on:", "input": "", "output": text} for i, text in enumerate(texts)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("id", "instruction", "input", "output"), pl.String))


def test_score_equals_brute_force_on_single_embeddings(model_path):
    from sentence_transformers import SentenceTransformer

    frame = examples([*SENTENCES, SENTENCES[0] * 20])
    found = scored(knn, frame, {**SETTINGS, "model_path": model_path})
    model = SentenceTransformer(model_path, device="cpu")
    alone = np.concatenate([model.encode([f"Go on:\n{text}"]) for text in frame["output"]])
    np.testing.assert_allclose(found["distance"], brute_force(alone, 2), atol=1e-5)
    assert found["id"].to_list() == frame["id"].to_list()
    assert found["truncated"].to_list() == [False] * len(SENTENCES) + [True]
    assert found["reason"].null_count() == frame.height


def test_equal_texts_are_at_distance_zero(model_path):
    found = scored(knn, examples([SENTENCES[2]] * 3 + SENTENCES[:2]), {**SETTINGS, "model_path": model_path})
    assert found["distance"][:3].to_list() == [0.0, 0.0, 0.0]
    assert min(found["distance"][3:]) > 0


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_fewer_rows_than_neighbours_are_null_with_a_reason(model_path, rows):
    found = scored(knn, examples(SENTENCES[:rows]), {**SETTINGS, "model_path": model_path})
    assert found["distance"].null_count() == rows
    assert found["reason"].to_list() == ["fewer than 2 neighbours"] * rows


class FakeDescent:
    """NNDescent's interface with exact neighbours but row 0's, of which it finds one."""

    def __init__(self, data, n_neighbors, **settings):
        assert settings == {"metric": "euclidean", "random_state": 0, "n_jobs": 2, "verbose": True}
        graph = np.argsort(-(data @ data.T), axis=1, kind="stable")[:, :n_neighbors]
        graph[0, 2:] = -1
        self.neighbor_graph = graph.astype(np.int32), None


def test_approximate_path_leaves_itself_out_and_marks_what_is_missing(monkeypatch):
    # the real one compiles for 45 s
    monkeypatch.setitem(sys.modules, "pynndescent", SimpleNamespace(NNDescent=FakeDescent))
    vectors = unit(40)
    found = knn.neighbour_distances(vectors, {**SETTINGS, "approximate_above": 39})
    assert np.isinf(found[0])
    np.testing.assert_allclose(found[1:], brute_force(vectors, 2)[1:], rtol=1e-12)


def test_approximate_path_needs_more_neighbours_than_i():
    with pytest.raises(InputError, match=r"n_neighbors is 2: expected more than i \(2\)"):
        knn.neighbour_distances(unit(40), {**SETTINGS, "approximate_above": 39, "n_neighbors": 2})

"""k-NN distances: exact against brute force, references, too few rows, NN-descent."""

import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.scorers import knn

SETTINGS = {"i": 2, "reference": "dataset", "approximate_above": 1000, "n_neighbors": 5, "n_jobs": 2, "seed": 0}


def unit(rows, width=8, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def clusters(rows, width=16, spread=0.6):
    """Rows around a tenth as many centres, as texts on the same things are."""
    vectors = unit(rows // 10, width, seed=1)[np.arange(rows) % (rows // 10)] + spread * unit(rows, width)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(vectors, i, reference=None):
    wide = vectors.astype(np.float64)
    distances = np.sqrt(np.square(wide[:, None] - wide[None]).sum(-1))
    np.fill_diagonal(distances, np.inf)
    distances = distances if reference is None else distances[:, reference]
    return np.sort(distances, axis=1)[:, i - 1]


def embedded(vectors, dataset="a"):
    return pl.DataFrame(
        {
            "id": [f"{row:03d}" for row in range(len(vectors))],
            "dataset": dataset,
            "vector": pl.Series(vectors, dtype=pl.Array(pl.Float32, vectors.shape[1])),
            "truncated": [row == 1 for row in range(len(vectors))],
        }
    )


@given(
    rows=st.integers(2, 60),
    i=st.integers(1, 7),
    block=st.integers(1, 70),
    chunk=st.integers(1, 70),
    copies=st.integers(0, 20),
    share=st.floats(0, 1),
)
@settings(max_examples=60)
def test_exact_equals_brute_force_whatever_the_blocks(rows, i, block, chunk, copies, share):
    vectors = np.concatenate([unit(rows), np.repeat(unit(1, seed=1), copies, axis=0)])
    i = min(i, len(vectors) - 1)
    size = i + 1 + int(share * (len(vectors) - i - 1))
    reference = np.sort(np.random.default_rng(size).choice(len(vectors), size, replace=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knn, "_REFERENCE", chunk)
        patch.setattr(knn, "_NUMBERS", chunk * 200)
        found = knn.exact(vectors, i, reference=reference, block=block)
    np.testing.assert_allclose(found.distance, brute_force(vectors, i, reference), rtol=1e-12, atol=0)
    last = vectors[found.rows[:, -1]].astype(float) - vectors
    np.testing.assert_allclose(np.sqrt(np.square(last).sum(1)), found.distance, rtol=1e-12, atol=0)
    assert not (found.rows == np.arange(len(vectors))[:, None]).any()


def test_near_duplicates_that_float32_products_cannot_tell_apart_are_told_apart():
    """Forty texts that differ in a word: nearer to one another than a float32 product resolves."""
    near = unit(1, 64) + 1e-4 * np.linspace(0.1, 1, 40)[:, None] * unit(40, 64, seed=3)
    vectors = np.concatenate([near / np.linalg.norm(near, axis=1, keepdims=True), unit(200, 64, seed=2)])
    vectors = vectors.astype(np.float32)
    np.testing.assert_allclose(knn.exact(vectors, 6).distance, brute_force(vectors, 6), rtol=1e-6)


def test_score_keeps_order_and_says_what_is_missing():
    frame = embedded(unit(12))
    frame = frame.with_columns(pl.when(pl.col("id") != "003").then("vector").alias("vector"))
    found, how = knn.score(frame, SETTINGS, {})
    kept = np.delete(np.arange(12), 3)
    np.testing.assert_allclose(found["distance"].drop_nulls(), brute_force(unit(12)[kept], 2), rtol=1e-12)
    assert found.columns == ["id", "dataset", "distance", "truncated", "reason"]
    assert found["id"].to_list() == frame["id"].to_list()
    assert found["truncated"].to_list() == frame["truncated"].to_list()
    assert found["reason"].to_list() == [None] * 3 + ["does not fit in memory"] + [None] * 8
    assert how == {"method": "exact"}


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("reference", ["dataset", "pool"])
def test_fewer_rows_than_neighbours_are_null_with_a_reason(rows, reference):
    found, _ = knn.score(embedded(unit(rows)), {**SETTINGS, "reference": reference}, {})
    assert found["distance"].null_count() == rows
    assert found["reason"].to_list() == ["fewer than 2 neighbours"] * rows


def test_inside_mixtures_each_example_has_the_neighbours_of_its_own():
    frame = pl.concat([embedded(unit(30)), embedded(unit(5, seed=5), "b").with_columns(id="b" + pl.col("id"))])
    vectors = frame["vector"].to_numpy()
    places = {"base-000": [3, 31, 8, 20, 0], "base-001": [8, 3, 34, 1]}
    mixtures = {name: frame[rows].select("id", "dataset") for name, rows in places.items()}
    found, how = knn.score(frame, {**SETTINGS, "reference": "mixture", "reference_size": 5}, mixtures)
    assert found.columns == ["mixture", "id", "dataset", "distance", "truncated", "reason"]
    for name, rows in places.items():
        part = found.filter(mixture=name)
        assert part.select("id", "dataset").equals(mixtures[name])
        np.testing.assert_allclose(part["distance"], brute_force(vectors[rows], 2), rtol=1e-12)
    assert how == {"method": "exact"}
    with pytest.raises(InputError, match="mixture base-000: 1 of its examples have no embedding"):
        knn.score(frame.head(30), {**SETTINGS, "reference": "mixture"}, mixtures)


def test_a_sample_of_the_pool_stands_for_a_mixture():
    frame, vectors = embedded(unit(40)), unit(40)
    asked = {**SETTINGS, "reference": "mixture", "reference_size": 9, "approximate_above": 1}
    found, how = knn.score(frame, asked, {})
    again, _ = knn.score(frame.reverse(), asked, {})
    assert again.reverse()["distance"].to_list() == pytest.approx(found["distance"].to_list(), rel=1e-12)
    other, _ = knn.score(frame, {**asked, "seed": 1}, {})
    assert other["distance"].to_list() != found["distance"].to_list()
    assert how == {"method": "exact"}
    whole, _ = knn.score(frame, {**asked, "reference_size": 40}, {})
    np.testing.assert_allclose(whole["distance"], brute_force(vectors, 2), rtol=1e-12)
    reference = knn._sample(frame["id"], asked)
    assert len(set(reference)) == 9
    np.testing.assert_allclose(found["distance"], brute_force(vectors, 2, reference), rtol=1e-12)
    with pytest.raises(InputError, match="reference_size is 41: expected at most the 40 examples of the pool"):
        knn.score(frame, {**asked, "reference_size": 41}, {})


class FakeDescent:
    """NNDescent's interface with exact neighbours but row 0's, of which it finds one."""

    def __init__(self, data, n_neighbors, **settings):
        assert settings == {"metric": "euclidean", "random_state": 0, "n_jobs": 2, "verbose": True}
        graph = np.argsort(-(data @ data.T), axis=1, kind="stable")[:, :n_neighbors]
        graph[0, 2:] = -1
        self.neighbor_graph = graph.astype(np.int32), None


def test_approximate_path_leaves_itself_out_and_reports_its_recall(monkeypatch):
    # the real one compiles for 45 s
    monkeypatch.setitem(sys.modules, "pynndescent", SimpleNamespace(NNDescent=FakeDescent))
    vectors = unit(40)
    found, how = knn.neighbours(vectors, {**SETTINGS, "approximate_above": 39})
    assert np.isinf(found.distance[0])
    np.testing.assert_allclose(found.distance[1:], brute_force(vectors, 2)[1:], rtol=1e-12)
    # row 0 has the first of its two neighbours
    assert how == {"method": "nn-descent", "distance_recall": 39 / 40, "neighbour_recall": 79 / 80, "sample": 40}
    _, how = knn.neighbours(vectors, {**SETTINGS, "approximate_above": 40})
    assert how == {"method": "exact"}


def test_approximate_path_needs_more_neighbours_than_i():
    with pytest.raises(InputError, match=r"n_neighbors is 2: expected more than i \(2\)"):
        knn.neighbours(unit(40), {**SETTINGS, "approximate_above": 39, "n_neighbors": 2})


def test_real_nn_descent_is_the_same_again_and_nearly_exact():
    """More threads than many a machine has cores: what is found depends on n_jobs alone. It compiles for 45 s."""
    vectors = clusters(2000)
    asked = {**SETTINGS, "i": 6, "approximate_above": 100, "n_neighbors": 30, "n_jobs": 4}
    found, how = knn.neighbours(vectors, asked)
    again, _ = knn.neighbours(vectors, asked)
    assert (again.distance == found.distance).all() and (again.rows == found.rows).all()
    assert how["method"] == "nn-descent" and how["sample"] == 1000
    assert how["distance_recall"] >= 0.99 and how["neighbour_recall"] >= 0.99
    same = (np.sort(found.rows) == np.sort(knn.exact(vectors, 6).rows)).all(axis=1)
    assert same.mean() >= 0.99
    np.testing.assert_allclose(found.distance[same], brute_force(vectors, 6)[same], rtol=1e-12)

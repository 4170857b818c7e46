"""The walk that keeps what is different: exactly what comparing row by row would keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructmining.jobs.errors import InputError
from instructmining.selection import diversity
from instructmining.selection.diversity import walk


def plain(vectors: np.ndarray, threshold: float, depth: int | None = None) -> list[int]:
    """One row at a time, in float64; a copy's similarity is 1 only up to rounding, so no threshold may be that near."""
    wide = vectors.astype(np.float64)
    norms = np.sqrt((wide * wide).sum(axis=1))
    kept: list[int] = []
    for row in range(len(wide)):
        if len(kept) == depth:
            break
        similarity = wide[kept] @ wide[row] / (norms[kept] * norms[row])
        if threshold >= 1 or not (similarity > threshold).any():
            kept.append(row)
    return kept


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def clustered(rows: int, width: int, clusters: int, spread: float, seed: int) -> np.ndarray:
    """Points around centres, some of them twice, some with their opposite."""
    random = np.random.default_rng(seed)
    centres = unit(random.standard_normal((clusters, width)))
    found = centres[random.integers(0, clusters, rows)] + spread * random.standard_normal((rows, width))
    found[rows // 2 :: 3] = found[: len(found[rows // 2 :: 3])]
    found[1::7] *= -1
    return unit(found)


def arbitrary_basis(compared: diversity._Compared) -> np.ndarray:
    """The bound holds for any orthonormal directions."""
    width = compared.vectors.shape[1]
    random = np.random.default_rng(width).standard_normal((width, max(1, width // 3)))
    return np.linalg.qr(random)[0]


@given(
    rows=st.integers(0, 120),
    width=st.sampled_from([2, 5, 40]),
    clusters=st.integers(1, 12),
    spread=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    threshold=st.one_of(st.floats(0, 1 - 1e-9), st.sampled_from([-0.5, 0.0, 0.5, 0.9, 1.0])),
    depth=st.one_of(st.none(), st.integers(1, 60)),
    block=st.sampled_from([1, 3, 8, 1024]),
    cost_of_a_pair=st.sampled_from([None, 0.0, 1e9]),
    seed=st.integers(0, 99),
)
def test_a_walk_keeps_what_row_by_row_would(
    rows, width, clusters, spread, threshold, depth, block, cost_of_a_pair, seed
) -> None:
    vectors = clustered(rows, width, clusters, spread, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diversity, "_KEPT", 7)
        if cost_of_a_pair is not None:  # sketches, and what they let through pair by pair or as a product
            patch.setattr(diversity._Compared, "_basis", arbitrary_basis)
            patch.setattr(diversity, "_PAIR", cost_of_a_pair)
        found = walk(vectors, threshold, depth, block)
    assert found.kept.tolist() == plain(vectors, threshold, depth)
    assert found.visited == (found.kept[-1] + 1 if len(found.kept) == depth else rows)


@pytest.mark.parametrize("spread", [0.02, 0.04])
def test_a_walk_with_sketches_does_not_depend_on_its_blocks(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = clustered(1500, 192, 40, spread, 0)
    chosen, choose = [], diversity._Compared._basis
    monkeypatch.setattr(diversity._Compared, "_basis", lambda self: chosen.append(choose(self)) or chosen[-1])
    expected = plain(vectors, 0.6)
    assert 40 < len(expected) < 1400
    for block in (10, 64, 100, 5000):
        assert walk(vectors, 0.6, block=block).kept.tolist() == expected
    assert len(chosen) == 3
    assert all(basis is not None and basis.shape[1] < 192 for basis in chosen)


@pytest.mark.parametrize("block", [1, 50, 1024])
def test_similarities_next_to_the_threshold(block: int) -> None:
    """Pairs, 1e-8 to 1e-6 on both sides of it; float32 would take some for the other side."""
    random = np.random.default_rng(0)
    count, width, threshold = 150, 384, 0.9
    first = unit(random.standard_normal((count, width))).astype(np.float64)
    rest = random.standard_normal((count, width))
    rest -= (rest * first).sum(axis=1, keepdims=True) * first / (first * first).sum(axis=1, keepdims=True)
    offset = np.geomspace(1e-8, 1e-6, count) * np.where(np.arange(count) % 2, 1, -1)
    cosine = (threshold + offset)[:, None]
    second = cosine * unit(first) + np.sqrt(1 - cosine**2) * rest / np.linalg.norm(rest, axis=1, keepdims=True)
    vectors = np.concatenate([first, second]).astype(np.float32)
    expected = plain(vectors, threshold)
    assert 1.2 * count < len(expected) < 1.8 * count
    rough = (vectors[:count] * vectors[count:]).cumsum(axis=1)[:, -1] > np.float32(threshold)
    assert (rough != ~np.isin(np.arange(count, 2 * count), expected)).any()
    assert walk(vectors, threshold, block=block).kept.tolist() == expected


def test_vectors_need_no_unit_norm() -> None:
    vectors = clustered(80, 12, 5, 0.2, 1) * np.geomspace(1e-3, 1e3, 80, dtype=np.float32)[:, None]
    assert walk(vectors, 0.8).kept.tolist() == plain(vectors, 0.8)


def test_duplicates_and_depth() -> None:
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 0, 2, 1, 3]]
    assert walk(vectors, 0.9) == (pytest.approx([0, 2, 4, 6]), 7)
    assert walk(vectors, 0.9, 2) == (pytest.approx([0, 2]), 3)
    assert walk(vectors, 0.9, 9) == (pytest.approx([0, 2, 4, 6]), 7)
    assert walk(vectors, 1.0, 3) == (pytest.approx([0, 1, 2]), 3)
    assert walk(-vectors, -0.1).kept.tolist() == [0]
    assert walk(vectors[:0], 0.9).kept.tolist() == []


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_vector_without_direction(value: float) -> None:
    vectors = np.eye(3, dtype=np.float32)
    vectors[1] = value
    with pytest.raises(InputError, match=r"^vector 1 of 3 is zero or not finite: it has no direction$"):
        walk(vectors, 0.9)

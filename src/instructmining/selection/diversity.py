"""Diversity by a walk: down an order, keeping what is not too similar to anything kept before it.

Liu et al. 2023 (arXiv 2312.15685), "Repr Filter"; hkust-nlp/deita, ``selection/filter/base.py`` with its default of one
row at a time. What is kept is theirs, but for float32 rounding there; the way is by blocks:

- A block of rows is compared with all kept before it, then with itself, by float32 products. A pair whose similarity
  is within their error of the threshold is computed anew in float64, so the size of a block cannot matter.
- Where much is kept, sketches are compared first. For an orthonormal basis of a few directions, with a = Pa + Ra (its
  projection and the rest), Cauchy and Schwarz give a·b <= Pa·Pb + |Ra||Rb|: one product, with |R| as one more
  coordinate, that rules out nearly all pairs.
"""

from typing import NamedTuple

import numpy as np

from instructmining.jobs.errors import InputError
from instructmining.jobs.log import progress

_BLOCK = 1024
_KEPT = 4096  # kept rows compared at once
_NUMBERS = 2**22  # float64 numbers of each side of pairs in memory at once
_SAMPLE = 1024
_WIDTHS = (32, 48, 64, 96, 128, 192)
_READ = 10  # what reading one number of a product costs, in coordinates of it
_PAIR = 180  # what a pair on its own costs, in such of a product of blocks


class Walk(NamedTuple):
    """``kept``: places of the rows kept, ascending. ``visited``: how many rows were looked at."""

    kept: np.ndarray
    visited: int


def walk(vectors: np.ndarray, threshold: float, depth: int | None = None, block: int = _BLOCK) -> Walk:
    """Keep each row unless its cosine similarity to one already kept is above ``threshold``, until ``depth`` are kept.

    ``vectors``: (rows, width) float32, in walking order. ``threshold``: -1 to 1; at 1 nothing is dropped. ``depth``:
    None for all. A similarity is the float64 product of two rows over their float64 norms.

    Time grows with visited x kept rows. Memory beyond the vectors' own: blocks, and the sketches of what is kept (its
    unit vectors where sketches would not pay). InputError for a row that is zero or not finite.
    """
    rows = len(vectors)
    limit = rows if depth is None else min(depth, rows)
    compared = _Compared(vectors, threshold, sketched=limit > 4 * block)
    if threshold >= 1:
        return Walk(np.arange(limit), limit)
    kept, count = np.empty(limit, dtype=np.int64), 0
    sketches = np.empty((limit, compared.sketch_width), dtype=np.float32)
    advance = progress(rows, "rows visited") if depth is None else progress(limit, "rows kept")
    for start in range(0, rows, block):
        if count == limit:
            break
        own = np.arange(start, min(start + block, rows))
        size, sketch = len(own), compared.sketch(own)
        for begin in range(0, count, _KEPT):
            part = slice(begin, min(begin + _KEPT, count))
            far = ~compared.near(own, sketch, kept[part], sketches[part])
            own, sketch = own[far], sketch[far]
        far = _apart(compared.close(own))[: limit - count]
        new = slice(count, count + len(far))
        kept[new], sketches[new] = own[far], sketch[far]
        count = new.stop
        advance(size if depth is None else len(far))
    visited = int(kept[-1]) + 1 if 0 < count == limit else rows if limit else 0
    return Walk(kept[:count], visited)


def _apart(close: np.ndarray) -> np.ndarray:
    """Places that a walk keeps, by which later rows (columns) each row is too similar to."""
    stays = np.ones(len(close), dtype=bool)
    for row in np.flatnonzero(close.any(axis=1)):
        if stays[row]:
            stays &= ~close[row]
    return np.flatnonzero(stays)


class _Compared:
    """Which rows are more similar than the threshold, exactly."""

    def __init__(self, vectors: np.ndarray, threshold: float, sketched: bool) -> None:
        self.vectors, self.threshold = vectors, threshold
        everything = np.arange(len(vectors))
        self.norms = np.sqrt(_products(vectors, everything, everything))
        broken = np.flatnonzero(~(np.isfinite(self.norms) & (self.norms > 0)))
        if broken.size:
            raise InputError(f"vector {broken[0]} of {len(vectors)} is zero or not finite: it has no direction")
        # error of a float32 product of unit vectors: at most one unit of rounding a term, and those of the norms
        self.margin = (vectors.shape[1] + 16) * 2.0**-23
        self.basis = self._basis() if sketched else None
        self.sketch_width = vectors.shape[1] if self.basis is None else self.basis.shape[1] + 1

    def unit(self, rows: np.ndarray) -> np.ndarray:
        """Float32 unit vectors, each number rounded once."""
        return (self.vectors[rows] / self.norms[rows, None]).astype(np.float32)

    def sketch(self, rows: np.ndarray) -> np.ndarray:
        """Float32 unit vectors whose product is at least the similarity, and equal to it without a basis."""
        if self.basis is None:
            return self.unit(rows)
        return _sketched(self.vectors[rows] / self.norms[rows, None], self.basis)

    def _basis(self) -> np.ndarray | None:
        """The cheapest of a sample's first principal directions, (width, directions); None where all would be.

        What they would cost is estimated on other rows: on its own sample a basis looks better than it is.
        """
        rows = np.linspace(0, len(self.vectors) - 1, 2 * _SAMPLE).astype(np.int64)
        sample = self.vectors[rows] / self.norms[rows, None]
        directions = np.linalg.svd(sample[::2], full_matrices=False)[2].T
        sample = sample[1::2]
        width = directions.shape[0]
        far = np.triu(sample @ sample.T <= self.threshold, 1)
        costs: dict[int | None, float] = {None: width + _READ}
        for count in (count for count in _WIDTHS if count < directions.shape[1]):
            sketch = _sketched(sample, directions[:, :count])
            share = (sketch @ sketch.T > self.threshold - self.margin)[far].mean() if far.any() else 1.0
            costs[count] = count + _READ + share * _PAIR * width
        best = min(costs, key=lambda count: costs[count])
        return None if best is None else np.ascontiguousarray(directions[:, :best])

    def near(self, own: np.ndarray, sketch: np.ndarray, kept: np.ndarray, sketches: np.ndarray) -> np.ndarray:
        """Whether each of ``own`` is too similar to any of ``kept``."""
        products = sketch @ sketches.T
        if self.basis is None:
            return self._any_above(products, own, kept)
        found = np.zeros(len(own), dtype=bool)
        rows, columns = _places(products > self.threshold - self.margin)
        asked = np.unique(rows)
        if len(rows) * _PAIR > len(asked) * len(kept):
            found[asked] = self._any_above(self.unit(own[asked]) @ self.unit(kept).T, own[asked], kept)
        else:
            found[rows[self._above(own[rows], kept[columns])]] = True
        return found

    def _any_above(self, products: np.ndarray, own: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """The same, by ``products`` (own, kept) of unit vectors."""
        highest = products.max(axis=1, initial=-1)
        found = highest > self.threshold + self.margin
        asked = np.flatnonzero(~found & (highest > self.threshold - self.margin))
        rows, columns = _places(products[asked] > self.threshold - self.margin)
        found[asked[rows[self._above(own[asked[rows]], kept[columns])]]] = True
        return found

    def close(self, own: np.ndarray) -> np.ndarray:
        """(rows, rows) of ``own``: whether a row is too similar to a later one (column)."""
        unit = self.unit(own)
        products = unit @ unit.T
        found = np.triu(products > self.threshold + self.margin, 1)
        rows, columns = _places(np.triu(np.abs(products - self.threshold) <= self.margin, 1))
        found[rows, columns] = self._above(own[rows], own[columns])
        return found

    def _above(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        products = _products(self.vectors, rows, others)
        return products / (self.norms[rows] * self.norms[others]) > self.threshold


def _sketched(unit: np.ndarray, basis: np.ndarray) -> np.ndarray:
    projected = unit @ basis
    rest = np.sqrt(np.maximum(1 - np.einsum("rk,rk->r", projected, projected), 0))
    return np.column_stack([projected, rest]).astype(np.float32)


def _places(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of what is true; several times as fast as nonzero in two dimensions."""
    rows, columns = np.divmod(np.flatnonzero(found), found.shape[1])
    return rows, columns


def _products(vectors: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Float64 product of each of ``rows`` with that of ``others`` beside it; of a pair, always the same."""
    found, at_once = np.empty(len(rows)), max(1, _NUMBERS // vectors.shape[1])
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        # einsum would add up in another order by a pair's place, where rows are wider than its buffer
        found[part] = np.vecdot(*(vectors[side[part]].astype(np.float64) for side in (rows, others)))
    return found

"""Would the same indicators have been chosen on other mixtures? The choice made anew on every bootstrap resample.

A rule's p values take its indicators as given. Where the losses chose them, the choice itself varies from sample to
sample, and this is how much (Heinze, Wallisch & Dunkler 2018, section 3.2; Sauerbrei & Schumacher 1992).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import polars as pl

from instructmining.quality_rules.diagnostics import SEPARATOR, SINGULAR, largest_set, resampled_weights, standardised

# How a set may be chosen: as the paper does, or with a charge for its size.
CRITERIA = ("r_squared", "aic", "bic")
SCHEMA = {
    "indicators": pl.String,
    "n_indicators": pl.Int64,
    **dict.fromkeys(CRITERIA, pl.Float64),
    "resamples": pl.Int64,
}
# Correlations in one stack: 32 MB of float64.
_AT_ONCE = 4_000_000


def chosen_sets(
    x: np.ndarray, y: np.ndarray, names: Sequence[str], max_indicators: int, resamples: int, seed: int
) -> pl.DataFrame:
    """How often each set of columns is the best one on a pairs-bootstrap resample of the rows.

    ``x`` (n observations, p indicators), ``y`` (n,). The sets are those that ``diagnostics.choose`` may take on n
    observations. Columns: ``indicators`` (joined by " + "), ``n_indicators``, the share of resamples in which the set
    has the highest R², the lowest AIC, the lowest BIC (of equally good ones the smaller set is chosen), and
    ``resamples``, how many were used: those with too few distinct rows for the largest set are not. Sets that are
    never chosen are left out; the most frequent by R² come first. No rows if no set may be taken, or no resample used.

    A resample repeats rows, so larger sets look better on it than on a new sample (Janitza, Binder & Boulesteix 2016).
    """
    n, p = x.shape
    largest = min(p, largest_set(max_indicators, n))
    if largest < 1:
        return no_sets()
    weights = resampled_weights(n, resamples, seed)
    weights = weights[(weights > 0).sum(axis=1) >= largest + 2]
    correlations, varies = _correlations(np.column_stack([standardised(x), standardised(y[:, None])]), weights)
    correlations = correlations[varies[:, -1]]
    used = len(correlations)
    if not used:
        return no_sets()
    sets = [columns for size in range(1, largest + 1) for columns in combinations(range(p), size)]
    winners = np.concatenate([_best(part, sets, n) for part in _parts(correlations, sets)])
    shares = np.stack([np.bincount(column, minlength=len(sets)) for column in winners.T], axis=1) / used
    return (
        pl.DataFrame(
            {
                "indicators": [SEPARATOR.join(names[column] for column in columns) for columns in sets],
                "n_indicators": [len(columns) for columns in sets],
                **dict(zip(CRITERIA, shares.T, strict=True)),
                "resamples": [used] * len(sets),
            },
            schema=SCHEMA,
        )
        .filter(pl.any_horizontal(pl.col(CRITERIA) > 0))
        .sort(*CRITERIA, "n_indicators", "indicators", descending=[True, True, True, False, False])
    )


def no_sets() -> pl.DataFrame:
    """The table of ``chosen_sets`` without a row."""
    return pl.DataFrame(schema=SCHEMA)


def chosen_indicators(sets: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """In which share of resamples each indicator is in the chosen set: ``indicator`` and a column a criterion."""
    parts = sets.select(pl.col("indicators").str.split(SEPARATOR).alias("indicator"), *CRITERIA).explode("indicator")
    # of lists: polars' own sum of a group is put together of parts in an order, and with a last digit, that change
    lists = parts.group_by("indicator", maintain_order=True).agg(CRITERIA)
    shares = lists.with_columns(pl.col(CRITERIA).list.sum())
    found = pl.DataFrame({"indicator": names}, schema={"indicator": pl.String}).join(shares, on="indicator", how="left")
    return found.with_columns(pl.col(CRITERIA).fill_null(0.0)).sort("r_squared", "indicator", descending=[True, False])


def _correlations(z: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlations of the columns of ``z`` in each resample (resamples, p, p), and which of them vary there.

    A column that does not vary is uncorrelated with everything, itself included.
    """
    n, p = z.shape
    means = weights @ z / n
    products = (weights @ (z[:, :, None] * z[:, None, :]).reshape(n, -1)).reshape(-1, p, p) / n
    covariances = products - means[:, :, None] * means[:, None, :]
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    varies = variances > SINGULAR * np.diagonal(products, axis1=1, axis2=2)
    scale = np.where(varies, 1 / np.sqrt(np.where(varies, variances, 1.0)), 0.0)
    return covariances * scale[:, :, None] * scale[:, None, :], varies


def _parts(correlations: np.ndarray, sets: Sequence[tuple[int, ...]]) -> Iterator[np.ndarray]:
    each = max(1, _AT_ONCE // (len(sets) * len(sets[-1]) ** 2))
    return (correlations[first : first + each] for first in range(0, len(correlations), each))


def _best(correlations: np.ndarray, sets: Sequence[tuple[int, ...]], n: int) -> np.ndarray:
    """The number of the best set in each resample, by each criterion: (resamples, criteria)."""
    rows = np.arange(len(correlations))
    r_squared = np.full((len(rows), len(sets)), -np.inf)
    sizes = np.array([len(columns) for columns in sets])
    for size in range(1, sizes[-1] + 1):
        columns = np.array([columns for columns in sets if len(columns) == size])
        among = correlations[:, columns[:, :, None], columns[:, None, :]]
        with_y = correlations[:, columns, -1]
        singular = np.linalg.det(among) <= SINGULAR
        among[singular] = np.eye(size)
        slopes = np.linalg.solve(among, with_y[..., None])[..., 0]
        r_squared[:, sizes == size] = np.where(singular, -np.inf, (slopes * with_y).sum(axis=2))
    unexplained = n * np.log(np.maximum(1 - r_squared, 1e-300))
    scores = {"r_squared": r_squared, "aic": -unexplained - 2 * sizes, "bic": -unexplained - np.log(n) * sizes}
    # Sets stand in the order of their size: the first of those within rounding of the best is the smallest.
    return np.stack([(scores[c] >= scores[c].max(axis=1, keepdims=True) - 1e-12).argmax(axis=1) for c in CRITERIA], 1)

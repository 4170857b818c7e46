"""What stands beside an ordinary least squares fit: collinearity, bootstrap intervals, and every other set.

All take ``x`` (n observations, p indicators, no intercept column) and ``y`` (n,), and fit with an intercept. Columns
are centred and scaled first, which changes no figure and keeps a length of 400 and a probability of 0.9 equally exact.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.quality_rules.presets import OBSERVATIONS_PER_COEFFICIENT

SEPARATOR = " + "
MAX_CANDIDATES = 16
PERMUTATIONS = 200
# A diagonal of R below this, for unit columns, is a column that the ones before it give to rounding error.
SINGULAR = 1e-10
SETS_SCHEMA = {
    "indicators": pl.String,
    "n_indicators": pl.Int64,
    **dict.fromkeys(
        ("r_squared", "adjusted_r_squared", "aic", "bic", "loo_r_squared", "largest_p"),
        pl.Float64,
    ),
}


def standardised(x: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and norm 1; a constant column is 0."""
    centred = x - x.mean(axis=0)
    norm = np.linalg.norm(centred, axis=0)
    constant = norm <= SINGULAR * np.linalg.norm(x, axis=0)
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, norm))


def check_columns(x: np.ndarray, names: Sequence[str]) -> None:
    """InputError naming the columns that are constant, or else those that are perfectly collinear."""
    z = standardised(x)
    constant = [name for name, column in zip(names, z.T, strict=True) if not column.any()]
    if constant:
        raise InputError(f"indicator {', '.join(constant)} is constant over the {len(x)} observations")
    _, _, directions = np.linalg.svd(z, full_matrices=False)
    singular = np.linalg.norm(z @ directions.T, axis=0) <= SINGULAR
    if singular.any():
        involved = (np.abs(directions[singular]) > 1e-6).any(axis=0)
        collinear = ", ".join(name for name, is_in in zip(names, involved, strict=True) if is_in)
        raise InputError(f"indicators {collinear} are perfectly collinear over the {len(x)} observations")


def vif(x: np.ndarray) -> np.ndarray:
    """Variance inflation factor of each column, 1 / (1 - R² of it on the others): (p,), above 10 is a warning."""
    z = standardised(x)
    inverse: np.ndarray = np.linalg.inv(np.linalg.qr(z).R)
    factors: np.ndarray = np.square(inverse).sum(axis=1)
    return factors


def resampled_weights(n: int, resamples: int, seed: int) -> np.ndarray:
    """How often each of n observations is in each pairs-bootstrap resample: (resamples, n), rows that sum to n."""
    drawn = np.random.default_rng(seed).integers(0, n, size=(resamples, n))
    weights = np.zeros((resamples, n))
    np.add.at(weights, (np.arange(resamples)[:, None], drawn), 1.0)
    return weights


def bootstrap_coefficients(x: np.ndarray, y: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Coefficients, intercept first, of pairs-bootstrap resamples: (resamples kept, 1 + p).

    Resamples in which the columns became collinear have no unique answer and are left out.
    """
    n, p = x.shape
    centre, scale = x.mean(axis=0), x.std(axis=0)
    z = np.column_stack([np.ones(n), (x - centre) / scale])
    weights = resampled_weights(n, resamples, seed)
    # One matrix product each gives the normal equations of all resamples: Z'WZ and Z'Wy.
    gram = (weights @ (z[:, :, None] * z[:, None, :]).reshape(n, -1)).reshape(resamples, p + 1, p + 1)
    moments = weights @ (z * y[:, None])
    eigenvalues = np.linalg.eigvalsh(gram)
    kept = eigenvalues[:, 0] > SINGULAR * eigenvalues[:, -1]
    scaled = np.linalg.solve(gram[kept], moments[kept][:, :, None])[:, :, 0]
    slopes = scaled[:, 1:] / scale
    return np.column_stack([scaled[:, 0] - slopes @ centre, slopes])


def all_subsets(x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> pl.DataFrame:
    """Fit every non-empty set of columns that leaves a degree of freedom, small sets first (511 for nine).

    Columns: ``indicators`` (joined by " + "), ``n_indicators``, ``r_squared``, ``adjusted_r_squared``, ``aic``,
    ``bic``, ``loo_r_squared`` (1 - PRESS / total sum of squares), ``largest_p`` (of the indicators, two-sided t).
    A set whose columns are collinear has null figures.
    """
    if len(names) > MAX_CANDIDATES:
        raise InputError(f"{len(names)} candidate indicators give too many sets: name at most {MAX_CANDIDATES}")
    z, centred = standardised(x), y - y.mean()
    sizes = range(1, min(len(names), len(y) - 2) + 1)
    tables = [_sets_of(z, centred, list(combinations(range(len(names)), size)), names) for size in sizes]
    return pl.concat([no_sets(), *tables])


def no_sets() -> pl.DataFrame:
    """The all-subsets table of no indicators at all: its columns."""
    return pl.DataFrame(schema=SETS_SCHEMA)


def _sets_of(z: np.ndarray, y: np.ndarray, sets: list[tuple[int, ...]], names: Sequence[str]) -> pl.DataFrame:
    """``all_subsets`` for sets of one size p, as one stack of QR decompositions (sets, n, p)."""
    from scipy.stats import t as student

    n, p = len(y), len(sets[0])
    q, r = _decomposed(z, sets)
    singular = np.abs(np.diagonal(r, axis1=1, axis2=2)).min(axis=1) <= SINGULAR
    r[singular] = np.eye(p)
    projected = q.transpose(0, 2, 1) @ y
    residuals = y - (q @ projected[:, :, None])[:, :, 0]
    rss, total = np.square(residuals).sum(axis=1), np.square(y).sum()
    freedom = n - p - 1
    log_likelihood = -n / 2 * (np.log(2 * np.pi * rss / n) + 1)
    free = _free(q)
    press = np.square(residuals / np.where(free > SINGULAR, free, np.nan)).sum(axis=1)
    inverse = np.linalg.inv(r)
    slopes = (inverse @ projected[:, :, None])[:, :, 0]
    errors = np.sqrt(rss / freedom)[:, None] * np.linalg.norm(inverse, axis=2)
    figures = {
        "r_squared": 1 - rss / total,
        "adjusted_r_squared": 1 - (rss / freedom) / (total / (n - 1)),
        "aic": 2 * (p + 1) - 2 * log_likelihood,
        "bic": np.log(n) * (p + 1) - 2 * log_likelihood,
        "loo_r_squared": 1 - press / total,
        "largest_p": 2 * student.sf(np.abs(slopes / errors), freedom).max(axis=1),
    }
    return pl.DataFrame(
        {
            "indicators": [SEPARATOR.join(names[column] for column in columns) for columns in sets],
            "n_indicators": [p] * len(sets),
            **{name: np.where(singular, np.nan, values) for name, values in figures.items()},
        },
        schema=SETS_SCHEMA,
    ).with_columns(pl.col(list(figures)).fill_nan(None))


def _decomposed(z: np.ndarray, sets: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Q (sets, n, p) and R (sets, p, p) of the columns of each set."""
    q, r = np.linalg.qr(z[:, np.array(sets)].transpose(1, 0, 2))
    return q, r


def _free(q: np.ndarray) -> np.ndarray:
    """1 - leverage of each observation in each set, the intercept's included: (sets, n)."""
    free: np.ndarray = 1 - 1 / q.shape[1] - np.square(q).sum(axis=2)
    return free


def largest_set(max_indicators: int, n: int) -> int:
    """The most indicators that ``choose`` may take on n observations: three for each coefficient, intercept too."""
    return min(max_indicators, n // OBSERVATIONS_PER_COEFFICIENT - 1)


def choose(sets: pl.DataFrame, max_indicators: int, n: int) -> list[str]:
    """The paper's procedure, "first highest R², then most significant p values", over ``all_subsets``' table.

    Only sets of at most ``max_indicators`` with three observations (of ``n``) for each coefficient take part: the
    highest R² alone always takes everything. R² within 1e-12 of the best is as good; then the smallest ``largest_p``.

    InputError if n is too small for one indicator, or columns that may be chosen are constant or collinear.
    """
    allowed = sets.filter(pl.col("n_indicators") <= largest_set(max_indicators, n))
    if allowed.is_empty():
        raise InputError(
            f"{n} observations are too few to choose indicators: {2 * OBSERVATIONS_PER_COEFFICIENT} are needed for one"
        )
    singular = allowed.filter(pl.col("r_squared").is_null())
    if not singular.is_empty():
        what = "constant" if singular["n_indicators"][0] == 1 else "perfectly collinear"
        columns = singular["indicators"][0].replace(SEPARATOR, ", ")
        raise InputError(f"candidate indicators: {columns}: {what} over the {n} observations")
    best = allowed.filter(pl.col("r_squared") >= pl.col("r_squared").max() - 1e-12)
    chosen: str = best.sort("largest_p", "indicators")["indicators"][0]
    return chosen.split(SEPARATOR)


def with_selection(x: np.ndarray, y: np.ndarray, max_indicators: int, seed: int) -> dict[str, float | int | None]:
    """What ``choose`` is worth once its own looking at the losses is counted (Ambroise & McLachlan 2002).

    - ``loo_r_squared_with_selection``: leave-one-out R² with the choice made anew without each observation; null
      where an observation cannot be left out, since without it every set is collinear.
    - ``selection_p_value``: the share (each count plus one) of ``PERMUTATIONS`` random orders of ``y`` in which the
      best set reaches the R² that the best set has here.
    - ``sets_compared``: how many sets took part.

    The sets are those of ``choose`` on all n observations, in every fold too, and must not be collinear.
    """
    n, p = x.shape
    z, centred = standardised(x), y - y.mean()
    total = np.square(centred).sum()
    generator = np.random.default_rng(seed)
    shuffled = np.column_stack([generator.permutation(centred) for _ in range(PERMUTATIONS)])
    best, reached, compared = 0.0, np.zeros(PERMUTATIONS), 0
    left_rss, left_error = np.full(n, np.inf), np.full(n, np.nan)
    for size in range(1, min(p, largest_set(max_indicators, n)) + 1):
        sets = list(combinations(range(p), size))
        compared += len(sets)
        q, _ = _decomposed(z, sets)
        projected = q.transpose(0, 2, 1) @ np.column_stack([centred, shuffled])
        r_squared = np.square(projected).sum(axis=1).max(axis=0) / total
        best, reached = max(best, r_squared[0]), np.maximum(reached, r_squared[1:])
        # Without observation i a fit's error at i is e / (1 - h), and its residual sum of squares less by e² / (1 - h).
        residuals = centred - (q @ projected[:, :, :1])[:, :, 0]
        free = _free(q)
        fits = free > SINGULAR
        errors = residuals / np.where(fits, free, np.nan)
        rss = np.where(fits, np.square(residuals).sum(axis=1)[:, None] - residuals * errors, np.inf)
        first = rss.argmin(axis=0)
        found = np.take_along_axis(rss, first[None], axis=0)[0]
        # Of equally good sets the smaller one, whose p values are the smaller ones.
        better = found < left_rss - 1e-12 * total
        left_error[better] = np.take_along_axis(errors, first[None], axis=0)[0][better]
        left_rss[better] = found[better]
    loo = float(1 - np.square(left_error).sum() / total)
    return {
        "loo_r_squared_with_selection": None if np.isnan(loo) else loo,
        "selection_p_value": float((1 + (reached >= best - 1e-12).sum()) / (1 + PERMUTATIONS)),
        "sets_compared": compared,
    }

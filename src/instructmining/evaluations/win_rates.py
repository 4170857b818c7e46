"""Win rates of one model against another: raw, controlled for length, and against random selection.

Length-controlled (Dubois et al. 2024, arXiv 2404.04475; AlpacaEval 2, ``metrics/glm_winrate.py``): a logistic GLM of
the preferences, logit = w1·tanh(Δlength / sd(Δlength)) + w2·difficulty + w3, lengths in characters, read at
Δlength = 0. Without difficulty it is their ``length_controlled_minimal``, for any other baseline than GPT-4-turbo.

The package alpaca_eval is not used: its GLM fetches tables from the hub at every call, it hands scikit-learn arguments
that are being removed, and its last release is of December 2024.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from instructmining.jobs.errors import InputError

_NAMES = ("length", "difficulty", "constant")
# AlpacaEval also fits 1,610 preferences between GPT-4-turbo and itself told to be verbose or concise, which pull w1 and
# w2 towards their own; the rows are a file on the hub. Near their optimum they are this penalty,
# ½·(w - CENTRE)'·PULL·(w - CENTRE): least squares of what the weights published for the models of the tests leave over
# of the GLM's equations (tests/test_win_rates.py fits it again, and without each model in turn).
_PULL = np.array([[10.42914727, -7.34262288, 0.0], [-7.34262288, 34.38485640, 0.0], [0.0, 0.0, 0.0]])
_CENTRE = np.array([1.79462938, 0.69957924, 0.0])
_ROWS_PER_WEIGHT = 3
# weights of a fit that runs away: an odds ratio of e^30 is not told by any data
_FARTHEST = 30.0
_STEPS = 100
_NORMAL = 1.959963984540054


class LengthControlled(NamedTuple):
    """Win rate (0 to 1) at equal lengths with its 95 % interval, and the GLM's weights; or why there is none."""

    value: float | None
    interval: tuple[float, float] | None
    weights: dict[str, float]
    reason: str | None = None


def raw(preferences: Sequence[float]) -> float:
    """Mean preference: 1 for a win, 0.5 for a tie, 0 for a loss, or any weight between; higher is better."""
    values = _checked(preferences, "preferences")
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError("win rate: expected preferences between 0 and 1")
    if not len(values):
        raise InputError("win rate: no item has a preference")
    return float(values.mean())


def mean_adjusted(controlled: float) -> float:
    """Percentage points above 50 of a length-controlled win rate against random subsets (CR section 4)."""
    return 100 * controlled - 50


def length_controlled(
    preferences: Sequence[float],
    length_model: Sequence[float],
    length_baseline: Sequence[float],
    difficulty: Sequence[float] | None = None,
) -> LengthControlled:
    """The win rate that the GLM predicts, mean over the items, were both responses of the same length.

    ``difficulty``: AlpacaEval's, of its 805 instructions; with it the pull of AlpacaEval's own regularisation is
    applied. The interval is by the delta method on the logit, from a sandwich covariance (preferences are no counts).
    No value, and a reason, for fewer than three items a weight, for preferences that length separates (all wins among
    them), and where all lengths differ by the same. InputError for preferences outside 0 to 1.
    """
    wins = raw(preferences)
    y = _checked(preferences, "preferences")
    delta = _checked(length_model, "lengths") - _checked(length_baseline, "lengths")
    count = len(_NAMES) - (difficulty is None)
    if len(y) < _ROWS_PER_WEIGHT * count:
        return _unknown(f"{len(y)} items are too few for {count} weights")
    spread = float(delta.std(ddof=1))
    if not spread and delta[0]:
        return _unknown("all lengths differ by the same")
    columns = {"length": np.tanh(delta / spread)} if spread else {}
    if difficulty is not None:
        columns["difficulty"] = _checked(difficulty, "difficulty")
    columns["constant"] = np.ones(len(y))
    x = np.column_stack(list(columns.values()))
    # AlpacaEval's pull is part of its model with difficulty alone; what is not in the model is not pulled
    kept = [_NAMES.index(name) for name in columns]
    pull = _PULL[np.ix_(kept, kept)] * (difficulty is not None)
    weights = None if wins in (0.0, 1.0) else _fit(x, y, pull, _CENTRE[kept])
    if weights is None:
        return _unknown("the preferences leave no room for length: all alike, or separated by it")
    equal = np.column_stack([np.zeros(len(y)) if name == "length" else columns[name] for name in columns])
    predicted = _logistic(equal @ weights)
    value = float(predicted.mean())
    slope = (predicted * (1 - predicted)) @ equal / len(y) / (value * (1 - value))
    # rounding may leave a variance of nothing below it
    error = _NORMAL * float(np.sqrt(max(0.0, slope @ _covariance(x, y, weights, pull) @ slope)))
    middle = np.log(value / (1 - value))
    low, high = (float(_logistic(middle + side * error)) for side in (-1, 1))
    return LengthControlled(value, (low, high), dict(zip(columns, weights.tolist(), strict=True)))


def _checked(values: Sequence[float], what: str) -> np.ndarray:
    found = np.asarray(values, dtype=np.float64)
    if not np.isfinite(found).all():
        raise InputError(f"win rate: {what}: expected finite numbers")
    return found


def _unknown(reason: str) -> LengthControlled:
    return LengthControlled(None, None, {}, reason)


def _logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _fit(x: np.ndarray, y: np.ndarray, pull: np.ndarray, centre: np.ndarray) -> np.ndarray | None:
    """Newton's method on the logistic likelihood of y in [0, 1] and the penalty; None if it runs away.

    Ours, of ten lines: no library at hand has a penalty with a centre. Without one it is statsmodels' GLM.
    """
    weights = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        predicted = _logistic(x @ weights)
        curvature = (x.T * (predicted * (1 - predicted))) @ x + pull
        if np.linalg.cond(curvature) > 1e12:
            return None
        step = np.linalg.solve(curvature, x.T @ (predicted - y) + pull @ (weights - centre))
        weights = weights - step
        if np.abs(weights).max() > _FARTHEST:
            return None
        if np.abs(step).max() < 1e-10:
            return weights
    return None


def _covariance(x: np.ndarray, y: np.ndarray, weights: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """Sandwich (HC1) covariance of the weights."""
    predicted = _logistic(x @ weights)
    bread = np.linalg.inv((x.T * (predicted * (1 - predicted))) @ x + pull)
    filling = (x.T * (y - predicted) ** 2) @ x * len(y) / (len(y) - len(weights))
    return np.asarray(bread @ filling @ bread)

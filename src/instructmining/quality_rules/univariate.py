"""Each indicator by itself: its correlation with log(loss) and the line through the observations (Figure 7)."""

from collections.abc import Sequence

import numpy as np
import polars as pl

FIGURES = ("r", "r_low", "r_high", "slope", "slope_low", "slope_high", "intercept", "p", "lowest", "highest")


def univariate_fits(observations: pl.DataFrame, indicators: Sequence[str]) -> pl.DataFrame:
    """OLS of log(loss) on one indicator at a time, a row each, in the order given.

    Columns: ``indicator``, ``n``, Pearson's ``r`` with its 95 % interval (Fisher's z; null below 4 observations),
    ``slope`` (log loss a unit of the indicator) with its 95 % interval (Student's t), ``intercept``, ``p`` (two-sided,
    of slope 0), and ``lowest`` and ``highest`` value observed. Figures are null for an indicator that does not vary or
    where fewer than 3 observations are given.

    Source: Cao et al. 2023, Figure 7, which has lines alone.
    """
    schema = {"indicator": pl.String, "n": pl.Int64, **dict.fromkeys(FIGURES, pl.Float64)}
    if observations.is_empty():
        return pl.DataFrame(schema=schema)
    y = np.log(observations["loss"].cast(pl.Float64).to_numpy())
    rows = []
    for name in indicators:
        values = observations[name].cast(pl.Float64).to_numpy()
        rows.append({"indicator": name, "n": len(values), **_fit(values, y)})
    return pl.DataFrame(rows, schema=schema)


def _fit(x: np.ndarray, y: np.ndarray) -> dict[str, float | None]:
    from scipy import stats

    found: dict[str, float | None] = dict.fromkeys(FIGURES)
    found |= {"lowest": float(x.min()), "highest": float(x.max())}
    if len(x) < 3 or np.ptp(x) <= 1e-10 * np.abs(x).max() or np.ptp(y) == 0:
        return found
    line = stats.linregress(x, y)
    half = stats.t.ppf(0.975, len(x) - 2) * line.stderr
    found |= {"r": line.rvalue, "slope": line.slope, "intercept": line.intercept, "p": line.pvalue}
    found |= {"slope_low": line.slope - half, "slope_high": line.slope + half}
    if len(x) > 3 and abs(line.rvalue) < 1:
        low, high = np.tanh(np.arctanh(line.rvalue) + np.array([-1, 1]) * stats.norm.ppf(0.975) / np.sqrt(len(x) - 3))
        found |= {"r_low": low, "r_high": high}
    return {name: None if value is None else float(value) for name, value in found.items()}

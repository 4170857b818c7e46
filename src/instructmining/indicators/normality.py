"""Are indicators normally distributed? (Cao et al. 2023, Table 7; their reading is backwards.)

The paper tests raw values against N(0, 1) by one-sample Kolmogorov-Smirnov and takes a small p for normal. A small p
speaks against; and against N(0, 1) even a perfectly normal indicator fails whose mean is not 0 or whose standard
deviation is not 1. Here values are standardised first, and the test is the one for a mean and standard deviation taken
from the same values (Lilliefors 1967). The paper's figure stands beside it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import kstest, kurtosis, skew
from statsmodels.stats.diagnostic import lilliefors

# Larger samples find ever smaller deviations that matter to nobody; the distance says how large they are.
SAMPLE = 5_000
LEVEL = 0.05
# the ends of the table of p values (statsmodels, 10 million simulations)
_LEAST, _MOST = 0.001, 0.99
# that many the test needs
FEWEST = 4
NORMAL, NOT_NORMAL = "normal not rejected", "not normal"
CONSTANT, TOO_FEW = "all tested are equal", f"fewer than {FEWEST} values"

SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(["dataset", "indicator"], pl.String),
    **dict.fromkeys(["values", "tested"], pl.Int64),
    **dict.fromkeys(["skewness", "excess_kurtosis", "lilliefors"], pl.Float64),
    **dict.fromkeys(["lilliefors_p", "verdict"], pl.String),
    **dict.fromkeys(["paper_ks", "paper_ks_p"], pl.Float64),
}


def table(values: pl.DataFrame, indicators: Sequence[str], sample: int = SAMPLE, seed: int = 0) -> pl.DataFrame:
    """One row a dataset and indicator, columns of ``SCHEMA``. ``values``: ``dataset`` and a column an indicator.

    ``values`` counts finite values, on which skewness and excess kurtosis (0 for a normal distribution) are computed;
    ``tested`` those that the tests saw: of more than ``sample`` a seeded sample. ``lilliefors`` is the largest
    distance between the distributions, its p value text, since its table ends at 0.001 and 0.99. ``paper_ks``,
    ``paper_ks_p``: raw values against N(0, 1). What a dataset does not have has no row.
    """
    rows = []
    for (dataset,), frame in values.group_by("dataset", maintain_order=True):
        for name in indicators:
            known = frame[name].drop_nulls().cast(pl.Float64)
            finite = known.filter(known.is_finite()).to_numpy()
            if finite.size:
                rows.append({"dataset": dataset, "indicator": name, **_row(finite, sample, seed)})
    return pl.DataFrame(rows, schema=SCHEMA).sort("indicator", "dataset")


def _row(values: np.ndarray, sample: int, seed: int) -> dict[str, Any]:
    tested = np.random.default_rng(seed).choice(values, sample, replace=False) if values.size > sample else values
    raw = kstest(tested, "norm")
    row: dict[str, Any] = {"values": values.size, "tested": tested.size}
    row |= {"paper_ks": float(raw.statistic), "paper_ks_p": float(raw.pvalue)}
    if np.ptp(tested) == 0 or tested.size < FEWEST:
        return row | {"verdict": TOO_FEW if tested.size < FEWEST else CONSTANT}
    distance, p = lilliefors((tested - tested.mean()) / tested.std(ddof=1))
    row |= {"skewness": float(skew(values)), "excess_kurtosis": float(kurtosis(values))}
    row |= {"lilliefors": float(distance), "lilliefors_p": _p(float(p))}
    return row | {"verdict": NOT_NORMAL if p < LEVEL else NORMAL}


def _p(p: float) -> str:
    # the table's own ends come back with a rounding error
    if p < _LEAST * 1.001:
        return "≤ 0.001"
    return "≥ 0.99" if p > _MOST * 0.999 else f"{p:.3f}"

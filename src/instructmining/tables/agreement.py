"""Do benchmarks, budgets and recipes agree on which run is better? (Diddee & Ippolito 2024, figures 7 and 11)

Values are turned so that higher is better before they are correlated: positive is agreement, whatever the benchmarks'
directions. Runs of one pool, or of one strategy's growing subset, are not independent, so the intervals, which take
them to be, are narrow rather than wide.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from scipy.stats import norm, rankdata

from instructmining.evaluations import HIGHER

# Fewer say nothing, and Fisher's interval needs more than three.
FEWEST = 4
RUN = ("recipe", "strategy", "seed", "pool", "size")
TABLE_SCHEMA: dict[str, type[pl.DataType]] = {
    "between": pl.String,
    "recipe": pl.String,
    "benchmark": pl.String,
    "one": pl.String,
    "other": pl.String,
    "n": pl.Int64,
    "spearman": pl.Float64,
    "spearman_low": pl.Float64,
    "spearman_high": pl.Float64,
    "pearson": pl.Float64,
    "pearson_low": pl.Float64,
    "pearson_high": pl.Float64,
}


def agreement(evaluations: pl.DataFrame) -> pl.DataFrame:
    """Correlations between benchmarks, sizes and recipes over runs: one row a pair, columns of ``TABLE_SCHEMA``.

    ``evaluations``: from ``comparison.read_evaluations``; an evaluation given twice counts once. ``between`` is
    ``benchmark`` (over all runs of a recipe, and over all where there are several: ``recipe`` null), ``size`` (over
    pools, strategies and seeds of one recipe and benchmark; numbers of examples alone) or ``recipe`` (over pools,
    strategies, seeds and sizes of one benchmark). Null where fewer than ``FEWEST`` runs have both, or all are equal.
    """
    sign = pl.when(pl.col("direction") == HIGHER).then(1).otherwise(-1)
    known = evaluations.unique([*RUN, "benchmark"], keep="first", maintain_order=True).select(
        *RUN, "benchmark", value=pl.col("value") * sign
    )
    sized = known.filter(pl.col("size").str.contains(r"^\d+$"))
    found = _pairs(known, "benchmark", ["recipe"])
    found += _pairs(known, "benchmark", []) if known["recipe"].n_unique() > 1 else []
    found += _pairs(sized, "size", ["recipe", "benchmark"])
    found += _pairs(known, "recipe", ["benchmark"])
    return pl.DataFrame(found, schema=TABLE_SCHEMA)


def _pairs(known: pl.DataFrame, between: str, within: Sequence[str]) -> list[dict[str, object]]:
    """A row for every two values of the column ``between``, within every group of the columns ``within``."""
    groups = known.partition_by(within, maintain_order=True) if within else [known]
    rows = []
    for group in groups:
        names = group[between].unique().to_list()
        for one, other in combinations(sorted(names, key=lambda name: (len(name), name)), 2):
            rest = [key for key in (*RUN, "benchmark") if key != between]
            sides = [group.filter(pl.col(between) == name) for name in (one, other)]
            both = sides[0].join(sides[1], on=rest, nulls_equal=True, validate="1:1", maintain_order="left")
            x, y = both["value"].to_numpy(), both["value_right"].to_numpy()
            row = {"between": between, "one": one, "other": other, "n": len(x)}
            rows.append(row | {key: group[key][0] for key in within} | _correlations(x, y))
    return rows


def _correlations(x: np.ndarray, y: np.ndarray) -> dict[str, float | None]:
    if len(x) < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return {}
    found: dict[str, float | None] = {}
    ranks = rankdata(x), rankdata(y)
    for name, r in (("spearman", _pearson(*ranks)), ("pearson", _pearson(x, y))):
        low, high = fisher_interval(r, len(x), ranks=name == "spearman")
        found |= {name: r, f"{name}_low": low, f"{name}_high": high}
    return found


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))


def fisher_interval(r: float, n: int, *, ranks: bool, level: float = 0.05) -> tuple[float | None, float | None]:
    """Interval of a correlation by Fisher's z, of Spearman's with the variance of Bonett & Wright (2000).

    ``n`` pairs, more than 3. A correlation of ±1 has none: its z is infinite, and four pairs may well lie in one order
    by chance.
    """
    if abs(r) == 1:
        return None, None
    error = np.sqrt((1 + r**2 / 2 if ranks else 1) / (n - 3))
    reach = norm.ppf(1 - level / 2) * error
    return float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))

"""Is a difference between models more than chance? Chance in the evaluation items, and in the random subsets.

``difference`` is a strategy's value minus the mean over random seeds. It would come out otherwise on another set of
items, with other random subsets, and if the strategy's own model were trained once more. Both kinds of chance are in
one distribution:

- *Items* are resampled with replacement, the same ones for every model (paired bootstrap, Efron & Tibshirani 1993,
  chapter 8): ``item_differences``.
- *Seeds* are resampled too, but not by drawing among the few there are: of three values a bootstrap knows two thirds of
  the variance and none of the tails. Their mean is redrawn from Student's distribution with the seeds' own spread, in
  each item resample: ``spread``. The strategy's single run is taken to vary as one more random subset does, whose
  spread holds the chance of training as well: hence √(1 + 1/seeds), Student's prediction interval.

The sum of the two is Behrens' and Fisher's distribution (Fisher 1935), its item part by bootstrap. In simulation
(80 items, 3 seeds, 1,500 studies; ``tests/test_significance.py`` has a short one) its 95 % interval covers the true
difference in 95 to 99 % of studies; where the spread over seeds is large, resampling the items alone covers 30 % and
drawing both with replacement 56 %, where it is small, 95 and 97 %.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.stats import t as student_t
from statsmodels.stats.multitest import multipletests

from instructmining.errors import InputError

# A block of bootstrap counts stays below this many numbers (32 MB).
_BLOCK = 4_000_000


def item_differences(selected: Sequence[str], random: Sequence[str], draws: int, seed: int) -> np.ndarray:
    """Mean of the ``selected`` runs minus mean of the ``random`` runs in ``draws`` resamples of the items, seeded.

    Paths of evaluation JSONs; their ``.items.parquet`` lie beside them. Every draw takes the same items for all
    models, and loss is the published one: nats over tokens, so long answers weigh more.

    InputError where the models have losses of different items (one lost an item that another has), of none, or
    losses that are no numbers.
    """
    paths = [*selected, *random]
    first, *others = [_items(path) for path in paths]
    for path, other in zip(paths[1:], others, strict=True):
        if not other["id"].equals(first["id"]):
            raise InputError(
                f"{path}: its items with a loss are not those of {paths[0]}; evaluate both on the same set, with room "
                "for every item"
            )
    if first.is_empty():
        raise InputError(f"{paths[0]}: no item has a loss")
    # items x models
    nats = np.column_stack([frame["nll"].to_numpy() for frame in (first, *others)])
    tokens = np.column_stack([frame["tokens"].to_numpy() for frame in (first, *others)])
    n, m = len(nats), len(selected)
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    found = []
    for start in range(0, draws, block):
        counts = generator.multinomial(n, np.full(n, 1 / n), size=min(block, draws - start))
        loss = (counts @ nats) / (counts @ tokens)
        found.append(loss[:, :m].mean(axis=1) - loss[:, m:].mean(axis=1))
    differences = np.concatenate(found)
    if not np.isfinite(differences).all():
        raise InputError(f"a loss of an item is not a finite number in one of {', '.join(paths)}")
    return differences


def spread(selected: np.ndarray, random: np.ndarray) -> tuple[float, int]:
    """Standard error of mean(selected) - mean(random) from the spread over runs, and its degrees of freedom.

    One spread is assumed for both sides (Student's two-sample test, which for a single selected run is the prediction
    interval for one more random one). ValueError for fewer than two random values.
    """
    if len(random) < 2:
        raise ValueError("one random seed has no spread")
    freedom = len(selected) + len(random) - 2
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in (selected, random))
    return float(np.sqrt(squares / freedom * (1 / len(selected) + 1 / len(random)))), freedom


def two_sided_p(differences: np.ndarray, error: float, freedom: int) -> float:
    """Twice the smaller share of the difference's distribution on either side of 0.

    ``differences``: from ``item_differences``; ``error`` and ``freedom``: from ``spread``. It is the probability,
    were the strategy's run nothing but one more random subset's, of a difference at least this far from 0. Where
    the runs have no spread it is not below 1 / (draws + 1): nothing smaller was looked at.
    """
    below = min(_below(0.0, differences, error, freedom), _below(0.0, -differences, error, freedom))
    return float(np.clip(2 * below, 0 if error else 1 / (len(differences) + 1), 1))


def interval(differences: np.ndarray, error: float, freedom: int, level: float = 0.05) -> tuple[float, float]:
    """The middle 1 - ``level`` of the difference's distribution; it leaves out 0 where p < level."""
    tail = level / 2
    if error == 0:
        low, high = np.quantile(differences, [tail, 1 - tail])
        return float(low), float(high)
    # no draw alone reaches so far, so neither do all together
    far = float(student_t.ppf(1 - tail / 2, freedom)) * error
    bounds = float(differences.min()) - far, float(differences.max()) + far

    def gap(x: float, wanted: float) -> float:
        return _below(x, differences, error, freedom) - wanted

    return float(brentq(gap, *bounds, args=(tail,))), float(brentq(gap, *bounds, args=(1 - tail,)))


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted so that any false claim among all of them has at most the level's probability (Holm 1979)."""
    return [float(p) for p in multipletests(p_values, method="holm")[1]] if len(p_values) else []


def reach(seeds: int, family: int, level: float = 0.05) -> float:
    """Standard deviations over random seeds that the clearest of ``family`` differences must exceed to count.

    For one selected run and no chance in the items. With few seeds it is large: Student's t has long tails.
    """
    tail = level / (2 * family)
    return float(student_t.ppf(1 - tail, seeds - 1)) * float(np.sqrt(1 + 1 / seeds))


def _below(x: float, differences: np.ndarray, error: float, freedom: int) -> float:
    """Share of the distribution below ``x``; half of what lies on it."""
    if error == 0:
        return float((differences < x).mean() + (differences == x).mean() / 2)
    return float(student_t.cdf((x - differences) / error, freedom).mean())


def _items(path: str) -> pl.DataFrame:
    """Items that have a loss; an item whose response did not fit has none."""
    items = pl.read_parquet(Path(path).with_suffix(".items.parquet"), columns=["id", "nll", "tokens"])
    return items.drop_nulls("nll").sort("id")

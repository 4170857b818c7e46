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

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.stats import t as student_t
from statsmodels.stats.multitest import multipletests

from instructmining.jobs.errors import InputError

# A block of bootstrap counts stays below this many numbers (32 MB).
_BLOCK = 4_000_000


def item_differences(selected: Sequence[str], random: Sequence[str], draws: int, seed: int) -> np.ndarray:
    """Mean of the ``selected`` runs minus mean of the ``random`` runs in ``draws`` resamples of the items, seeded.

    As ``item_values``, whose errors it raises.
    """
    values, m = item_values([*selected, *random], draws, seed), len(selected)
    return np.asarray(values[:, :m].mean(axis=1) - values[:, m:].mean(axis=1))


def item_values(paths: Sequence[str], draws: int, seed: int) -> np.ndarray:
    """Values of evaluations in ``draws`` resamples of the items: draws x paths.

    Paths of evaluation JSONs; their ``.items.parquet`` lie beside them. Every draw takes the same items for all
    models, each with its weight: a loss is the published one, nats over tokens, so long answers weigh more. An item
    that a benchmark could not use for one of the models (an answer that cannot be read) has no weight for it.

    InputError where the models were asked different items, where one has no loss of an item that another has one of,
    where none can be used, or for values that are no numbers.
    """
    frames = [read_items(path) for path in paths]
    first = frames[0]
    for path, other in zip(paths, frames, strict=True):
        used = (other["weight"] > 0, first["weight"] > 0)
        what = "loss" if other["loss"].any() else "value"
        if not other["id"].equals(first["id"]) or (what == "loss" and not used[0].equals(used[1])):
            raise InputError(
                f"{path}: its items with a {what} are not those of {paths[0]}; evaluate both on the same set, with "
                "room for every item"
            )
        if not used[0].any():
            raise InputError(f"{path}: no item has a {what}")
    # items x models; what none of them could use is not drawn
    totals, weights = (np.column_stack([frame[name].to_numpy() for frame in frames]) for name in ("total", "weight"))
    drawn = weights.any(axis=1)
    totals, weights = totals[drawn], weights[drawn]
    blocks = [(counts @ totals) / (counts @ weights) for counts in _resamples(len(totals), draws, seed)]
    values = np.concatenate(blocks)
    if not np.isfinite(values).all():
        raise InputError(f"the value of an item is not a finite number in one of {', '.join(paths)}")
    return values


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


def difference(runs: pl.DataFrame, others: pl.DataFrame, draws: int, level: float, seed: int) -> dict[str, float]:
    """``difference`` of the mean ``value`` of some runs and of others, each with its ``path``; of several others also
    ``difference_low``, ``difference_high`` and ``p_value``. InputError as of ``item_values``."""
    values, against = runs["value"].to_numpy(), others["value"].to_numpy()
    found = {"difference": float(values.mean() - against.mean())}
    differences = item_differences(runs["path"].to_list(), others["path"].to_list(), draws, seed)
    if len(against) > 1:
        error, freedom = spread(values, against)
        low, high = interval(differences, error, freedom, level)
        found |= {"difference_low": low, "difference_high": high}
        found["p_value"] = two_sided_p(differences, error, freedom)
    return found


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


def _resamples(n: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of n items is drawn, a row a resample, in blocks that fit in memory."""
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    for start in range(0, draws, block):
        yield generator.multinomial(n, np.full(n, 1 / n), size=min(block, draws - start))


def read_items(path: str | Path) -> pl.DataFrame:
    """What an evaluation's value is made of, sorted by id: ``total`` and ``weight``, 0 where an item has no value.

    The value is the sum of totals over the sum of weights: of a loss (``loss`` true) nats over tokens, else
    ``value`` times ``weight`` over ``weight``.
    """
    items = pl.scan_parquet(Path(path).with_suffix(".items.parquet"))
    loss = "nll" in items.collect_schema()
    total, weight = (
        (pl.col("nll"), pl.col("tokens")) if loss else (pl.col("value") * pl.col("weight"), pl.col("weight"))
    )
    used = total.is_not_null()
    return (
        items.select("id", total=total.fill_null(0.0), weight=pl.when(used).then(weight).otherwise(0).cast(pl.Float64))
        .with_columns(loss=pl.lit(loss))
        .sort("id")
        .collect()
    )


def value_interval(path: str | Path, draws: int = 2_000, level: float = 0.05, seed: int = 0) -> tuple[float, float]:
    """Of one evaluation's value: the middle 1 - ``level`` over resamples of its items (percentile bootstrap)."""
    items = read_items(path).filter(pl.col("weight") > 0)
    return mean_interval(items.select("total", "weight").to_numpy(), draws, level, seed)


def mean_interval(sums: np.ndarray, draws: int, level: float = 0.05, seed: int = 0) -> tuple[float, float]:
    """As ``value_interval``, of items x (total, weight)."""
    drawn = np.concatenate([counts @ sums for counts in _resamples(len(sums), draws, seed)])
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [level / 2, 1 - level / 2])
    return float(low), float(high)

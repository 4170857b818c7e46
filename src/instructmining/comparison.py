"""Selected against random subsets of the same size: is the difference more than chance?

Two kinds of chance are kept apart. *Items*: another evaluation set of the same kind would give other losses;
the paired bootstrap over items shows it. *Subsets*: another random subset would give another loss; the seeds'
spread shows it. A difference counts only if it is larger than both.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student_t

from instructmining.errors import InputError
from instructmining.files import read_json

BETTER, WORSE, SAME = "better", "worse", "not distinguishable"
ONE_SEED, NO_RANDOM = "one random seed: no spread", "no random subset of this size"

GROUP = ["pool", "recipe", "benchmark", "size"]
TABLE_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(GROUP, pl.String),
    "examples": pl.Int64,
    "strategy": pl.String,
    "value": pl.Float64,
    "baseline": pl.String,
    "random_mean": pl.Float64,
    "random_sd": pl.Float64,
    "random_seeds": pl.Int64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "verdict": pl.String,
}
# A block of bootstrap counts stays below this many numbers (32 MB).
_BLOCK = 4_000_000


def evaluation_key(path: str | Path) -> dict[str, str | None]:
    """What an evaluation is of, from its path …/{recipe}/{strategy}/{pool}/{size}/{benchmark}.json.

    ``random-2`` is strategy ``random``, seed ``2``; a strategy without seeds has seed None.
    """
    recipe, name, pool, size, _ = Path(path).parts[-5:]
    strategy, _, seed = name.partition("-")
    return {
        "pool": pool,
        "recipe": recipe,
        "benchmark": Path(path).stem,
        "size": size,
        "strategy": strategy,
        "seed": seed or None,
    }


def read_evaluations(paths: Sequence[str], subsets: Sequence[str]) -> pl.DataFrame:
    """One row an evaluation: its key, ``examples`` (the subset's rows), ``value``, counts and ``path``.

    ``subsets``: the subset Parquet files that ``paths`` were trained on, in any order, each at least once.
    """
    rows = {
        tuple(Path(path).with_suffix("").parts[-3:]): pl.scan_parquet(path).select(pl.len()).collect().item()
        for path in sorted(set(subsets))
    }
    found = []
    for path in paths:
        evaluation = read_json(path)
        found.append(
            evaluation_key(path)
            | {"examples": rows[tuple(Path(path).parts[-4:-1])], "path": str(path)}
            | {name: evaluation[name] for name in ("value", "n_used", "n_expected", "tokens", "truncated")}
        )
    return pl.DataFrame(found, schema_overrides={"seed": pl.String}, infer_schema_length=None)


def compare(
    evaluations: pl.DataFrame, random: Sequence[str], draws: int = 2000, confidence: float = 0.95, seed: int = 0
) -> pl.DataFrame:
    """Every strategy that is not random against every one that is, at equal pool, recipe, benchmark and size.

    ``evaluations``: from ``read_evaluations``; ``random``: the random strategies' names. Loss, lower is better:
    a negative ``difference`` (selected minus mean over random seeds) is in the strategy's favour. Columns and
    types: ``TABLE_SCHEMA``. InputError where two evaluations of one benchmark hold different items.
    """
    rows = []
    chosen = evaluations.filter(~pl.col("strategy").is_in(list(random)))
    for selected in chosen.sort(*GROUP[:3], "examples", "size", "strategy").iter_rows(named=True):
        same = [pl.col(name) == selected[name] for name in GROUP]
        drawn = evaluations.filter(*same, pl.col("strategy").is_in(list(random))).sort("strategy", "seed")
        common = {name: selected[name] for name in (*GROUP, "examples", "strategy", "value")}
        if drawn.is_empty():
            rows.append(common | {"verdict": NO_RANDOM})
        for (baseline,), seeds in drawn.group_by("strategy", maintain_order=True):
            values = seeds["value"].to_numpy()
            spread = float(values.std(ddof=1)) if len(values) > 1 else None
            low, high = paired_interval(selected["path"], seeds["path"].to_list(), draws, confidence, seed)
            difference = selected["value"] - float(values.mean())
            rows.append(
                common
                | {
                    "baseline": baseline,
                    "random_mean": float(values.mean()),
                    "random_sd": spread,
                    "random_seeds": len(values),
                    "difference": difference,
                    "difference_low": low,
                    "difference_high": high,
                    "verdict": verdict(difference, (low, high), spread, len(values), confidence),
                }
            )
    return pl.DataFrame(rows, schema=TABLE_SCHEMA)


def verdict(
    difference: float, interval: tuple[float, float], spread: float | None, seeds: int, confidence: float = 0.95
) -> str:
    """A word for selected minus random (loss; negative is better).

    "better" and "worse" need both: the interval over items excludes 0, and the difference is wider than Student's
    prediction interval for one more random subset, t(seeds - 1) · sd · √(1 + 1/seeds).
    """
    if spread is None:
        return ONE_SEED
    reach = student_t.ppf((1 + confidence) / 2, seeds - 1) * spread * np.sqrt(1 + 1 / seeds)
    if abs(difference) <= reach or interval[0] <= 0 <= interval[1]:
        return SAME
    return BETTER if difference < 0 else WORSE


def paired_interval(
    selected: str, random: Sequence[str], draws: int = 2000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the loss difference under resampling of evaluation items (Efron & Tibshirani 1993).

    Paths of evaluation JSONs; their ``.items.parquet`` lie beside them. Every draw takes the same items for all
    models, and loss is the published one: nats over tokens, so long answers weigh more. Seeded.

    InputError where the models have losses of different items (one lost an item that another has), of none, or
    losses that are no numbers.
    """
    first, *others = [_items(path) for path in (selected, *random)]
    for path, other in zip(random, others, strict=True):
        if not other["id"].equals(first["id"]):
            raise InputError(
                f"{path}: its items with a loss are not those of {selected}; evaluate both on the same set, with room "
                "for every item"
            )
    if first.is_empty():
        raise InputError(f"{selected}: no item has a loss")
    # items x models
    nats = np.column_stack([frame["nll"].to_numpy() for frame in (first, *others)])
    tokens = np.column_stack([frame["tokens"].to_numpy() for frame in (first, *others)])
    n = len(nats)
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    differences = []
    for start in range(0, draws, block):
        counts = generator.multinomial(n, np.full(n, 1 / n), size=min(block, draws - start))
        loss = (counts @ nats) / (counts @ tokens)
        differences.append(loss[:, 0] - loss[:, 1:].mean(axis=1))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(differences), [tail, 1 - tail])
    if not np.isfinite([low, high]).all():
        raise InputError(f"{selected}: a loss of its items, or of {', '.join(random)}, is not a finite number")
    return float(low), float(high)


def sentence(row: Mapping[str, Any]) -> str:
    """The losses in one row of the comparison table that has a baseline, in plain words; the verdict not."""
    spread = "" if row["random_sd"] is None else f" ± {row['random_sd']:.4f}"
    seeds = "1 seed" if row["random_seeds"] == 1 else f"{row['random_seeds']} seeds"
    random = f"{row['baseline']} {row['random_mean']:.4f}{spread} over {seeds}"
    return f"{row['strategy']} {row['value']:.4f} vs {random}"


def _items(path: str) -> pl.DataFrame:
    """Items that have a loss; an item whose response did not fit has none."""
    items = pl.read_parquet(Path(path).with_suffix(".items.parquet"), columns=["id", "nll", "tokens"])
    return items.drop_nulls("nll").sort("id")

"""Does more data help? Values against subset size (Cao et al. 2023, Figures 1 and 4; Phenomenon 2).

Of each strategy: the first minimum, the rise after it and the second descent (double descent); of each selected one:
the size from which random is no worse (Phenomenon 2). ``tables.curves`` locates them, with the chance that
they are none. The noise of a curve has two parts, as in ``tables.significance``:

- *Items* are resampled with replacement, the same ones for every size and strategy.
- *Runs* at every size are redrawn from Student's distribution with the spread over seeds, pooled over sizes: the
  strategy's own where it has several seeds, else that of the random ones, of which its single runs are taken to vary
  as one each. Sizes are taken to vary independently; where a seed's subsets are prefixes of each other this is more
  noise than there is, not less.

Verdicts go by p values adjusted for the family (Holm 1979): every rise, second descent and crossing of a study.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from instructmining.evaluations import HIGHER
from instructmining.tables.curves import FEWEST, LEVEL, Curve, Pattern, find_crossing, find_rise
from instructmining.tables.significance import holm, item_values
from instructmining.tables.size_scan_words import words

MINIMUM, RISE, DESCENT, CROSSING = "first minimum", "rise", "second descent", "crossing"
FOUND, NOT_FOUND, TOO_FEW = "found", "not found", f"fewer than {FEWEST} sizes"
ITEMS_ALONE, ITEMS_AND_RUNS = "items alone", "items and runs"

GROUP = ["pool", "recipe", "benchmark"]
TABLE_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys([*GROUP, "strategy", "random", "pattern", "verdict"], pl.String),
    **dict.fromkeys(["size", "size_low", "size_high"], pl.Int64),
    **dict.fromkeys(["height", "height_low", "height_high", "share", "share_by_chance", "p_value"], pl.Float64),
    "p_holm": pl.Float64,
    "family": pl.Int64,
    "sizes": pl.Int64,
    "noise": pl.String,
    "words": pl.String,
}
POINT_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys([*GROUP, "strategy"], pl.String),
    "examples": pl.Int64,
    **dict.fromkeys(["value", "low", "high"], pl.Float64),
    "seeds": pl.Int64,
}


def scan(
    evaluations: pl.DataFrame, random: Sequence[str], draws: int = 10_000, seed: int = 0
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the curves do, one row a pattern (``TABLE_SCHEMA``), and the curves, one row a size (``POINT_SCHEMA``).

    ``evaluations``: from ``comparison.read_evaluations``; the subset of everything is no size. ``random``: the
    strategies of kind random. ``size`` is null where the verdict is not "found": of a first minimum and a rise the one
    verdict is the rise's. ``height``: see ``tables.curves``; positive, whichever way the benchmark's values
    go. ``low``, ``high`` of a point: the middle 95 % over items and runs.

    InputError where the runs on a benchmark were asked different items.
    """
    rows: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    sized = evaluations.filter(pl.col("size") != "all").unique(
        [*GROUP, "strategy", "seed", "examples"], keep="first", maintain_order=True
    )
    for keys, runs in sized.sort(*GROUP, "strategy", "examples", "seed").group_by(*GROUP, maintain_order=True):
        group = dict(zip(GROUP, keys, strict=True))
        curves, noise = read_curves(runs, random, draws, seed)
        sign = -1 if runs["direction"][0] == HIGHER else 1
        for name, curve in curves.items():
            points += [group | {"strategy": name} | point for point in _points(curve, sign)]
            rows += [group | {"strategy": name, "noise": noise} | row for row in _rises(curve)]
            others = [other for other in random if other in curves and name not in random]
            for other in others:
                row = _crossing(*shared(curve, curves[other]))
                rows.append(group | {"strategy": name, "random": other, "noise": noise} | row)
    return _judged(rows), pl.DataFrame(points, schema=POINT_SCHEMA)


def read_curves(runs: pl.DataFrame, random: Sequence[str], draws: int, seed: int) -> tuple[dict[str, Curve], str]:
    """The curve of every strategy, and what their noise is of. ``runs``: of one pool, recipe and benchmark."""
    sign = -1 if runs["direction"][0] == HIGHER else 1
    runs = runs.with_columns(pl.col("value") * sign, run=pl.int_range(pl.len()))
    items = item_values(runs["path"].to_list(), draws, seed) * sign - runs["value"].to_numpy()
    shared_spread = _spread(runs.filter(pl.col("strategy").is_in(list(random))))
    curves, known = {}, True
    for (name,), own in runs.group_by("strategy", maintain_order=True):
        by_size = own.group_by("examples", maintain_order=True).agg("run", pl.col("value").mean(), n=pl.len())
        noise = np.column_stack([items[:, run].mean(axis=1) for run in by_size["run"].to_list()])
        count = by_size["n"].to_numpy()
        spread = _spread(own) or shared_spread
        if spread:
            noise = noise + _run_noise(*spread, count, draws, [seed, crc32(str(name).encode())])
        known = known and spread is not None
        curves[str(name)] = Curve(by_size["examples"].to_numpy(), by_size["value"].to_numpy(), noise, count)
    return curves, ITEMS_AND_RUNS if known else ITEMS_ALONE


def shared(one: Curve, other: Curve) -> tuple[Curve, Curve]:
    """Both curves at the sizes that both have."""
    sizes, mine, theirs = np.intersect1d(one.sizes, other.sizes, return_indices=True)
    pairs = ((one, mine), (other, theirs))
    first, second = (Curve(sizes, c.value[at], c.noise[:, at], c.runs[at]) for c, at in pairs)
    return first, second


def _spread(runs: pl.DataFrame) -> tuple[float, int] | None:
    """Standard deviation over seeds, pooled over strategies and sizes, and its degrees of freedom; None without."""
    # in the runs' order: a sum in another order is another number in its last digit
    groups = runs.group_by("strategy", "examples", maintain_order=True).agg(pl.col("value").var(), n=pl.len())
    groups = groups.filter(pl.col("n") > 1)
    freedom = int((groups["n"] - 1).sum())
    return (float(((groups["n"] - 1) * groups["value"]).sum() / freedom) ** 0.5, freedom) if freedom else None


def _run_noise(sd: float, freedom: int, runs: np.ndarray, draws: int, seed: Sequence[int]) -> np.ndarray:
    # one error of the spread for all curves that share it
    scale = np.sqrt(freedom / np.random.default_rng([seed[0], freedom]).chisquare(freedom, size=(draws, 1)))
    return sd * scale * np.random.default_rng(seed).normal(size=(draws, len(runs))) / np.sqrt(runs)


def _points(curve: Curve, sign: int) -> list[dict[str, Any]]:
    ends = sign * np.quantile(curve.value + curve.noise, [LEVEL / 2, 1 - LEVEL / 2], axis=0)
    columns = (curve.sizes, sign * curve.value, ends.min(axis=0), ends.max(axis=0), curve.runs)
    names = ("examples", "value", "low", "high", "seeds")
    return [dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _rises(curve: Curve) -> list[dict[str, Any]]:
    common = {"sizes": len(curve.sizes), "scanned": curve.sizes.tolist()}
    if len(curve.sizes) < FEWEST:
        return [common | {"pattern": pattern, "verdict": TOO_FEW} for pattern in (MINIMUM, RISE, DESCENT)]
    found = find_rise(curve)
    common |= {"minimum": found.minimum.size, "peak": found.rise.size, "share_below": found.share_below}
    common["best"] = int(curve.sizes[curve.value.argmin()])
    patterns = {MINIMUM: found.minimum, RISE: found.rise, DESCENT: found.second_descent}
    return [common | {"pattern": name} | pattern._asdict() for name, pattern in patterns.items()]


def _crossing(one: Curve, other: Curve) -> dict[str, Any]:
    common = {"pattern": CROSSING, "sizes": len(one.sizes), "scanned": one.sizes.tolist()}
    if len(one.sizes) < FEWEST:
        return common | {"verdict": TOO_FEW}
    found = find_crossing(one, other)
    return common | {"before": found.before, "after": found.after} | found.pattern._asdict()


def _judged(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The table with the family's adjusted p values, a verdict and words in every row."""
    # a first minimum is the foot of its rise: one question, asked once
    asked = [row for row in rows if "p_value" in row and row["pattern"] != MINIMUM]
    for row, p in zip(asked, holm([row["p_value"] for row in asked]), strict=True):
        row |= {"p_holm": p, "family": len(asked), "verdict": FOUND if p < LEVEL else NOT_FOUND}
    for row, after in pairwise(rows):
        if row["pattern"] == MINIMUM and "p_value" in row:
            row |= {name: after[name] for name in ("p_holm", "family", "verdict")}
    table = [row | {"words": words(row)} for row in rows]
    unplaced = dict.fromkeys(Pattern._fields[:3])
    known = [row if row["verdict"] == FOUND else row | unplaced for row in table]
    return pl.DataFrame([{name: row.get(name) for name in TABLE_SCHEMA} for row in known], schema=TABLE_SCHEMA)

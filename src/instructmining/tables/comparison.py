"""Selected against random subsets of the same size: is the difference more than chance?

One *family* is all of a comparison's strategies against random, at every pool, recipe, benchmark and size. Each
difference has its own interval and p value (``tables.significance``); the verdict goes by the p value adjusted
for the family (Holm 1979), so that "better" or "worse" stands wrongly anywhere in the table in at most 5 % of studies
in which nothing differs from random. Strict random and full are baselines beside it: they have no verdict and are not
in the family.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.evaluations import HIGHER, LOWER
from instructmining.jobs.files import read_json
from instructmining.tables.significance import difference, holm

BETTER, WORSE, SAME = "better", "worse", "not distinguishable from random"
ONE_SEED, NO_RANDOM, BASELINE = "one random seed: no spread", "no random subset of this size", "baseline"
STRATEGY = "strategy"

GROUP = ["pool", "recipe", "benchmark", "size"]
# columns of tables that are names even where they look like numbers: for reading CSV
NAMES = dict.fromkeys([*GROUP, "strategy", "seed", "baseline"], pl.String)
TABLE_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(GROUP, pl.String),
    "examples": pl.Int64,
    "strategy": pl.String,
    "role": pl.String,
    "value": pl.Float64,
    "sd": pl.Float64,
    "seeds": pl.Int64,
    "direction": pl.String,
    "baseline": pl.String,
    "random_mean": pl.Float64,
    "random_sd": pl.Float64,
    "random_seeds": pl.Int64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p_value": pl.Float64,
    "p_holm": pl.Float64,
    "family": pl.Int64,
    "verdict": pl.String,
}


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
            | {name: evaluation[name] for name in ("value", "unit", "direction", "n_used", "n_expected")}
            # of losses
            | {name: evaluation.get(name) for name in ("tokens", "truncated")}
        )
    return pl.DataFrame(found, schema_overrides={"seed": pl.String}, infer_schema_length=None)


def compare(
    evaluations: pl.DataFrame,
    baselines: Mapping[str, str],
    draws: int = 10_000,
    level: float = 0.05,
    seed: int = 0,
) -> pl.DataFrame:
    """Every strategy against every random one, at equal pool, recipe, benchmark and size. Columns: ``TABLE_SCHEMA``.

    ``evaluations``: from ``read_evaluations``, of one comparison; ``baselines``: kind (random, strict_random, full) of
    every strategy that is no competitor, whose ``role`` that is; competitors' is "strategy". ``value`` is the mean
    over the strategy's seeds, ``difference`` that minus ``random_mean``; ``direction`` says which sign is in the
    strategy's favour. ``p_value`` and interval: see ``tables.significance``; null with one random seed.
    InputError where two evaluations of one benchmark hold different items.
    """
    rows: list[dict[str, Any]] = []
    random = [name for name, kind in baselines.items() if kind == "random"]
    ordered = evaluations.sort(*GROUP[:3], "examples", "size", "strategy", "seed")
    chosen = ordered.filter(~pl.col("strategy").is_in(random))
    for _, runs in chosen.group_by(*GROUP, "strategy", maintain_order=True):
        first = runs.row(0, named=True)
        common = {name: first[name] for name in (*GROUP, "examples", "strategy", "direction")}
        common["role"] = baselines.get(first["strategy"], STRATEGY)
        common |= {"value": runs["value"].mean(), "sd": runs["value"].std(), "seeds": runs.height}
        same = [pl.col(name) == first[name] for name in GROUP]
        drawn = ordered.filter(*same, pl.col("strategy").is_in(random))
        if drawn.is_empty():
            rows.append(common)
        for (baseline,), seeds in drawn.group_by("strategy", maintain_order=True):
            rows.append(common | {"baseline": baseline, **_against(runs, seeds, draws, level, seed)})
    return _judged(pl.DataFrame(rows, schema=TABLE_SCHEMA), level)


def _against(
    runs: pl.DataFrame, random: pl.DataFrame, draws: int, level: float, seed: int
) -> dict[str, float | int | None]:
    """One strategy's runs against one random strategy's."""
    others = random["value"].to_numpy()
    found: dict[str, float | int | None] = {
        "random_mean": float(others.mean()),
        "random_sd": float(others.std(ddof=1)) if len(others) > 1 else None,
        "random_seeds": len(others),
    }
    return {**found, **difference(runs, random, draws, level, seed)}


def _judged(table: pl.DataFrame, level: float) -> pl.DataFrame:
    """The table with the family's adjusted p values and a verdict in every row."""
    member = (table["role"] == STRATEGY) & table["p_value"].is_not_null()
    adjusted = iter(holm(table.filter(member)["p_value"].to_list()))
    p_holm = pl.Series([next(adjusted) if is_member else None for is_member in member], dtype=pl.Float64)
    family = pl.Series([member.sum() if is_member else None for is_member in member], dtype=pl.Int64)
    # what no baseline is told: the p value of a question that is not asked
    asked = pl.when(pl.col("role") == STRATEGY).then("p_value")
    table = table.with_columns(p_value=asked, p_holm=p_holm, family=family)
    words = [verdict(row, level) for row in table.iter_rows(named=True)]
    return table.with_columns(verdict=pl.Series(words, dtype=pl.String))


def verdict(row: Mapping[str, Any], level: float = 0.05) -> str:
    """A word for a row of the table: by ``p_holm``, the sign of ``difference`` and the benchmark's ``direction``."""
    if row["role"] != STRATEGY:
        return BASELINE
    if row["baseline"] is None:
        return NO_RANDOM
    if row["p_holm"] is None:
        return ONE_SEED
    if row["p_holm"] >= level:
        return SAME
    sign = {LOWER: -1, HIGHER: 1}[row["direction"]]
    return BETTER if sign * row["difference"] > 0 else WORSE


def compared(table: pl.DataFrame) -> pl.DataFrame:
    """The rows in which a strategy meets random: those that have something to say."""
    return table.filter(pl.col("role") == STRATEGY, pl.col("baseline").is_not_null())


def sentence(row: Mapping[str, Any]) -> str:
    """The values in one row of the comparison table in plain words; the verdict not."""
    told = f"{row['strategy']} {_mean(row['value'], row['sd'], row['seeds'])}"
    if row["baseline"] is None:
        return told
    random = _mean(row["random_mean"], row["random_sd"], row["random_seeds"], always=True)
    return f"{told} vs {row['baseline']} {random}"


def _mean(mean: float, sd: float | None, seeds: int, always: bool = False) -> str:
    told = f"{mean:.4f}" + ("" if sd is None else f" ± {sd:.4f}")
    return told + (f" over {seeds} seed{'s' * (seeds > 1)}" if always or seeds > 1 else "")

"""Does a quality rule need each of its indicators? (Cao et al. 2023, Table 5)

Each ablated rule is fitted anew on the same observations without one indicator, selects from the same pool, and its
subset is finetuned as often, with the same seeds, as the full rule's.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.evaluations import HIGHER, LOWER
from instructmining.selection.overlap import share
from instructmining.tables.significance import difference, holm

NEEDED, HARMFUL, SAME = "worse without it", "better without it", "no difference found"
ONE_SEED, FULL = "one seed: no spread", "the full rule"
GROUP = ["pool", "recipe", "benchmark", "size"]
TABLE_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(GROUP, pl.String),
    "examples": pl.Int64,
    "left_out": pl.String,
    "strategy": pl.String,
    "value": pl.Float64,
    "sd": pl.Float64,
    "seeds": pl.Int64,
    "direction": pl.String,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p_value": pl.Float64,
    "p_holm": pl.Float64,
    "verdict": pl.String,
    "overlap": pl.Float64,
}


def table(
    evaluations: pl.DataFrame,
    ablated: Mapping[str, str],
    recipes: Mapping[str, str],
    ids: Mapping[tuple[str, str, str], pl.Series],
    draws: int = 10_000,
    level: float = 0.05,
    seed: int = 0,
) -> pl.DataFrame:
    """One row for the full rule and for each ablated one, for each pool, recipe, benchmark and size.

    ``evaluations``: from ``comparison.read_evaluations``, of the study; ``ablated``: strategy -> the indicator that its
    rule lacks, every other strategy is the full rule's; ``recipes``: recipe of a run -> the recipe that it repeats with
    another seed; ``ids``: (strategy, pool, size) -> ids of the subset. ``value`` is the mean over seeds, ``difference``
    that minus the full rule's, with an interval over items and seeds (``tables.significance``: two samples of
    runs with one spread) where there are two seeds or more. ``p_holm`` is adjusted for all differences of the table.
    ``overlap``: share of the full rule's subset that is in this one: at 1 nothing can differ but the order.
    """
    runs = evaluations.with_columns(recipe=pl.col("recipe").replace_strict(recipes)).sort(
        "examples", maintain_order=True
    )
    rows: list[dict[str, Any]] = []
    for _, group in runs.group_by(*GROUP, maintain_order=True):
        full = group.filter(~pl.col("strategy").is_in(list(ablated)))
        first = full.row(0, named=True)
        rows.append(_row(first, full) | {"verdict": FULL})
        for name, left_out in ablated.items():
            mine = group.filter(pl.col("strategy") == name)
            found = _row(first, mine) | {"left_out": left_out, "strategy": name}
            found |= difference(mine, full, draws, level, seed)
            place = (first["pool"], first["size"])
            rows.append(found | {"overlap": share(ids[name, *place], ids[first["strategy"], *place])})
    return _judged(pl.DataFrame(rows, schema=TABLE_SCHEMA), level)


def coefficients(rules: Mapping[str, Mapping[str, Any]], ablated: Mapping[str, str]) -> pl.DataFrame:
    """One row a rule: ``left_out`` (null: the full one), ``r_squared``, ``loo_r_squared``, a column a coefficient.

    ``rules``: name -> the quality rule's JSON, the full one first. An indicator that a rule does not use is null.
    """
    names = list(dict.fromkeys(name for rule in rules.values() for name in rule["coefficients"]))
    rows = [
        {"left_out": ablated.get(name), **{key: rule[key] for key in ("r_squared", "loo_r_squared")}}
        | {column: rule["coefficients"].get(column) for column in names}
        for name, rule in rules.items()
    ]
    schema = {"left_out": pl.String, **dict.fromkeys(("r_squared", "loo_r_squared", *names), pl.Float64)}
    return pl.DataFrame(rows, schema=schema)


def sentence(row: Mapping[str, Any]) -> str:
    """One row of ``table`` in words, the verdict not."""
    told = f"without {row['left_out']} {row['value']:.4f}, {row['difference']:+.4f}"
    if row["difference_low"] is not None:
        told += f" ({row['difference_low']:+.4f} to {row['difference_high']:+.4f}; Holm {row['p_holm']:.2g})"
    return f"{told}, {row['overlap']:.0%} of its examples in common"


def _row(first: Mapping[str, Any], runs: pl.DataFrame) -> dict[str, Any]:
    found = {name: first[name] for name in (*GROUP, "examples", "strategy", "direction")}
    return found | {"value": runs["value"].mean(), "sd": runs["value"].std(), "seeds": runs.height}


def _judged(table: pl.DataFrame, level: float) -> pl.DataFrame:
    adjusted = iter(holm(table["p_value"].drop_nulls().to_list()))
    p_holm = [None if value is None else next(adjusted) for value in table["p_value"]]
    table = table.with_columns(p_holm=pl.Series(p_holm, dtype=pl.Float64))
    words = [row["verdict"] or _verdict(row, level) for row in table.iter_rows(named=True)]
    return table.with_columns(verdict=pl.Series(words, dtype=pl.String))


def _verdict(row: Mapping[str, Any], level: float) -> str:
    if row["p_holm"] is None:
        return ONE_SEED
    if row["p_holm"] >= level:
        return SAME
    return HARMFUL if row["difference"] * {LOWER: -1, HIGHER: 1}[row["direction"]] > 0 else NEEDED

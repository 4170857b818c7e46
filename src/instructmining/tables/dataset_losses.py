"""What finetuning on random examples of each dataset gives (Cao et al. 2023, Table 8)."""

from collections.abc import Mapping

import polars as pl
from scipy.stats import t as student_t

from instructmining.evaluations import HIGHER

TABLE_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("recipe", "benchmark"), pl.String),
    "place": pl.Int64,
    "dataset": pl.String,
    "examples": pl.Int64,
    "value": pl.Float64,
    "sd": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "draws": pl.Int64,
    "unit": pl.String,
    "direction": pl.String,
}


def table(evaluations: pl.DataFrame, datasets: Mapping[str, str], level: float = 0.05) -> pl.DataFrame:
    """One row for each recipe, benchmark and dataset, the best first: columns of ``TABLE_SCHEMA``.

    ``evaluations``: from ``comparison.read_evaluations``, of the study; ``datasets``: pool -> its dataset. ``value`` is
    the mean over random draws, ``sd`` their standard deviation, ``low`` to ``high`` the interval of the mean over draws
    (Student's t; null with one draw): other examples of the dataset would have said that. All datasets are evaluated
    on the same items, whose own chance moves them together and is not in it. ``place`` counts from 1.
    """
    named = evaluations.with_columns(dataset=pl.col("pool").replace_strict(datasets))
    found = []
    for _, group in named.group_by("recipe", "benchmark", maintain_order=True):
        means = group.group_by("recipe", "benchmark", "dataset", "unit", "direction", maintain_order=True).agg(
            examples=pl.col("examples").first(),
            value=pl.col("value").mean(),
            sd=pl.col("value").std(),
            draws=pl.len().cast(pl.Int64),
        )
        best_first = means.sort("value", descending=group["direction"][0] == HIGHER, maintain_order=True)
        found.append(best_first.with_columns(place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)))
    whole = pl.concat(found)
    reach = [student_t.ppf(1 - level / 2, draws - 1) / draws**0.5 if draws > 1 else None for draws in whole["draws"]]
    half = pl.Series(reach, dtype=pl.Float64) * whole["sd"]
    return whole.with_columns(low=whole["value"] - half, high=whole["value"] + half).select(list(TABLE_SCHEMA))

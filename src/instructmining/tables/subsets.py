"""Selected subsets as the paper's Table 3: losses, the rule's own value, and minutes (Cao et al. 2023, Table 3)."""

from collections.abc import Mapping

import polars as pl

from instructmining.costs.jobs import FINETUNE, PARTS

KEY = ["pool", "recipe", "strategy", "size"]
MINUTES = {part: f"{part}_minutes" for part in (*PARTS, FINETUNE)}
Place = tuple[str, str, str]


def table(
    evaluations: pl.DataFrame,
    parts: pl.DataFrame,
    subsets: Mapping[Place, pl.Series],
    scores: Mapping[tuple[str, str], pl.DataFrame],
) -> pl.DataFrame:
    """One row for each pool, recipe, rule, strategy and size; means over a strategy's ``seeds``.

    ``evaluations``: from ``comparison.read_evaluations``, of one comparison; ``parts``: its costs, from
    ``cost_tables.parts_table``; ``subsets``: (order, pool, size) -> ids; ``scores``: (strategy of kind quality_rule,
    pool) -> its ranking, whose score is the rule's predicted log loss. Columns: ``value_{benchmark}`` each;
    ``rule_value``, the mean of ``rule``'s predicted log loss over the subset, which is the rule's value of the subset
    as a mixture, lower is better, and ``exp_rule_value``, the loss that this predicts; ``unscored``, examples of the
    subset that the rule has no value of and the mean leaves out; ``{part}_minutes`` of jobs' wall-clock time, of which
    ``unmeasured`` jobs have none.
    """
    runs = evaluations.pivot(
        "benchmark",
        index=[*KEY, "seed", "examples"],
        values="value",
        aggregate_function="first",
        maintain_order=True,
    )
    benchmarks = evaluations["benchmark"].unique().sort().to_list()
    runs = runs.rename({name: f"value_{name}" for name in benchmarks})
    values = [f"value_{name}" for name in benchmarks]
    found = runs.join(_minutes(parts), on=[*KEY, "seed"], how="left", nulls_equal=True, maintain_order="left")
    found = found.join(
        _rule_values(subsets, scores),
        on=["pool", "strategy", "seed", "size"],
        how="left",
        nulls_equal=True,
        maintain_order="left_right",
    )
    shown = [*values, "rule_value", "unscored", *MINUTES.values()]
    means = found.group_by(*KEY, "rule", maintain_order=True).agg(
        pl.col("examples").first(), pl.len().alias("seeds"), pl.col(shown).mean(), pl.col("unmeasured").sum()
    )
    means = means.with_columns(exp_rule_value=pl.col("rule_value").exp())
    order = ["pool", "recipe", "rule", "strategy", "size", "examples", "seeds", *values]
    order += ["rule_value", "exp_rule_value", "unscored", *MINUTES.values(), "unmeasured"]
    return means.select(order).sort("pool", "recipe", "rule", "examples", maintain_order=True)


def _minutes(parts: pl.DataFrame) -> pl.DataFrame:
    """One row a run: ``{part}_minutes`` and ``unmeasured``."""
    sums = [
        (60 * pl.col("hours").filter(pl.col("part") == part).sum()).alias(column) for part, column in MINUTES.items()
    ]
    return parts.group_by(*KEY, "seed", maintain_order=True).agg(*sums, unmeasured=pl.col("missing").sum())


def _rule_values(subsets: Mapping[Place, pl.Series], scores: Mapping[tuple[str, str], pl.DataFrame]) -> pl.DataFrame:
    """Every subset under every rule that ranks its pool."""
    rows = []
    for (order, pool, size), ids in subsets.items():
        strategy, _, seed = order.partition("-")
        for (rule, ranked), ranking in scores.items():
            if ranked == pool:
                under = ranking.filter(pl.col("id").is_in(ids.implode()))["score"].drop_nulls()
                rows.append((pool, strategy, seed or None, size, rule, under.mean(), float(len(ids) - len(under))))
    schema = {**dict.fromkeys(("pool", "strategy", "seed", "size", "rule"), pl.String)}
    return pl.DataFrame(rows, schema={**schema, "rule_value": pl.Float64, "unscored": pl.Float64}, orient="row")

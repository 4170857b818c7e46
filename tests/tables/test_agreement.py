"""Correlations between benchmarks, budgets and recipes."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from instructmining.evaluations import HIGHER, LOWER
from instructmining.tables import agreement


def runs(**changes: object) -> pl.DataFrame:
    """Evaluations of 2 benchmarks, 2 recipes, 2 sizes and 5 orders; ``full`` has a size of its own."""
    draw = np.random.default_rng(0)
    rows = []
    orders = [("random", "0"), ("random", "1"), ("random", "2"), ("longest", None), ("rule", None), ("full", None)]
    for recipe, level in (("full_weights", 0.0), ("lora", 0.5)):
        for strategy, seed in orders:
            for size in ("all",) if strategy == "full" else ("100", "1000"):
                hard = draw.normal(0, 0.1)
                for benchmark, noise in (("loss", 0.0), ("wins", 0.05)):
                    value = 2 + level + hard + noise * draw.normal()
                    row = {"recipe": recipe, "strategy": strategy, "seed": seed, "pool": "p", "size": size}
                    rows.append(row | {"benchmark": benchmark, "value": value, "direction": LOWER} | changes)
    return pl.DataFrame(rows, schema_overrides={"seed": pl.String}, infer_schema_length=None)


def pick(table: pl.DataFrame, **keys: object) -> dict:
    wanted = [pl.col(key).is_null() if value is None else pl.col(key) == value for key, value in keys.items()]
    return table.filter(*wanted).row(0, named=True)


def test_benchmarks_are_correlated_over_all_runs_of_a_recipe_and_of_all() -> None:
    frame = runs()
    table = agreement.agreement(frame)
    assert table.schema == pl.Schema(agreement.TABLE_SCHEMA)
    row = pick(table, between="benchmark", recipe="lora")
    lora = frame.filter(recipe="lora")
    x, y = (lora.filter(benchmark=name)["value"].to_numpy() for name in ("loss", "wins"))
    assert (row["one"], row["other"], row["n"]) == ("loss", "wins", 11)
    assert row["pearson"] == pytest.approx(pearsonr(x, y)[0])
    assert row["spearman"] == pytest.approx(spearmanr(x, y)[0])
    low, high = pearsonr(x, y).confidence_interval(0.95)
    assert (row["pearson_low"], row["pearson_high"]) == pytest.approx((low, high))
    assert row["spearman_low"] < row["spearman"] < row["spearman_high"]
    assert pick(table, between="benchmark", recipe=None)["n"] == 22


def test_budgets_and_recipes_pair_the_same_runs_seed_by_seed() -> None:
    frame = runs()
    table = agreement.agreement(frame)
    sizes, recipes = table.filter(between="size"), table.filter(between="recipe")
    assert set(zip(sizes["one"], sizes["other"], sizes["n"], strict=True)) == {("100", "1000", 5)}
    assert sizes.height == 4 and recipes.height == 2 and set(recipes["n"]) == {11}
    one = frame.filter(recipe="full_weights", benchmark="loss")["value"].to_numpy()
    other = frame.filter(recipe="lora", benchmark="loss")["value"].to_numpy()
    assert pick(recipes, benchmark="loss")["pearson"] == pytest.approx(pearsonr(one, other)[0])


def test_the_order_of_rows_and_an_evaluation_named_twice_change_nothing() -> None:
    frame = runs()
    shuffled = pl.concat([frame, frame.head(7)]).sample(fraction=1.0, shuffle=True, seed=1)
    key = ["between", "recipe", "benchmark"]
    one, other = (agreement.agreement(rows).sort(*key) for rows in (frame, shuffled))
    assert one.select(*key, "n").equals(other.select(*key, "n"))
    assert np.allclose(one["pearson"].to_numpy(), other["pearson"].to_numpy())


def test_a_benchmark_of_the_other_direction_is_turned() -> None:
    frame = runs()
    better = pl.col("benchmark") == "wins"
    turned = frame.with_columns(
        value=pl.when(better).then(-pl.col("value")).otherwise("value"),
        direction=pl.when(better).then(pl.lit(HIGHER)).otherwise("direction"),
    )
    assert agreement.agreement(turned).equals(agreement.agreement(frame))


def test_too_few_runs_or_none_that_differ_are_counted_and_not_correlated() -> None:
    few = agreement.agreement(runs().filter(pl.col("strategy").is_in(["longest", "rule", "full"])))
    row = pick(few, between="size", benchmark="loss")
    assert row["n"] == 2 and row["pearson"] is row["spearman_low"] is None
    assert agreement.agreement(runs(value=1.0))["pearson"].null_count() == 9
    alone = runs().filter(pl.col("recipe") == "lora", pl.col("benchmark") == "loss", pl.col("size") == "100")
    assert agreement.agreement(alone).is_empty()


@given(st.floats(-0.999, 0.999), st.integers(4, 500), st.booleans())
def test_the_interval_holds_the_correlation_and_shrinks(r: float, n: int, ranks: bool) -> None:
    low, high = agreement.fisher_interval(r, n, ranks=ranks)
    assert -1 <= low <= r <= high <= 1
    narrower = agreement.fisher_interval(r, n + 10, ranks=ranks)
    assert narrower[1] - narrower[0] <= high - low
    opposite = agreement.fisher_interval(-r, n, ranks=ranks)
    assert (opposite[0], opposite[1]) == pytest.approx((-high, -low))


def test_a_perfect_correlation_has_no_interval() -> None:
    assert (
        agreement.fisher_interval(1.0, 4, ranks=True) == agreement.fisher_interval(-1.0, 9, ranks=False) == (None, None)
    )


def test_intervals_cover_a_known_correlation() -> None:
    draw = np.random.default_rng(4)
    true, covered = 0.6, {False: 0, True: 0}
    # of normal variables: Spearman's is 6/π · asin(r/2)
    truth = {False: true, True: 6 / math.pi * math.asin(true / 2)}
    for _ in range(400):
        x, noise = draw.normal(size=(2, 20))
        y = true * x + math.sqrt(1 - true**2) * noise
        for ranks in (False, True):
            r = spearmanr(x, y)[0] if ranks else pearsonr(x, y)[0]
            low, high = agreement.fisher_interval(r, 20, ranks=ranks)
            covered[ranks] += low <= truth[ranks] <= high
    assert all(0.91 <= count / 400 <= 0.98 for count in covered.values())

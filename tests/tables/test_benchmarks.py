"""Evaluations as tables: what is shown of runs, of parts of a benchmark, and of its items."""

from pathlib import Path

import polars as pl
import pytest

import artifacts
from instructmining.data.examples import EXAMPLE_SCHEMA
from instructmining.jobs.files import read_json, write_parquet
from instructmining.tables import benchmarks as benchmark_tables
from instructmining.tables import comparison

WINS = {"best": 30, "random-0": 18, "random-1": 20}


@pytest.fixture
def evaluations(tmp_path) -> pl.DataFrame:
    paths, subsets = [], []
    for run, wins in WINS.items():
        subset = tmp_path / f"results/subsets/{run}/unseen/200.parquet"
        write_parquet(pl.DataFrame({"id": ["a"] * 200, "dataset": "x"}), subset, {})
        path = tmp_path / f"results/evaluations/tiny/{run}/unseen/200/judged.json"
        artifacts.write_evaluation(
            path, artifacts.verdicts(wins), parts={"math": {"n": wins, "interval": [0.25, 0.5]}}, some=[1]
        )
        paths, subsets = [*paths, str(path)], [*subsets, str(subset)]
    return comparison.read_evaluations(paths, subsets)


def test_a_run_has_its_value_and_an_interval_around_it(evaluations):
    table = benchmark_tables.runs(evaluations)
    assert table["value"].to_list() == [read_json(path)["value"] for path in evaluations["path"]]
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()
    assert table["n_used"].to_list() == [39] * 3 and table["n_expected"].to_list() == [40] * 3


def test_the_wide_table_has_a_row_a_run_and_a_column_a_benchmark(evaluations):
    twice = pl.concat([evaluations, evaluations.with_columns(benchmark=pl.lit("again"))])
    found = benchmark_tables.wide(benchmark_tables.runs(twice))
    assert found.columns == ["strategy", "seed", "size", "examples", "judged", "again"] and found.height == 3
    assert found["judged"].to_list() == found["again"].to_list()
    assert found["judged"].str.contains(r"^0\.\d+ \(0\.\d+ to 0\.\d+\)$").all()


def test_what_stands_beside_the_value_is_a_row_a_figure(evaluations):
    found = benchmark_tables.details(evaluations["path"].to_list())
    assert found.columns == ["figure", "best, 200", "random-0, 200", "random-1, 200"]
    assert found.row(by_predicate=pl.col("figure") == "parts, math, n") == ("parts, math, n", "30", "18", "20")
    assert "some" not in found["figure"].to_list()
    assert found.filter(figure="parts, math, interval")["best, 200"].to_list() == ["0.2500 to 0.5000"]


def test_items_have_the_mean_of_all_runs_and_of_each_strategy(evaluations):
    found = benchmark_tables.items(evaluations, None)
    frames = {run: artifacts.verdicts(wins) for run, wins in WINS.items()}
    for i in (0, 19, 25, 39):
        values = {run: frame["value"][i] for run, frame in frames.items()}
        row = found.row(i, named=True)
        assert row["mean"] == pytest.approx(
            sum(v for v in values.values() if v is not None)
            / 3
            * 3
            / len([v for v in values.values() if v is not None])
        )
        assert row["best"] == values["best"]
    assert found["prompt"][3].startswith("Question 3") and found["part"][0] == "math & <b>"
    worst, best = benchmark_tables.worst_and_best(found, "higher_is_better", 5)
    assert worst["mean"].to_list() == sorted(found["mean"])[:5] and best["mean"].to_list() == [1.0] * 5
    assert benchmark_tables.worst_and_best(found, "lower_is_better", 5)[0]["mean"].to_list() == [1.0] * 5


def test_prompts_that_the_items_lack_come_from_the_examples(tmp_path, evaluations):
    for path in evaluations["path"]:
        file = Path(path).with_suffix(".items.parquet")
        write_parquet(pl.read_parquet(file).drop("prompt", "response"), file, {})
    ids = artifacts.verdicts(1)["id"]
    rows = [(name, f"Do {i}", "this" if i else "", "Done", "x", i) for i, name in enumerate(ids)]
    write_parquet(pl.DataFrame(rows, EXAMPLE_SCHEMA, orient="row"), tmp_path / "examples.parquet", {})
    found = benchmark_tables.items(evaluations, tmp_path / "examples.parquet")
    assert found["prompt"].to_list()[:2] == ["Do 0", "Do 1\nthis"]


def test_a_part_has_the_value_of_its_items_over_all_seeds(evaluations):
    found = benchmark_tables.parts(evaluations)
    assert found["items"].sum() == 40 + 40 - 1 and set(found["part"]) == {"writing", "math & <b>"}
    both = pl.concat([artifacts.verdicts(18), artifacts.verdicts(20)]).filter(pl.col("category") == "writing")
    means = both.drop_nulls("value").group_by("id").agg(pl.col("value").mean())["value"]
    row = found.row(by_predicate=(pl.col("strategy") == "random") & (pl.col("part") == "writing"), named=True)
    assert row["value"] == pytest.approx(means.mean()) and row["low"] < row["value"] < row["high"]


def test_verdicts_are_shares_of_what_was_judged(evaluations):
    found = benchmark_tables.verdicts(evaluations)
    whole = found.filter(pl.col("part") == "all", pl.col("strategy") == "random")
    assert whole["items"].sum() == 39 * 2 and whole["share"].sum() == pytest.approx(1)
    assert whole.row(by_predicate=pl.col("verdict") == "win", named=True)["items"] == 38


def test_losses_have_no_parts_and_no_verdicts(tmp_path):
    path = tmp_path / "results/evaluations/tiny/best/unseen/200/held_out.json"
    artifacts.write_evaluation(path, artifacts.items(1.7))
    subset = tmp_path / "results/subsets/best/unseen/200.parquet"
    write_parquet(pl.DataFrame({"id": ["a"] * 200, "dataset": "x"}), subset, {})
    found = comparison.read_evaluations([str(path)], [str(subset)])
    assert benchmark_tables.parts(found).is_empty() and benchmark_tables.verdicts(found).is_empty()
    assert benchmark_tables.items(found, None)["mean"].to_list() == pytest.approx(
        artifacts.items(1.7)["value"].to_list()
    )


def compared(recipes: list[str], **change: float | None) -> pl.DataFrame:
    rows = [
        {"pool": "unseen", "recipe": recipe, "benchmark": "a", "size": "2", "strategy": "best", "baseline": "random"}
        | {"value": 1.5 + i, "difference": -0.25, "difference_low": -0.5, "difference_high": -0.125, **change}
        for i, recipe in enumerate(recipes)
    ]
    return pl.DataFrame(rows, schema={name: comparison.TABLE_SCHEMA[name] for name in rows[0]})


def test_strategies_by_recipes_where_there_are_several() -> None:
    found = benchmark_tables.by_recipe(compared(["small", "lora"]), ["small", "lora"])
    assert found.rows(named=True) == [
        {
            **{"size": "2", "strategy": "best"},
            **{"small": "1.5; -0.25 (-0.5 to -0.125)", "lora": "2.5; -0.25 (-0.5 to -0.125)"},
        }
    ]
    assert benchmark_tables.by_recipe(compared(["small"]), ["small"]).is_empty()
    assert benchmark_tables.by_recipe(compared(["small", "lora"], difference=None), ["small", "lora"]).is_empty()
    one_seed = benchmark_tables.by_recipe(
        compared(["small", "lora"], difference_low=None, difference_high=None), ["small", "lora"]
    )
    assert one_seed["small"].to_list() == ["1.5; -0.25"]

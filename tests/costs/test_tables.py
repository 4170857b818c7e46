"""Costs in tables: prices, what is paid once, means over seeds, and everything where nobody trained on it."""

from typing import Any

import polars as pl
import pytest

from configs import changed, check
from instructmining.costs import jobs as costs
from instructmining.costs import tables as cost_tables
from instructmining.costs.ledger import Ledger
from instructmining.costs.tables import ESTIMATED, MEASURED, UNKNOWN, dearer

NO_PRICES = {"gpu_hour": None, "cpu_hour": None, "currency": "USD"}
CONFIG = check(changed("comparisons.first.benchmarks", ["final"]))
JOBS = costs.comparison_jobs(CONFIG, "first")
HOUR = Ledger(dict.fromkeys(JOBS, 3600.0), {})


def run(subset: str, examples: int, tokens: int, train: float, recipe: str = "small") -> dict[str, Any]:
    seconds = {"load": 1.0, "train": train, "save": 1.0}
    return {"recipe": recipe, "subset": subset, "examples": examples, "tokens": tokens, "seconds": seconds}


def tables(
    ledger: Ledger, prices: dict[str, Any] = NO_PRICES, runs: Any = (), rows: int = 100, config: Any = CONFIG
) -> tuple[pl.DataFrame, pl.DataFrame]:
    parts = cost_tables.parts_table(config, "first", ledger)
    pools = dict.fromkeys(config["comparisons"]["first"]["pools"], rows)
    everything = cost_tables.everything_table(config, "first", ledger, runs, pools)
    return parts, cost_tables.strategies_table(parts, everything, prices)


def row(table: pl.DataFrame, strategy: str, size: str) -> dict[str, Any]:
    return table.row(by_predicate=(pl.col("strategy") == strategy) & (pl.col("size") == size), named=True)


def test_eight_gpus_for_an_hour_at_the_price_of_the_paper() -> None:
    """Diddee & Ippolito 2024: a machine of eight GPUs at 7.80 an hour."""
    recipe = {"model": "tiny", "device": "cuda", "gpus": 8, "launcher": "torchrun", "micro_batch_size": 1}
    raw = changed("recipes.small", {**recipe, "batch_size": 16})
    ledger = Ledger({"finetune/small/full/unseen/all": 3600.0, "rank_pool/full/unseen": 360.0}, {})
    prices = {"gpu_hour": 7.8 / 8, "cpu_hour": None, "currency": "USD"}
    found = row(tables(ledger, prices, config=check(raw))[1], "full", "all")
    assert found["finetune_money"] == found["everything_money"] == found["total_money"] == pytest.approx(7.80)
    assert (found["finetune_hours"], found["finetune_gpu_hours"], found["selection_money"]) == (1, 8, 0)


def test_every_headline_is_a_sum_of_parts_and_the_total_of_all() -> None:
    prices = {"gpu_hour": None, "cpu_hour": 0.5, "currency": "EUR"}
    parts, table = tables(HOUR, prices)
    for found in table.iter_rows(named=True):
        for quantity in ("hours", "cpu_hours", "money"):
            name = "{}_" + quantity
            whole = found[name.format("selection")] + found[name.format("fit")]
            assert found[name.format("selection_with_fit")] == pytest.approx(whole)
            assert found[name.format("total")] == pytest.approx(whole + found[name.format("finetune")])
        assert found["total_money"] == pytest.approx(0.5 * found["total_cpu_hours"])
    best = row(table, "instructmining", "best-main")
    mine = parts.filter(pl.col("strategy") == "instructmining", pl.col("size") == "best-main")
    assert best["total_hours"] == mine["hours"].sum() == best["jobs"]
    # a mixture is drawn, trained and evaluated; the rule is fitted
    assert best["fit_hours"] == 9 * 3 + 1
    # a trial is proposed, selected, trained and evaluated; the size is chosen
    searched = best["selection_hours"] - row(table, "instructmining", "16")["selection_hours"]
    assert searched == 6 * 4 + 1


def test_a_strategy_with_seeds_costs_the_mean_of_its_seeds() -> None:
    seconds = {"rank_pool/random-0/unseen": 3600.0, "rank_pool/random-1/unseen": 3 * 3600.0}
    found = row(tables(Ledger(seconds, {}))[1], "random", "16")
    assert (found["seeds"], found["selection_hours"]) == (2, 2)
    assert (found["jobs"], found["missing"]) == (6, 4)


def test_without_prices_there_is_no_money_and_hours_of_gpus_or_cores_are_compared() -> None:
    parts, table = tables(HOUR)
    assert table["total_money"].null_count() == table.height
    assert cost_tables.measure(parts, NO_PRICES) == "cpu_hours"
    held = parts.with_columns(gpu_hours=pl.lit(1.0))
    assert cost_tables.measure(held, NO_PRICES) == "gpu_hours"
    assert cost_tables.measure(held, {**NO_PRICES, "gpu_hour": 0}) == "money"


def test_what_an_api_was_paid_is_money_without_any_price_of_hours() -> None:
    job = next(job for job in JOBS if job.startswith("score/"))
    parts, table = tables(Ledger(HOUR.seconds, {job: 2.5}))
    assert cost_tables.measure(parts, NO_PRICES) == "money"
    assert row(table, "instructmining", "16")["selection_money"] == 2.5
    assert row(table, "random", "16")["total_money"] == 0


def test_nothing_measured_is_nothing_known_about_everything() -> None:
    parts, table = tables(Ledger({}, {}))
    assert parts["hours"].sum() == 0
    assert parts["missing"].to_list() == parts["jobs"].to_list()
    assert table["everything"].unique().to_list() == [UNKNOWN]
    assert table["everything_hours"].null_count() == table.height
    assert dearer(row(table, "instructmining", "16"), "cpu_hours") is None


def test_everything_is_measured_where_it_was_trained_and_else_extrapolated_from_tokens() -> None:
    runs = [
        run("random-0/unseen/16", 16, 800, train=30),
        run("random-1/unseen/16", 16, 1120, train=30),
        run("instructmining/unseen/best-main", 40, 8000, train=200),
        run("random-0/other/16", 16, 99999, train=30),
        run("random-0/unseen/16", 16, 99999, train=30, recipe="adapters"),
    ]
    seconds = {f"finetune/small/{run['subset']}": run["seconds"]["train"] + 10 for run in runs[:4]}
    found = row(tables(Ledger(seconds, {}), runs=runs, rows=1000)[1], "instructmining", "16")
    # 60 tokens an example of random subsets; 200 s for 8,000 tokens in the largest run, and 10 s around it
    assert found["everything"] == ESTIMATED
    assert found["everything_hours"] == pytest.approx((10 + 1000 * 60 * 200 / 8000) / 3600)
    measured = Ledger({**seconds, "finetune/small/full/unseen/all": 7200.0}, {})
    found = row(tables(measured, runs=runs, rows=1000)[1], "instructmining", "16")
    assert (found["everything"], found["everything_hours"]) == (MEASURED, 2)


def test_without_random_subsets_all_runs_say_how_long_examples_are() -> None:
    runs = [run("instructmining/unseen/16", 10, 1000, train=50)]
    ledger = Ledger({"finetune/small/instructmining/unseen/16": 50.0}, {})
    found = cost_tables.estimate(CONFIG, "unseen", "small", ledger, runs, 30)
    assert found is not None
    assert found.hours == pytest.approx(150 / 3600)


def test_an_estimate_does_not_depend_on_the_order_of_the_runs() -> None:
    """Of runs on the same subset, as an ablation has them, tokens are the same and seconds are not."""
    runs = [
        run(f"{name}/unseen/16", 10, 1000, train=seconds) for name, seconds in (("longest", 50), ("instructmining", 80))
    ]
    ledger = Ledger({f"finetune/small/{found['subset']}": found["seconds"]["train"] for found in runs}, {})
    one, other = (cost_tables.estimate(CONFIG, "unseen", "small", ledger, order, 30) for order in (runs, runs[::-1]))
    assert one == other and one is not None


def test_pools_and_recipes_are_rows_of_their_own() -> None:
    raw = changed("pools.other", ["good"])
    raw["comparisons"]["first"] |= {"pools": ["unseen", "other"], "recipes": ["small", "adapters"]}
    config = check(raw)
    seconds = dict.fromkeys(costs.comparison_jobs(config, "first"), 3600.0)
    seconds["finetune/adapters/full/other/all"] = 5 * 3600.0
    parts, table = tables(Ledger(seconds, {}), config=config)
    assert table.height == 4 * 5
    assert table.select(cost_tables.KEY).is_unique().all()
    limits = dict(table.select(pl.concat_str("pool", "recipe", separator=" "), "everything_hours").unique().iter_rows())
    assert limits == {"unseen small": 1, "unseen adapters": 1, "other small": 1, "other adapters": 5}
    score = parts.filter(pl.col("strategy") == "instructmining", pl.col("size") == "16", pl.col("part") == "score")
    assert score.group_by("pool").agg(pl.col("hours").unique().sum()).sort("pool").rows() == [
        ("other", float(len(costs.selection_jobs(config, "instructmining", "other", "16")["score"]))),
        ("unseen", float(len(costs.selection_jobs(config, "instructmining", "unseen", "16")["score"]))),
    ]


@pytest.mark.parametrize(
    ("selection", "fit", "finetune", "size", "words"),
    [
        (11, 0, 1, "16", "its selection alone"),
        (11, 1, 1, "16", "its selection alone, the fit of its quality rule left out,"),
        (5, 6, 1, "16", "its selection with the fit of its quality rule"),
        (5, 4, 2, "16", "its selection and finetuning together"),
        (5, 4, 1, "16", None),
        (11, 0, 10, "all", None),
    ],
)
def test_what_is_dearer_than_everything_is_said_in_words(
    selection: float, fit: float, finetune: float, size: str, words: str | None
) -> None:
    figures = {"selection": selection, "fit": fit, "everything": 10, "total": selection + fit + finetune}
    figures["selection_with_fit"] = selection + fit
    assert dearer({"size": size, **{f"{name}_money": value for name, value in figures.items()}}, "money") == words

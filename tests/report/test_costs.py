"""The page of costs: what it says, what it draws, and its script on a made-up results tree."""

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import vl_convert

import artifacts
from configs import changed, check
from cost_files import write_costs
from instructmining import config as cfg
from instructmining.costs import jobs as costs
from instructmining.costs import tables as cost_tables
from instructmining.costs.ledger import Ledger
from instructmining.report.charts import costs as cost_figures
from instructmining.report.pages import costs as costs_page
from report_script import given, run

PRICES = {"gpu_hour": None, "cpu_hour": 0.5, "currency": "USD"}
RAW = changed("costs", {"cpu_hour": 0.5})
CONFIG = check(RAW)
JOBS = costs.comparison_jobs(CONFIG, "first")
SUBSETS = cfg.comparison_subsets(CONFIG, "first")
VALUES = {"random-0/unseen/16": 2.0, "random-1/unseen/16": 2.2, "full/unseen/all": 1.5}


def evaluations() -> pl.DataFrame:
    rows = []
    for subset in SUBSETS:
        order, pool, size = subset.split("/")
        strategy, _, seed = order.partition("-")
        place = {"pool": pool, "recipe": "small", "strategy": strategy, "seed": seed or None, "size": size}
        rows += [
            {**place, "benchmark": name, "examples": 40, "value": VALUES.get(subset, 1.8), "path": f"{subset}/{name}"}
            for name in ("held_out", "final")
        ]
    return pl.DataFrame(rows, schema_overrides={"seed": pl.String}, infer_schema_length=None)


def page(seconds: dict[str, float], prices: dict[str, Any] = PRICES) -> str:
    ledger = Ledger(seconds, {})
    parts = cost_tables.parts_table(CONFIG, "first", ledger)
    everything = cost_tables.everything_table(CONFIG, "first", ledger, [], {"unseen": 90})
    strategies = cost_tables.strategies_table(parts, everything, prices)
    units = dict.fromkeys(("held_out", "final"), "nats per response token, lower is better")
    missing = [job for job in JOBS if job not in seconds]
    return costs_page.page("first", parts, strategies, evaluations(), units, prices, ["random"], JOBS, missing)


def test_the_page_says_what_is_dearer_than_everything_and_how_that_is_known() -> None:
    text = page(dict.fromkeys(JOBS, 3600.0))
    assert "Finetuning on everything: 0.5 USD (measured)." in text
    alone = "its selection alone, the fit of its quality rule left out, costs more than finetuning on everything."
    assert f"instructmining (16, best-main): {alone}" in text
    assert "full (all)" not in text
    assert f"jobs measured</dt><dd>{len(JOBS)} of {len(JOBS)}</dd>" in text
    assert "had no cost file" not in text


def test_the_page_says_how_many_jobs_were_not_measured() -> None:
    lost = ["finetune/small/random-0/unseen/16", "finetune/small/full/unseen/all", "score/dolly/mtld/000-of-004"]
    text = page({job: 3600.0 for job in JOBS if job not in lost})
    assert f"3 of {len(JOBS)} jobs had no cost file (finetune 2, score 1)" in text
    assert "Finetuning on everything: not known" in text
    assert "which is not known" in text


def test_without_prices_the_page_is_in_hours_and_a_missing_price_is_said() -> None:
    seconds = dict.fromkeys(JOBS, 3600.0)
    text = page(seconds, {**PRICES, "cpu_hour": None})
    assert "Finetuning on everything: 1 core-hours (measured)." in text
    assert "an hour of a core</dt><dd>not priced</dd>" in text
    assert "CPU time has no price" not in text
    assert "CPU time has no price in the config" in page(seconds, {**PRICES, "gpu_hour": 1.0, "cpu_hour": None})


def test_a_page_of_nothing_measured_and_of_no_time_at_all_is_drawn() -> None:
    assert f"{len(JOBS)} of {len(JOBS)} jobs had no cost file" in page({})
    assert "0 USD (measured)" in page(dict.fromkeys(JOBS, 0.0))


def test_the_points_are_means_over_seeds_with_their_costs() -> None:
    ledger = Ledger(dict.fromkeys(JOBS, 3600.0), {})
    parts = cost_tables.parts_table(CONFIG, "first", ledger)
    everything = cost_tables.everything_table(CONFIG, "first", ledger, [], {"unseen": 90})
    strategies = cost_tables.strategies_table(parts, everything, PRICES)
    found = costs_page.points(strategies, evaluations().filter(pl.col("benchmark") == "final"), "money")
    random = found.row(by_predicate=(pl.col("strategy") == "random") & (pl.col("size") == "16"), named=True)
    assert (random["value"], random["seeds"]) == (pytest.approx(2.1), 2)
    assert random["sd"] == pytest.approx(0.1 * 2**0.5)
    # rank, subset, run: an hour each, at 0.5
    assert random["total"] == random["without_fit"] == 1.5
    best = found.row(by_predicate=(pl.col("strategy") == "instructmining") & (pl.col("size") == "16"), named=True)
    assert best["total"] - best["without_fit"] == 0.5 * (9 * 3 + 1)


POINTS = pl.DataFrame(
    {
        "strategy": ["best", "best", "random", "full"],
        "size": ["16", "32", "16", "all"],
        "examples": [16.0, 32.0, 16.0, 90.0],
        "value": [1.8, 1.7, 1.9, 1.6],
        "sd": [None, None, 0.1, None],
        "seeds": [1, 1, 3, 1],
        "total": [3.0, 4.0, 1.0, 2.0],
        "without_fit": [2.0, 3.0, 1.0, 2.0],
    }
)


@pytest.mark.parametrize(
    ("points", "everything", "scale"),
    [
        (POINTS, 2.0, "log"),
        (POINTS, None, "log"),
        (POINTS.with_columns(total=pl.lit(0.0), without_fit=pl.lit(0.0)), 0.0, "linear"),
        (POINTS.with_columns(total=pl.lit(3.0), without_fit=pl.lit(2.9)), 3.1, "linear"),
        (POINTS.filter(pl.col("strategy") == "best"), None, "log"),
        (POINTS.clear(), None, "linear"),
    ],
)
def test_the_chart_compiles_is_responsive_and_deterministic(
    points: pl.DataFrame, everything: float | None, scale: str
) -> None:
    def spec() -> dict[str, Any]:
        return cost_figures.cost_score(points, ["random"], everything, "final", "cost (USD)", "loss").to_dict()

    found = spec()
    assert found == spec()
    assert found["width"] == "container"
    vl_convert.vegalite_to_vega(found)
    assert {layer["encoding"]["x"]["scale"]["type"] for layer in found["layer"] if "x" in layer["encoding"]} == {scale}
    drawn = [layer for layer in found["layer"] if layer["mark"]["type"] == "point"]
    assert [len(found["datasets"][layer["data"]["name"]]) for layer in drawn] == [points.height]


# --- the script


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ids = pl.DataFrame({"id": [f"{i:020x}" for i in range(40)], "dataset": ["dolly"] * 40})
    for subset in SUBSETS:
        artifacts.write_parquet(ids.head(16), tmp_path / f"results/subsets/{subset}.parquet", {})
        seconds = {"load": 1, "train": 30, "save": 1}
        train = {"recipe": "small", "subset": subset, "examples": 16, "tokens": 1600, "seconds": seconds}
        artifacts.write_json(tmp_path / f"results/runs/small/{subset}/train.json", train)
        for name in ("held_out", "final"):
            place = tmp_path / f"results/evaluations/small/{subset}/{name}.json"
            artifacts.write_evaluation(place, artifacts.items(VALUES.get(subset, 1.8)))
    artifacts.write_parquet(ids, tmp_path / "results/rankings/instructmining/unseen.parquet", {})
    write_costs(tmp_path / "results/costs", JOBS, 36.0)
    return tmp_path


def test_the_script_writes_the_page_and_both_tables(tree: Path) -> None:
    (tree / "results/costs/finetune/small/full/unseen/all.tsv").unlink()
    found = given(
        evaluations=[f"results/evaluations/small/{s}/{name}.json" for s in SUBSETS for name in ("held_out", "final")],
        subsets=[f"results/subsets/{subset}.parquet" for subset in SUBSETS],
        runs=[f"results/runs/small/{subset}/train.json" for subset in SUBSETS],
        rankings=["results/rankings/instructmining/unseen.parquet"],
    )
    output = given(page=str(tree / "page.html"), strategies=str(tree / "s.csv"), parts=str(tree / "p.csv"))
    params = {"random": ["random"], "prices": CONFIG["costs"]}
    place = {"wildcards": {"comparison": "first"}, "config": json.loads(json.dumps(CONFIG))}
    page = run("report_costs", tree, input=found, output=output, params=params, **place)
    # 40 examples of 100 tokens: 30 s for 1,600 tokens, and 6 s around it
    estimated = 0.5 * (6 + 30 * 40 / 16) / 3600
    assert f"Finetuning on everything: {estimated:.4g} USD (estimated" in page
    assert f"1 of {len(JOBS)} jobs had no cost file (finetune 1)" in page
    assert "nats per response token, lower is better" in page
    strategies, parts = pl.read_csv(tree / "s.csv"), pl.read_csv(tree / "p.csv")
    assert strategies.height == 5
    assert set(parts["part"]) == {*costs.PARTS, costs.FINETUNE}
    assert parts["money"].sum() == pytest.approx(0.5 * parts["cpu_hours"].sum())
    assert parts["hours"].sum() == pytest.approx((parts["jobs"].sum() - parts["missing"].sum()) * 0.01)


def test_a_page_older_than_what_it_counts_is_found(tree: Path) -> None:
    assert costs.stale_pages(CONFIG) == {}
    page = tree / "results/figures/costs/first.html"
    page.parent.mkdir(parents=True)
    page.write_text("")
    assert costs.stale_pages(CONFIG) == {}
    late = page.stat().st_mtime + 60
    for job in JOBS[:2]:
        os.utime(tree / f"results/costs/{job}.tsv", (late, late))
    assert costs.stale_pages(CONFIG) == {"results/figures/costs/first.html": 2}


def test_axes_are_named_by_what_the_evaluation_says() -> None:
    told = {"value": 1, "unit": "nats per response token", "direction": "lower_is_better"}
    assert costs_page.unit_words(told) == "nats per response token, lower is better"
    assert costs_page.unit_words({"value": 1}) == "value"

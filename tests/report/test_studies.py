"""The pages of studies: what they say and draw, and their scripts on a made-up results tree."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import vl_convert

import artifacts
import study_files
from instructmining.costs import tables as cost_tables
from instructmining.jobs.files import write_csv, write_json
from instructmining.report.pages import ablation as ablation_page
from instructmining.report.pages import comparison as comparison_page
from instructmining.report.pages import dataset_losses as dataset_losses_page
from instructmining.tables import ablation, comparison, dataset_losses
from instructmining.tables import benchmarks as benchmark_tables
from page_reader import SCRIPTS, read, specs
from report_script import given, run

WILDCARDS = {"study": "s"}


def losses(folder: Path, draws: int = 3) -> str:
    evaluations = comparison.read_evaluations(*study_files.by_dataset(folder, draws))
    return dataset_losses_page.page("s", dataset_losses.table(evaluations, study_files.DATASETS))


def ablated(folder: Path, seeds: int = 3) -> str:
    evaluations, subsets = study_files.ablation(folder, seeds)
    ids = {Path(path).with_suffix("").parts[-3:]: pl.read_parquet(path)["id"] for path in subsets}
    frame = comparison.read_evaluations(evaluations, subsets)
    table = ablation.table(frame, study_files.ABLATED, study_files.RECIPES, ids, draws=100)
    return ablation_page.page("s", "best", table, rules_table())


def rules() -> dict[str, dict[str, Any]]:
    fit = {"r_squared": 0.5, "loo_r_squared": 0.3, "coefficients": {"intercept": 0.5, "reward": -0.1, "mtld": 0.2}}
    return dict.fromkeys(("fitted", *study_files.ABLATED), fit)


def rules_table() -> pl.DataFrame:
    return ablation.coefficients(rules(), study_files.ABLATED)


def test_an_ablation_says_which_indicator_is_needed(tmp_path: Path) -> None:
    page = ablated(tmp_path)
    text = read(page).text
    assert "worse without it" in text and "no difference found" in text and "for all 2 differences" in text
    assert "nothing: the full rule" in page
    assert "50% of its examples in common" in text and ablation_page.ONE_SEED not in text
    assert read(page).scripts <= SCRIPTS and not read(page).addresses


def test_one_seed_is_warned_of_and_drawn_without_an_interval(tmp_path: Path) -> None:
    assert ablation_page.ONE_SEED in read(ablated(tmp_path, 1)).text
    assert dataset_losses_page.ONE_DRAW in read(losses(tmp_path, 1)).text


@pytest.mark.parametrize("runs", [1, 3])
def test_the_charts_are_drawn_with_and_without_intervals(tmp_path: Path, runs: int) -> None:
    for page in (ablated(tmp_path, runs), losses(tmp_path, runs)):
        charts = [spec for spec in specs(page) if "layer" in spec]
        assert charts
        for spec in charts:
            assert "<svg" in vl_convert.vegalite_to_svg({**spec, "width": 400})


def test_losses_by_dataset_name_the_best_and_the_worst(tmp_path: Path) -> None:
    text = read(losses(tmp_path)).text
    assert "Best: good, " in text and "Worst: alpaca, " in text and "over 3 draws" in text


def test_the_script_of_an_ablation(tmp_path: Path) -> None:
    evaluations, subsets = study_files.ablation(tmp_path / "results")
    paths = []
    for name, rule in rules().items():
        paths.append(str(tmp_path / f"quality_rules/{name}.json"))
        write_json(Path(paths[-1]), rule)
    files = {"page": str(tmp_path / "page.html")}
    files |= {name: str(tmp_path / f"{name}.csv") for name in ("table", "rules")}
    found = given(evaluations=evaluations, per_item=[], subsets=subsets, quality_rules=paths)
    params = {"strategy": "best", "ablated": study_files.ABLATED, "recipes": study_files.RECIPES}
    job = {"input": found, "output": given(**files), "params": params, "wildcards": WILDCARDS}
    assert "Ablation: s" in run("report_ablation", tmp_path, **job)
    assert pl.read_csv(files["table"]).height == 3 and pl.read_csv(files["rules"]).height == 3


def test_the_script_of_losses_by_dataset(tmp_path: Path) -> None:
    evaluations, subsets = study_files.by_dataset(tmp_path / "results")
    files = {"page": str(tmp_path / "page.html"), "table": str(tmp_path / "table.csv")}
    found = given(evaluations=evaluations, subsets=subsets)
    params = {"datasets": study_files.DATASETS}
    job = {"input": found, "output": given(**files), "params": params, "wildcards": WILDCARDS}
    assert "Loss by dataset: s" in run("report_dataset_losses", tmp_path, **job)
    assert pl.read_csv(files["table"])["dataset"].to_list() == ["good", "alpaca"]


def test_the_table_of_subsets_is_made_and_shown_on_the_comparisons_page(tmp_path: Path) -> None:
    results = artifacts.build(tmp_path, rows=200)
    names = [f"{name}/unseen/200" for name in ("best", "random-0", "random-1")]
    evaluations = [str(results / f"evaluations/tiny/{name}/held_out.json") for name in names]
    subsets = [str(results / f"subsets/{name}.parquet") for name in names]
    rows = [
        (
            "unseen",
            "tiny",
            order.partition("-")[0],
            order.partition("-")[2] or None,
            size,
            "finetune",
            0.5,
            0,
            0,
            0,
            1,
            0,
        )
        for order, _, size in (name.split("/") for name in names)
    ]
    parts = tmp_path / "parts.csv"
    write_csv(pl.DataFrame(rows, schema=cost_tables.PARTS_SCHEMA, orient="row"), parts)
    table = tmp_path / "table.csv"
    ranking = str(results / "rankings/best/unseen.parquet")
    found = given(evaluations=evaluations, subsets=subsets, rankings=[ranking], parts=str(parts))
    run("report_subsets", tmp_path, input=found, output=given(table=str(table)), wildcards={"comparison": "main"})
    made = pl.read_csv(table)
    assert made["finetune_minutes"].to_list() == [30, 30] and set(made["strategy"]) == {"best", "random"}
    frame = comparison.read_evaluations(evaluations, subsets)
    compared = comparison.compare(frame, {"random": "random"}, draws=50)
    runs = benchmark_tables.runs(frame)
    for subset_table in (made, None):
        page = comparison_page.page("main", frame, compared, runs, ["random"], [], subset_table)
        assert ("Subsets</h2>" in page) is (subset_table is not None)
        assert "Recipes</h2>" not in page


def test_a_comparison_of_random_draws_alone_has_a_page(tmp_path: Path) -> None:
    """What a study of datasets is."""
    frame = comparison.read_evaluations(*study_files.by_dataset(tmp_path))
    table = comparison.compare(frame, {"s_random": "random"})
    page = comparison_page.page("s", frame, table, benchmark_tables.runs(frame), ["s_random"], [], None)
    assert table.is_empty() and "Every evaluation" in page

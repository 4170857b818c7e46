"""The report's scripts, given what Snakemake gives them: inputs of a function that returns a list are lists."""

import polars as pl
import pytest

import artifacts
from instructmining.jobs.files import write_csv, write_parquet
from instructmining.quality_rules.checks import Checks
from report_script import given, run

BENCHMARKS = ("held_out", "other")
COMPARED = [
    f"{name}/unseen/{size}" for size in artifacts.SIZES for name in ("best", "random-0", "random-1", "random-2")
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return artifacts.build(tmp_path_factory.mktemp("results"), rows=60)


@pytest.mark.parametrize("checked", [True, False])
def test_indicators(results, tmp_path, checked):
    tables = [str(results / f"indicators/{name}.parquet") for name in artifacts.DATASETS]
    check = [str(results / "indicator_check.json")] * checked
    neighbours = artifacts.neighbour_files(results) * checked
    found = given(indicators=tables, neighbours=neighbours, under_runs=[], indicator_check=check)
    files = {"page": str(tmp_path / "page.html"), "normality": str(tmp_path / "normality.csv")}
    page = run("report_indicators", tmp_path, input=found, output=given(**files))
    assert pl.read_csv(files["normality"]).height == len(artifacts.DATASETS) * len(artifacts.INDICATORS)
    assert ("Indicator check" in page) is checked
    assert ("Nearest neighbours" in page) is checked


@pytest.mark.parametrize("checked", [True, False])
def test_summary(results, tmp_path, checked):
    rule = results / "quality_rules/fitted"
    evaluations = [str(results / f"evaluations/tiny/{subset}/held_out.json") for subset in COMPARED]
    subsets = [str(results / f"subsets/{subset}.parquet") for subset in COMPARED]
    table = tmp_path / "main.csv"
    page = {"page": str(tmp_path / "comparison.html"), "table": str(table), "runs": str(tmp_path / "runs.csv")}
    known = {"random": ["random"], "baselines": {"random": "random"}, "selection_benchmarks": []}
    inputs = given(evaluations=evaluations, per_item=[], subsets=subsets, subset_table=[])
    wildcards = {"comparison": "main"}
    (tmp_path / "page.html").write_text("")
    run("report_comparison", tmp_path, input=inputs, output=given(**page), params=known, wildcards=wildcards)
    assert "best" in table.read_text() and pl.read_csv(page["runs"]).height == len(evaluations)
    write_csv(artifacts.costs(), tmp_path / "strategies.csv")
    found = given(
        quality_rules=[f"{rule}.json"],
        observations=[str(rule / "observations.csv")],
        all_subsets=[str(rule / "all_subsets.csv")],
        indicator_check=[str(results / "indicator_check.json")] * checked,
        searches=[str(results / "searches/main.json")],
        size_scans=[],
        comparisons=[str(table)],
        costs=[str(tmp_path / "strategies.csv")],
        evaluations=evaluations,
        subsets=subsets,
        runs=[str(path) for path in sorted(results.glob("runs/tiny/*/*/*/train.json"))],
    )
    params = {**known, "evaluations": {"main": evaluations}, "models": [], "currency": "USD", "pages": []}
    params["quality_rules"] = {"fitted": {"max_indicators": 2, "bootstrap": 50, "seed": 0}}
    text = run("report_summary", tmp_path, input=found, params=params)
    assert ("preference pairs" in text) is checked
    assert "best costs more than finetuning on everything" in text


@pytest.mark.parametrize("name", ["fitted", "published"])
def test_quality_rule(results, tmp_path, name):
    rule = results / "quality_rules" / name
    found = {"quality_rule": f"{rule}.json", "observations": str(rule / "observations.csv")}
    found["all_subsets"] = str(rule / "all_subsets.csv")
    made = {"page": str(tmp_path / "page.html"), "latex": str(tmp_path / "ols.tex")}
    made |= {table: str(tmp_path / f"{table}.csv") for table in Checks._fields}
    settings = {"max_indicators": 2, "bootstrap": 50, "seed": 0} if name == "fitted" else {"preset": "x"}
    params = {"settings": settings, "against": "instructmining-v2" if name == "fitted" else None}
    wildcards = {"quality_rule": name}
    page = run(
        "report_quality_rule", tmp_path, input=given(**found), output=given(**made), params=params, wildcards=wildcards
    )
    heights = {table: pl.read_csv(made[table]).height for table in Checks._fields}
    fitted = name == "fitted"
    assert ("Would it be chosen again?" in page) is fitted
    assert heights["coefficients"] == (3 if fitted else 5) and heights["fit"] == 19
    assert heights["influence"] == (artifacts.observations().height if fitted else 0)
    assert (heights["univariate"], heights["standing"]) == ((3, 5) if fitted else (0, 0))
    assert (heights["published"] > 0, heights["chosen_sets"] > 0) == (fitted, fitted)
    assert f"quality rule {name}" in (tmp_path / "ols.tex").read_text()


def test_overlaps_and_agreement(results, tmp_path):
    orders = ("best", "random-0")
    rankings = []
    for order in orders:
        ranking = tmp_path / f"rankings/{order}/unseen.parquet"
        write_parquet(pl.read_parquet(results / "rankings/best/unseen.parquet"), ranking, {})
        rankings.append(str(ranking))
    subsets = [str(results / f"subsets/{order}/unseen/200.parquet") for order in orders]
    page = {"page": str(tmp_path / "page.html"), "table": str(tmp_path / "overlaps.csv")}
    wildcards = {"comparison": "main"}
    found = given(subsets=subsets, rankings=rankings)
    text = run("report_overlaps", tmp_path, input=found, output=given(**page), wildcards=wildcards)
    assert "Overlaps: main" in text and pl.read_csv(page["table"]).height == 4
    evaluations = [str(results / f"evaluations/tiny/{subset}/{b}.json") for subset in COMPARED for b in BENCHMARKS]
    files = {name: str(tmp_path / f"{name}.csv") for name in ("benchmarks", "sizes", "recipes")}
    found = given(evaluations=evaluations, subsets=[str(results / f"subsets/{subset}.parquet") for subset in COMPARED])
    text = run("report_agreement", tmp_path, input=found, output=given(page=page["page"], **files))
    assert "Between budgets" in text and pl.read_csv(files["benchmarks"])["n"].to_list() == [len(COMPARED)]


def test_size_scan(results, tmp_path):
    evaluations = [str(results / f"evaluations/tiny/{subset}/held_out.json") for subset in COMPARED]
    items = [path.removesuffix(".json") + ".items.parquet" for path in evaluations]
    subsets = [str(results / f"subsets/{subset}.parquet") for subset in COMPARED]
    page = {"page": str(tmp_path / "page.html"), "table": str(tmp_path / "scan.csv")}
    found = given(evaluations=evaluations, per_item=items, subsets=subsets)
    wildcards, params = {"study": "figure_4"}, {"random": ["random"]}
    text = run("report_size_scan", tmp_path, input=found, output=given(**page), params=params, wildcards=wildcards)
    assert "Size scan: figure_4" in text and "too few sizes were scanned" in text
    assert pl.read_csv(page["table"])["verdict"].unique().to_list() == ["fewer than 4 sizes"]


def test_benchmark(results, tmp_path):
    evaluations = [str(results / f"evaluations/tiny/{subset}/held_out.json") for subset in COMPARED]
    subsets = [str(results / f"subsets/{subset}.parquet") for subset in COMPARED]
    examples = str(results / "datasets/alpaca/examples.parquet")
    page = {"page": str(tmp_path / "page.html"), "table": str(tmp_path / "items.csv")}
    found = given(evaluations=evaluations, subsets=subsets, per_item=[], examples=[examples])
    wildcards, params = {"comparison": "main", "benchmark": "held_out"}, {"random": ["random"]}
    text = run("report_benchmark", tmp_path, input=found, output=given(**page), params=params, wildcards=wildcards)
    assert "Worst items" in text and "Wins" not in text
    assert {"id", "mean", "best", "random"} <= set(pl.read_csv(page["table"]).columns)


def test_contamination(results, tmp_path):
    subsets = [str(results / f"subsets/{order}/unseen/200.parquet") for order in ("best", "random-0")]
    files = {"page": str(tmp_path / "page.html")}
    files |= {name: str(tmp_path / f"{name}.csv") for name in ("table", "pairs")}
    params = {
        "benchmarks": ["held_out", "other"],
        "examples": str(results / "datasets/{dataset}/examples.parquet"),
        "ngram": 13,
    }
    held = pl.read_parquet(results / "datasets/alpaca/examples.parquet").head(3)
    write_parquet(held, tmp_path / "held.parquet")
    write_parquet(held.select("id", text=pl.lit("unheard of")), tmp_path / "items.parquet")
    found = given(subsets=subsets, evaluated=[str(tmp_path / f"{name}.parquet") for name in ("held", "items")])
    wildcards = {"comparison": "main"}
    text = run("report_contamination", tmp_path, input=found, output=given(**files), params=params, wildcards=wildcards)
    assert "Contamination: main" in text
    table = pl.read_csv(files["table"])
    assert table["benchmark"].to_list() == ["held_out", "other"] * 2 and table["subset"][0] == "best/unseen/200"
    assert table["exact"][0] > 0 and table["exact"][1] == 0
    assert pl.read_csv(files["pairs"])["subsets"].max() <= 2

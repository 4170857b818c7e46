"""Every page of the report, from the made-up results tree of ``artifacts``."""

from pathlib import Path

import polars as pl

import artifacts
from instructmining.jobs.files import read_json, write_parquet
from instructmining.quality_rules import checks as rule_checks
from instructmining.report.pages import agreement as agreement_page
from instructmining.report.pages import benchmark, data, examples, indicators, overlaps, quality_rule, search, summary
from instructmining.report.pages import comparison as comparison_page
from instructmining.report.pages import size_scan as size_scan_page
from instructmining.selection import overlap
from instructmining.tables import agreement, comparison, size_scan
from instructmining.tables import benchmarks as benchmark_tables

BASELINES = {"random": "random", "everything": "full"}
SETTINGS = {"strategy": "best", "pool": "unseen", "recipe": "tiny", "loss": "other", "low": 64, "high": 600}
SETTINGS |= {"trials": 6, "parallel": 1, "seed": 0}
RULE_SETTINGS = {"max_indicators": 2, "bootstrap": 100, "seed": 0}


def all_pages(results: Path) -> dict[str, str]:
    summaries = {name: read_json(results / f"datasets/{name}/summary.json") for name in artifacts.DATASETS}
    tables = [str(results / f"indicators/{name}.parquet") for name in artifacts.DATASETS]
    check = read_json(results / "indicator_check.json")
    found = read_json(results / "searches/main.json")
    paths = sorted(str(path) for path in results.glob("evaluations/tiny/*/unseen/*/*.json"))
    evaluations = comparison.read_evaluations(paths, [str(path) for path in results.glob("subsets/*/*/*.parquet")])
    table = comparison.compare(evaluations, BASELINES, draws=100)
    frame = extremes(results, 10)
    runs = [read_json(path) for path in sorted(results.glob("runs/tiny/*/*/*/train.json"))]
    return {
        "summary": summary.page(
            summary.Study(
                {name: summarised(results, name) for name in ("fitted", "published")},
                check,
                {"main": found},
                {"figure_4": size_scan.scan(evaluations, ["random"], draws=100)[0]},
                {name: summary.Compared(table, evaluations, artifacts.costs()) for name in ("table3", "again")},
                runs,
                ["results/runs/tiny/best/unseen/best-main/model"],
                ["random"],
                ["other"],
                "USD",
                ["comparisons", "data", "examples", "indicators", "quality_rules", "searches", "summary"],
            )
        ),
        "comparison": comparison_page.page(
            "table3", evaluations, table, benchmark_tables.runs(evaluations), ["random"], ["other"], None
        ),
        "benchmark": judged_page(*judged(results.parent / "judged")),
        "overlaps": overlaps.page("table3", overlap_table(results), overlaps.limit("random-1", "unseen", MISSED)),
        "agreement": agreement_page.page(agreement.agreement(evaluations)),
        "search": search.page("main", found, SETTINGS),
        "size_scan": size_scan_page.page(
            "figure_4", evaluations, ["random"], *size_scan.scan(evaluations, ["random"], draws=100)
        ),
        "fitted": rule_page(results, "fitted"),
        "published": rule_page(results, "published"),
        "indicators": indicators_page(tables, artifacts.neighbour_files(results), check),
        "examples": examples.page("best", "unseen", frame, 600),
        "data": data.page(summaries),
    }


def judged_page(evaluations: pl.DataFrame, random: list[str]) -> str:
    return benchmark.page("table3", "judged", evaluations, random, benchmark_tables.items(evaluations, None))


def indicators_page(tables: list[str], neighbours: list[str], check: dict | None, runs: list[str] = ()) -> str:
    normal = indicators.are_normal(indicators.read_values(tables, runs))
    return indicators.page(tables, neighbours, check, normal, runs)


def judged(folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """Evaluations by a judge, with categories, verdicts and texts that break careless pages."""
    paths, subsets = [], []
    for run, wins in (("best", 30), ("random-0", 18), ("random-1", 20)):
        subset = folder / f"results/subsets/{run}/unseen/200.parquet"
        write_parquet(pl.DataFrame({"id": ["a"] * 200, "dataset": "x"}), subset, {})
        path = folder / f"results/evaluations/tiny/{run}/unseen/200/judged.json"
        artifacts.write_evaluation(path, artifacts.verdicts(wins), by_category={"writing": {"win_rate": 0.5}})
        paths.append(str(path))
        subsets.append(str(subset))
    return comparison.read_evaluations(paths, subsets), ["random"]


MISSED = {"overlap_limit_met": False, "overlaps": {"best": {"200": 0.5, "400": 0.75}}, "strategy": {"overlap": 0.3}}


def overlap_table(results: Path) -> pl.DataFrame:
    names = [(name, "unseen", size) for size in artifacts.SIZES for name in ("best", "random-0")]
    subsets = {name: pl.read_parquet(results / f"subsets/{'/'.join(name)}.parquet") for name in names}
    return overlap.table(subsets, {"unseen": 600})


def rule(results: Path, name: str) -> tuple[dict, pl.DataFrame]:
    folder = results / "quality_rules"
    return read_json(folder / f"{name}.json"), pl.read_csv(folder / name / "observations.csv")


def sets(results: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(results / f"quality_rules/{name}/all_subsets.csv")


def rule_page(results: Path, name: str) -> str:
    found, observations = rule(results, name)
    checks = rule_checks.check(found, observations, sets(results, name), RULE_SETTINGS, "instructmining-v2")
    return quality_rule.page(name, found, observations, sets(results, name), checks)


def summarised(results: Path, name: str) -> summary.Rule:
    found, observations = rule(results, name)
    checks = rule_checks.check(found, observations, sets(results, name), RULE_SETTINGS, None)
    return summary.Rule(found, observations, sets(results, name), checks)


EMPTY = summary.Study({}, None, {}, {}, {}, [], [], [], [], "USD", [])


def extremes(results: Path, n: int) -> pl.DataFrame:
    return examples.extremes(
        pl.read_parquet(results / "rankings/best/unseen.parquet"),
        [str(results / f"datasets/{name}/examples.parquet") for name in artifacts.DATASETS],
        [str(results / f"indicators/{name}.parquet") for name in artifacts.DATASETS],
        {name: f"data/{name}.json" for name in artifacts.DATASETS},
        n,
    )

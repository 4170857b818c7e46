"""The tables of ``studies.build``'s study, and its indicator check."""

from pathlib import Path

import polars as pl

from instructmining import config
from instructmining.costs import jobs as costs
from instructmining.costs import ledger
from instructmining.costs import tables as cost_tables
from instructmining.indicators import check as indicator_check
from instructmining.jobs.files import read_json, write_csv, write_json, write_text
from instructmining.quality_rules import checks, tables
from instructmining.report.pages import examples, indicators
from instructmining.selection import overlap
from instructmining.tables import agreement, comparison, contamination
from instructmining.tables import benchmarks as benchmark_tables
from study_builder import Builder

TRAINED_ON = ("dolly", "alpaca")
TEXTS = "datasets/{}/examples.parquet"
RANKINGS = [f"rankings/{order}/unseen.parquet" for order in ("best", "random-0", "random-1")]


class Compared:
    """The runs of comparison ``first``: names of files, and the evaluations as a table."""

    def __init__(self, study: Builder) -> None:
        self.named = config.comparison_subsets(study.config, "first")
        self.evaluations = [f"evaluations/small/{subset}/held_out.json" for subset in self.named]
        self.items = [name.replace(".json", ".items.parquet") for name in self.evaluations]
        self.subsets = [f"subsets/{subset}.parquet" for subset in self.named]
        self.frames = {subset: pl.read_parquet(study.path(f"subsets/{subset}.parquet")) for subset in self.named}
        self.table = comparison.read_evaluations(_paths(study, self.evaluations), _paths(study, self.subsets))


def build(study: Builder) -> None:
    compared = Compared(study)
    _comparison(study, compared)
    _costs(study, compared)
    _benchmark(study, compared)
    _contamination(study, compared)
    _check(study)
    _indicators(study)
    _quality_rule(study)
    _examples(study)


def _shards(dataset: str) -> list[str]:
    return [f"indicators/{dataset}/{entry}/000-of-001.parquet" for entry in ("lengths", "mtld")]


def _paths(study: Builder, names: list[str]) -> list[str]:
    return [str(study.path(name)) for name in names]


def _check(study: Builder) -> None:
    sides, columns = ("chosen", "rejected"), config.dataset_columns(study.config)
    texts, shards = [TEXTS.format(side) for side in sides], [_shards(side) for side in sides]
    files = [_paths(study, names) for names in shards]
    found = indicator_check.check_files(_paths(study, texts), files, columns, study.config["indicator_check"], 1)
    write_json(study.path("indicator_check.json"), found)
    study.job("check_indicators/indicators", [*texts, *shards[0], *shards[1]], "indicator_check.json")


def _indicators(study: Builder) -> None:
    names = [f"indicators/{dataset}.parquet" for dataset in TRAINED_ON]
    normal = indicators.are_normal(indicators.read_values(_paths(study, names)))
    write_csv(normal, study.path("tables/indicators/normality.csv"))
    study.job("report_indicators/indicators", names, "tables/indicators/normality.csv")


def _quality_rule(study: Builder) -> None:
    rule = read_json(study.path("quality_rules/fitted.json"))
    parts = [f"quality_rules/fitted/{part}.csv" for part in ("observations", "all_subsets")]
    frames = [pl.read_csv(study.path(name)) for name in parts]
    found = checks.check(rule, frames[0], frames[1], study.config["quality_rules"]["fitted"], None)
    made = [f"tables/quality_rules/fitted/{table}.csv" for table in found._fields]
    for name, frame in zip(made, found, strict=True):
        write_csv(frame, study.path(name))
    latex = "tables/quality_rules/fitted/ols.tex"
    write_text(study.path(latex), tables.latex("fitted", found.coefficients, found.fit))
    study.job("report_quality_rule/fitted", ["quality_rules/fitted.json", *parts], *made, latex)


def _comparison(study: Builder, of: Compared) -> None:
    write_csv(comparison.compare(of.table, {"random": "random"}), study.path("tables/first.csv"))
    write_csv(benchmark_tables.runs(of.table), study.path("tables/runs/first.csv"))
    inputs = [*of.evaluations, *of.items, *of.subsets]
    study.job("report_comparison/first", inputs, "tables/first.csv", "tables/runs/first.csv")
    table = agreement.agreement(of.table)
    for between in ("benchmark", "size", "recipe"):
        name = f"tables/agreement/{between}s.csv"
        write_csv(table.filter(pl.col("between") == between), study.path(name))
        study.job("report_agreement/agreement", [*of.evaluations, *of.subsets], name)
    frames = {tuple(subset.split("/")): frame for subset, frame in of.frames.items()}
    write_csv(overlap.table(frames, {"unseen": 80}), study.path("tables/overlaps/first.csv"))
    study.job("report_overlaps/first", [*RANKINGS, *of.subsets], "tables/overlaps/first.csv")


def _costs(study: Builder, of: Compared) -> None:
    measured = ledger.read_ledger(study.path("costs"), costs.comparison_jobs(study.config, "first"))
    files = [f"runs/small/{subset}/train.json" for subset in of.named]
    runs, prices = [read_json(study.path(name)) for name in files], study.config["costs"]
    parts = cost_tables.parts_table(study.config, "first", measured)
    everything = cost_tables.everything_table(study.config, "first", measured, runs, {"unseen": 80})
    strategies = cost_tables.strategies_table(parts, everything, prices)
    money = cost_tables.money(prices, cost_tables.has_price(parts, prices))
    made = ("tables/costs/first/parts.csv", "tables/costs/first/strategies.csv")
    for name, frame in zip(made, (parts.with_columns(money), strategies), strict=True):
        write_csv(frame, study.path(name))
    study.job("report_costs/first", [*of.evaluations, *of.subsets, *RANKINGS, *files], *made)


def _benchmark(study: Builder, of: Compared) -> None:
    texts, name = TEXTS.format("held_out"), "tables/benchmarks/first/held_out.csv"
    write_csv(benchmark_tables.items(of.table, study.path(texts)), study.path(name))
    # by name, as Snakemake records inputs
    inputs = sorted([*of.evaluations, *of.items, *of.subsets, texts])
    study.job("report_benchmark/first/held_out", inputs, name)


def _contamination(study: Builder, of: Compared) -> None:
    texts, template = TEXTS.format("held_out"), study.path(TEXTS.format("{dataset}"))
    ngram = study.config["report"]["ngram"]
    found = contamination.tables({"held_out": study.path(texts)}, of.frames, template, ngram)
    made = [f"tables/contamination/first{end}.csv" for end in ("", "-pairs")]
    for name, frame in zip(made, found, strict=True):
        write_csv(frame, study.path(name))
    study.job("report_contamination/first", [*of.subsets, texts], *made)


def _examples(study: Builder) -> None:
    ranking, name = "rankings/best/unseen.parquet", "tables/examples/best/unseen.csv"
    texts = [TEXTS.format(dataset) for dataset in TRAINED_ON]
    values = [f"indicators/{dataset}.parquet" for dataset in TRAINED_ON]
    summaries = [f"datasets/{dataset}/summary.json" for dataset in TRAINED_ON]
    sources = {Path(path).parent.name: read_json(study.path(path))["source"] for path in summaries}
    frame = pl.read_parquet(study.path(ranking))
    number = study.config["report"]["examples"]
    found = examples.extremes(frame, _paths(study, texts), _paths(study, values), sources, number)
    write_csv(found, study.path(name))
    study.job("report_examples/best/unseen", [ranking, *texts, *values, *summaries], name)

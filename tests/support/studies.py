"""A finished study of a few kilobytes, made by the package's own functions, with Snakemake's records of its jobs."""

import json
from pathlib import Path

import numpy as np
import polars as pl

import study_tables
from instructmining import config, strategies
from instructmining.data import mixtures
from instructmining.data.examples import EXAMPLE_SCHEMA
from instructmining.indicators import table as indicator_table
from instructmining.jobs.files import write_csv, write_json, write_parquet, write_text
from instructmining.quality_rules import observations, regression
from instructmining.selection import search
from instructmining.selection.rankings import take
from study_builder import Builder

CONFIG = """
models:
  tiny: {path: models/tiny}
datasets:
  alpaca: {path: data/alpaca.json}
  dolly: {path: data/dolly.json}
  chosen: {path: data/chosen.json}
  rejected: {path: data/rejected.json}
pools:
  unseen: [dolly, alpaca]
benchmarks:
  held_out: {kind: loss, path: data/held_out.json}
indicator_check: {chosen: chosen, rejected: rejected}
mixtures:
  - {name: base, datasets: [alpaca, dolly], count: 9, size: 12}
recipes:
  small: {model: tiny}
indicators:
  lengths: {scorer: lengths, model: tiny, outputs: {output_length: output_length}}
  mtld: {scorer: mtld}
quality_rules:
  fitted: {mixtures: [base], recipe: small, loss: held_out, indicators: [output_length, mtld], bootstrap: 50}
  published: {preset: instructmining-v2}
strategies:
  best: {kind: quality_rule, quality_rule: fitted}
  random: {kind: random, seeds: 2}
searches:
  main: {strategy: best, pool: unseen, recipe: small, loss: held_out, low: 4, high: 24, trials: 3}
comparisons:
  first: {pools: [unseen], strategies: [best, random], sizes: [8, 16], recipes: [small], benchmarks: [held_out]}
"""


def build(root: Path, text: str = CONFIG, source: str = "data/{}.json") -> Builder:
    """The study below ``root``. ``source``: where the data were, as their summaries say."""
    study = Builder(root, text)
    for seed, dataset in enumerate(("alpaca", "dolly", "held_out", "chosen", "rejected")):
        _dataset(study, dataset, seed, source.format(dataset))
    values = {}
    for i in range(9):
        subset = f"mixtures/base-{i:03d}"
        ids = {
            name: pl.read_parquet(study.path(f"datasets/{name}/examples.parquet"))["id"] for name in ("alpaca", "dolly")
        }
        write_parquet(mixtures.draw_mixture(ids, 12, 0, "base", i), study.path(f"subsets/{subset}.parquet"), {})
        examples = [f"datasets/{name}/examples.parquet" for name in ("alpaca", "dolly")]
        study.job(f"draw_mixture/base-{i:03d}", examples, f"subsets/{subset}.parquet")
        evaluation = study.run(subset, 1.5 + 0.02 * i)
        values[f"base-{i:03d}"] = json.loads(study.path(evaluation).read_text())["value"]
    _rules(study, values)
    _rankings(study)
    _search(study)
    _comparison(study)
    study_tables.build(study)
    write_text(study.path("report.html"), "<html><p>a report</p></html>")
    study.summary()
    return study


def _dataset(study: Builder, dataset: str, seed: int, source: str) -> None:
    draw, folder = np.random.default_rng(seed), f"datasets/{dataset}"
    ids = [f"{seed}{row:019x}" for row in range(40)]
    # every fourth prompt is in all datasets
    asked = [f"Say something{'' if row % 4 else f' of {dataset}'}, {row}." for row in range(40)]
    texts = {"id": ids, "instruction": asked, "input": "", "output": "Well.", "dataset": dataset, "row": range(40)}
    frame = pl.DataFrame(texts, schema_overrides=EXAMPLE_SCHEMA).select(EXAMPLE_SCHEMA.names())
    write_parquet(frame, study.path(f"{folder}/examples.parquet"), {"source": source})
    about = {"dataset": dataset, "source": source, "revision": None, "licence": "CC-BY-4.0"}
    write_json(study.path(f"{folder}/summary.json"), about)
    study.job(f"read_dataset/{dataset}", [source], f"{folder}/examples.parquet", f"{folder}/summary.json")
    if dataset == "held_out":
        return
    shards = []
    for entry, column in (("lengths", "output_length"), ("mtld", "mtld")):
        shards.append(f"indicators/{dataset}/{entry}/000-of-001.parquet")
        frame = pl.DataFrame({"id": ids, column: draw.normal(50 + 10 * seed, 9, 40)})
        write_parquet(frame, study.path(shards[-1]), {"directions": {column: "none"}})
        study.job(f"score/{dataset}/{entry}/000-of-001", [f"{folder}/examples.parquet"], shards[-1])
    rows = pl.DataFrame({"id": ids}).with_columns(dataset=pl.lit(dataset))
    columns = ["mtld", "output_length"]
    table = indicator_table.attach(rows, [study.path(shard) for shard in shards], columns).drop("dataset")
    write_parquet(table, study.path(f"indicators/{dataset}.parquet"), {})
    study.job(f"join_indicators/{dataset}", shards, f"indicators/{dataset}.parquet")


def shards_of(*datasets: str) -> list[str]:
    return [f"indicators/{name}/{entry}/000-of-001.parquet" for name in datasets for entry in ("lengths", "mtld")]


def _rules(study: Builder, values: dict[str, float]) -> None:
    columns, names = ["output_length", "mtld"], sorted(values)
    examples = observations.mixture_examples(study.path(f"subsets/mixtures/{name}.parquet") for name in names)
    shards = shards_of("alpaca", "dolly")
    examples = indicator_table.attach(examples, [study.path(shard) for shard in shards], columns)
    table, nulls = observations.from_runs(examples, values, columns)
    settings = study.config["quality_rules"]["fitted"]
    rule, sets = regression.estimate(table, settings, columns)
    folder = "quality_rules/fitted"
    write_json(study.path(f"{folder}.json"), {**rule, "provenance": {"settings": settings}})
    write_csv(regression.with_predictions(rule, table), study.path(f"{folder}/observations.csv"))
    write_csv(sets, study.path(f"{folder}/all_subsets.csv"))
    write_json(study.path(f"{folder}/diagnostics.json"), regression.summary(rule, sets, nulls))
    inputs = [f"subsets/mixtures/{name}.parquet" for name in names]
    inputs += [f"evaluations/small/mixtures/{name}/held_out.json" for name in names]
    outputs = [
        f"{folder}.json",
        *(f"{folder}/{name}" for name in ("observations.csv", "all_subsets.csv", "diagnostics.json")),
    ]
    study.job("fit_quality_rule/fitted", [*inputs, *shards], *outputs)
    write_json(study.path("quality_rules/published.json"), regression.published("instructmining-v2"))
    study.job("fit_quality_rule/published", [], "quality_rules/published.json")


def _rankings(study: Builder) -> None:
    frames = [
        pl.read_parquet(study.path(f"datasets/{name}/examples.parquet")) for name in study.config["pools"]["unseen"]
    ]
    examples = pl.concat(frames).select("id", "dataset")
    sources = [f"datasets/{name}/examples.parquet" for name in ("dolly", "alpaca")]
    for order in ("best", "random-0", "random-1"):
        settings = config.strategy_settings(study.config, order)[1]
        inputs = [*sources, *(["quality_rules/fitted.json", *shards_of("dolly", "alpaca")] if order == "best" else [])]
        rule = {"rule": json.loads(study.path("quality_rules/fitted.json").read_text())} if order == "best" else {}
        columns = config.strategy_columns(study.config, order)
        held = [study.path(name) for name in inputs if name.startswith("indicators")]
        ranking = strategies.load(settings["kind"]).rank(
            indicator_table.attach(examples, held, columns), {**settings, **rule}
        )
        write_parquet(ranking, study.path(f"rankings/{order}/unseen.parquet"), {})
        study.job(f"rank_pool/{order}/unseen", inputs, f"rankings/{order}/unseen.parquet")


def _select(study: Builder, order: str, size: int, subset: str, job: str, *beside: str) -> None:
    ranking = f"rankings/{order}/unseen.parquet"
    write_parquet(
        take(pl.read_parquet(study.path(ranking)), size, "unseen"), study.path(f"subsets/{subset}.parquet"), {}
    )
    study.job(f"{job}/{subset.removeprefix('searches/')}", [ranking, *beside], f"subsets/{subset}.parquet")


def _search(study: Builder) -> None:
    proposals, values, files = [], [], list[str]()
    settings = {key: study.config["searches"]["main"][key] for key in ("low", "high", "parallel", "seed")}
    for t in range(3):
        proposals.append(search.propose(t, proposals[:t], values, search="main", **settings))
        trial, subset = f"searches/main/trials/{t:03d}.json", f"searches/main/{t:03d}"
        write_json(study.path(trial), proposals[-1])
        study.job(f"propose_size/main/{t:03d}", list(files), trial)
        _select(study, "best", proposals[-1]["size"], subset, "select_trial", trial)
        evaluation = study.run(subset, 1.4 + 0.01 * t)
        values.append(json.loads(study.path(evaluation).read_text())["value"])
        files += [trial, evaluation]
    trials = [{**proposal, "value": value} for proposal, value in zip(proposals, values, strict=True)]
    write_json(study.path("searches/main.json"), {**search.choose(trials, "main"), "provenance": {}})
    study.job("choose_size/main", files, "searches/main.json")


def _comparison(study: Builder) -> None:
    for number, subset in enumerate(config.comparison_subsets(study.config, "first")):
        order, _, size = subset.split("/")
        _select(study, order, int(size), subset, "select_subset")
        study.run(subset, 1.3 + 0.01 * number)

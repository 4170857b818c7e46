"""A finished study of a few kilobytes, made by the package's own functions, with Snakemake's records of its jobs."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import study_tables
from instructmining import config
from instructmining.data import mixtures
from instructmining.data.examples import EXAMPLE_SCHEMA
from instructmining.indicators import table as indicator_table
from instructmining.jobs.files import write_csv, write_json, write_parquet, write_text
from instructmining.quality_rules.fitting import quality_rule
from instructmining.selection import subsets, trials
from instructmining.settings import versions
from instructmining.strategies.ranking import rank_pool
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
    block = {key: study.config["mixtures"][0][key] for key in ("datasets", "size", "seed")}
    examples = [f"datasets/{name}/examples.parquet" for name in block["datasets"]]
    for i in range(9):
        name = f"subsets/mixtures/base-{i:03d}.parquet"
        held = dict(zip(block["datasets"], map(study.path, examples), strict=True))
        write_parquet(*_beside(mixtures.mixture(held, block, "base", i, versions.MIXTURES), study.path(name)))
        study.job(f"draw_mixture/base-{i:03d}", examples, name)
        study.run(f"mixtures/base-{i:03d}", 1.5 + 0.02 * i)
    _rules(study)
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
        provenance = {"directions": {column: "none"}, "rows": 40, "truncated": 0, "null": {column: 0}}
        write_parquet(frame, study.path(shards[-1]), provenance)
        study.job(f"score/{dataset}/{entry}/000-of-001", [f"{folder}/examples.parquet"], shards[-1])
    table, name = study.path(f"indicators/{dataset}.parquet"), study.path(f"{folder}/examples.parquet")
    columns, held = ["mtld", "output_length"], [study.path(shard) for shard in shards]
    write_parquet(*_beside(indicator_table.dataset_table(dataset, name, held, columns), table))
    study.job(f"join_indicators/{dataset}", shards, f"indicators/{dataset}.parquet")


def shards_of(*datasets: str) -> list[str]:
    return [f"indicators/{name}/{entry}/000-of-001.parquet" for name in datasets for entry in ("lengths", "mtld")]


def _beside(made: tuple[pl.DataFrame, dict[str, Any]], path: Path) -> tuple[pl.DataFrame, Path, dict[str, Any]]:
    """What ``write_parquet`` takes."""
    return made[0], path, made[1]


def _rules(study: Builder) -> None:
    names, shards = [f"base-{i:03d}" for i in range(9)], shards_of("alpaca", "dolly")
    mixed = [f"subsets/mixtures/{name}.parquet" for name in names]
    losses = [f"evaluations/small/mixtures/{name}/held_out.json" for name in names]
    for name, inputs in (("fitted", [*mixed, *losses, *shards]), ("published", [])):
        settings, columns = study.config["quality_rules"][name], config.rule_columns(study.config, name)
        files = {
            "mixtures": [study.path(one) for one in mixed],
            "evaluations": [study.path(one) for one in losses],
            "indicators": [study.path(one) for one in shards],
        }
        made = quality_rule(name, settings, columns, versions.QUALITY_RULES, **(files if inputs else {}))
        outputs = [f"quality_rules/{name}.json"]
        outputs += [f"quality_rules/{name}/{part}" for part in ("observations.csv", "all_subsets.csv")]
        outputs += [f"quality_rules/{name}/diagnostics.json"]
        for output, content in zip(outputs, made, strict=True):
            if isinstance(content, dict):
                write_json(study.path(output), content)
            else:
                write_csv(content, study.path(output))
        study.job(f"fit_quality_rule/{name}", inputs, *outputs)


def _rankings(study: Builder) -> None:
    datasets = study.config["pools"]["unseen"]
    sources = [f"datasets/{name}/examples.parquet" for name in datasets]
    for order in ("best", "random-0", "random-1"):
        rule = "quality_rules/fitted.json" if order == "best" else None
        shards = shards_of(*datasets) if rule else []
        made = rank_pool(
            "unseen",
            config.strategy_settings(study.config, order)[1],
            config.strategy_columns(study.config, order),
            versions.RANKINGS,
            datasets,
            examples=[study.path(name) for name in sources],
            indicators=[study.path(name) for name in shards],
            quality_rule=study.path(rule) if rule else None,
        )
        write_parquet(*_beside(made, study.path(f"rankings/{order}/unseen.parquet")))
        inputs = [*sources, *([rule, *shards] if rule else [])]
        study.job(f"rank_pool/{order}/unseen", inputs, f"rankings/{order}/unseen.parquet")


def _select(study: Builder, order: str, size: str, subset: str, job: str, proposal: str | None = None) -> None:
    ranking, name = f"rankings/{order}/unseen.parquet", f"subsets/{subset}.parquet"
    chosen_by = study.path(proposal) if proposal else None
    made = subsets.select_subset(study.path(ranking), size, order, "unseen", versions.RANKINGS, chosen_by)
    write_parquet(*_beside(made, study.path(name)))
    study.job(f"{job}/{subset.removeprefix('searches/')}", [ranking, *([proposal] if proposal else [])], name)


def _search(study: Builder) -> None:
    proposals, evaluations = list[str](), list[str]()
    config_ = study.config["searches"]["main"]
    settings = {key: config_[key] for key in ("low", "high", "parallel", "seed")}
    for t in range(3):
        trial, subset = f"searches/main/trials/{t:03d}.json", f"searches/main/{t:03d}"
        earlier = [[study.path(name) for name in names] for names in (proposals, evaluations)]
        write_json(study.path(trial), trials.proposal("main", t, *earlier, settings))
        study.job(f"propose_size/main/{t:03d}", [*proposals, *evaluations], trial)
        _select(study, "best", "", subset, "select_trial", trial)
        proposals.append(trial)
        evaluations.append(study.run(subset, 1.4 + 0.01 * t))
    files = [[study.path(name) for name in names] for names in (proposals, evaluations)]
    write_json(study.path("searches/main.json"), trials.search_result("main", *files, config_, versions.SEARCHES))
    study.job("choose_size/main", [*proposals, *evaluations], "searches/main.json")


def _comparison(study: Builder) -> None:
    for number, subset in enumerate(config.comparison_subsets(study.config, "first")):
        order, _, size = subset.split("/")
        _select(study, order, size, subset, "select_subset")
        study.run(subset, 1.3 + 0.01 * number)

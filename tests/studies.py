"""A finished study of a few kilobytes, made by the package's own functions, with Snakemake's records of its jobs."""

import hashlib
import json
import shutil
from base64 import urlsafe_b64encode
from pathlib import Path

import numpy as np
import polars as pl
import yaml

import study_tables
from instructmining import (
    config,
    indicator_table,
    mixtures,
    search,
)
from instructmining.examples import EXAMPLE_SCHEMA
from instructmining.files import sha256, write_csv, write_json, write_parquet, write_seconds, write_text
from instructmining.quality_rules import observations, regression
from instructmining.rankings import take
from instructmining.strategies import STRATEGIES

ROOT = Path(__file__).parents[1]
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


# with what its jobs ran: finetunings elsewhere, and with another polars
SOFTWARE = {"version": "0.1.0", "commit": "c0ffee" * 6 + "c0de", "dirty": False, "sources": "ab" * 32}
SOFTWARE |= {"python": "3.11.7", "packages": {"numpy": "2.4.6", "polars": "2.0.0"}}
MACHINE = {"processor": "A processor", "cores": 4, "memory_gib": 16, "gpus": {}, "system": "Linux x86_64"}
HERE = {"software": SOFTWARE, "machine": MACHINE}
NODE = {
    "software": {**SOFTWARE, "dirty": True, "packages": {"numpy": "2.4.6", "polars": "2.1.0"}},
    "machine": {**MACHINE, "cores": 64, "memory_gib": 512, "gpus": {"NVIDIA H200": 8}},
}


class Builder:
    """Writes files below ``root`` and what Snakemake would have on record about the jobs that made them."""

    def __init__(self, root: Path, text: str) -> None:
        self.root, self.made = root, list[str]()
        self.gone = ["results/runs/small/mixtures/base-000/model"]
        for name in ("pyproject.toml", "requirements.lock", "CITATION.cff", "workflow/schemas/config.schema.yaml"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        write_text(root / "config.yaml", text)
        schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
        self.config = config.load_defaults_and_check(yaml.safe_load(text), schema, "config.yaml")

    def path(self, name: str) -> Path:
        return self.root / "results" / name

    def job(self, job: str, inputs: list[str], *outputs: str, params: tuple[str, ...] = ()) -> None:
        """A record for each output; names are relative to results."""
        named = [f"results/{name}" if (self.root / "results" / name).exists() else name for name in inputs]
        files = [name for name in named if (self.root / name).is_file()]
        write_seconds(self.path(f"costs/{job}.tsv"), 12.0 + len(job))
        record = {
            "rule": job.split("/")[0],
            "input": named,
            "log": [f"logs/{job}.log"],
            "params": list(params),
            "record_format_version": 6,
            "starttime": 1.7e9,
            "endtime": 1.7e9 + 12,
            "input_checksums": {name: f"sha256:{sha256(self.root / name)}" for name in files},
        }
        self.ran_with(job, NODE if record["rule"] == "finetune" else HERE)
        for output in outputs:
            name = urlsafe_b64encode(f"results/{output}".encode()).decode()
            write_text(self.root / ".snakemake/metadata" / name, json.dumps(record))
            self.made.append(f"results/{output}")

    def ran_with(self, job: str, surroundings: dict[str, Any], started: float = 1.7e9) -> str:
        """What a job writes of itself as it begins; the name of its surroundings."""
        text = json.dumps(surroundings)
        digest = hashlib.sha256(text.encode()).hexdigest()
        write_text(self.path(f"surroundings/{digest}.json"), text)
        write_json(self.path(f"jobs/{job}.json"), {"surroundings": digest, "started": started})
        return digest

    def summary(self) -> Path:
        rows = ["output_file\tdate\trule\tlog-file(s)\tstatus\tplan"]
        rows += [f"{name}\tThu Jan  1\tsome\tlogs/x.log\tok\tno update" for name in self.made]
        rows += [f"{name}\t-\tsome\t-\tremoved temp file\tno update" for name in self.gone]
        write_text(self.root / "summary.tsv", "\n".join(rows) + "\n")
        return self.root / "summary.tsv"

    def run(self, subset: str, loss: float) -> str:
        """A run on a subset and its evaluation; the name of that."""
        rows = pl.read_parquet(self.path(f"subsets/{subset}.parquet")).height
        train = {"recipe": "small", "subset": subset, "examples": rows, "tokens": 90 * rows, "seconds": {"train": 9.0}}
        write_json(self.path(f"runs/small/{subset}/train.json"), train)
        self.job(f"finetune/small/{subset}", [f"subsets/{subset}.parquet"], f"runs/small/{subset}/train.json")
        draw = np.random.default_rng(len(subset))
        tokens = draw.integers(20, 90, 10)
        nll = tokens * (loss + draw.normal(0, 0.1, 10))
        ids = pl.read_parquet(self.path("datasets/held_out/examples.parquet"))["id"].head(10)
        items = pl.DataFrame({"id": ids, "nll": nll, "tokens": tokens})
        items = items.with_columns(value=pl.col("nll") / pl.col("tokens"), weight=pl.col("tokens").cast(pl.Float64))
        figures = {"value": nll.sum() / tokens.sum(), "n_used": 10, "n_expected": 10, "unit": "nats per response token"}
        figures |= {"direction": "lower_is_better", "tokens": int(tokens.sum()), "truncated": 0, "provenance": {}}
        name = f"evaluations/small/{subset}/held_out"
        write_json(self.path(f"{name}.json"), figures)
        write_parquet(items, self.path(f"{name}.items.parquet"), {})
        made_from = ["datasets/held_out/examples.parquet", f"results/runs/small/{subset}/model"]
        outputs = (f"{name}.json", f"{name}.items.parquet")
        self.job(f"evaluate_loss/small/{subset}/held_out", made_from, *outputs, params=("2", "{'device': 'cpu'}"))
        return f"{name}.json"


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
        ranking = STRATEGIES[settings["kind"]].rank(
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

"""Evaluations, indicators, rankings, subsets and searches computed again from the files they were made from.

Each function is given the study, the name of its first file and what the wildcards of its pattern stand for, and
returns what the files of the pattern should be. No model is read. See ``instructmining.trail.recompute``.
"""

from pathlib import Path
from typing import Any

import polars as pl

from instructmining import strategies
from instructmining.config import dataset_columns, strategy_columns, strategy_settings
from instructmining.data.mixtures import draw_mixture
from instructmining.data.pools import pool_examples
from instructmining.indicators import check as indicator_check
from instructmining.indicators import table as indicator_table
from instructmining.jobs.files import read_json
from instructmining.selection import search
from instructmining.selection.rankings import take
from instructmining.tables.significance import read_items
from instructmining.trail.study import Computed, Expected, Study, without_provenance


def evaluation(study: Study, file: str, *_: str) -> tuple[Expected, Expected]:
    """The value is the mean of the items, weighted (of a loss, nats over tokens); how many it used."""
    items = pl.read_parquet(study.path(f"{file.removesuffix('.json')}.items.parquet"))
    made_of = read_items(study.path(file))
    figures = {
        **without_provenance(read_json(study.path(file))),
        "value": float(made_of["total"].sum()) / float(made_of["weight"].sum()),
        "n_used": made_of.filter(pl.col("weight") > 0).height,
    }
    if "nll" not in items.columns:
        return figures, None
    return figures, items.with_columns(value=pl.col("nll") / pl.col("tokens"))


def indicators(study: Study, file: str, dataset: str) -> tuple[pl.DataFrame]:
    """A dataset's table, joined from its shards; which examples it has is taken from itself."""
    found = pl.read_parquet(study.path(file))
    columns = [column for column in found.columns if column != "id"]
    rows = found.select("id", dataset=pl.lit(dataset))
    return (indicator_table.attach(rows, study.made_from(file, "indicators"), columns).drop("dataset"),)


def check(study: Study, file: str) -> tuple[dict[str, Any]]:
    """The indicator check: the examples say which row of their source each is, which pairs the two sides."""
    sides = [study.config["indicator_check"][side] for side in ("chosen", "rejected")]
    shards = [study.made_from(file, f"indicators/{side}") for side in sides]
    return (indicator_check.check_files(study.examples(sides), shards, dataset_columns(study.config)),)


def ranking(study: Study, file: str, order: str, pool: str) -> tuple[pl.DataFrame]:
    """A pool's order, from indicators, quality rule and other orders."""
    settings = strategy_settings(study.config, order)[1]
    # of vectors, which no archive holds
    study.made_from(file, "embeddings")
    columns, shards = strategy_columns(study.config, order), study.made_from(file, "indicators")
    examples = indicator_table.attach(_pool(study, file, pool, settings["kind"]), shards, columns)
    known: dict[str, Any] = {
        "rankings": {Path(path).parent.name: pl.read_parquet(path) for path in study.made_from(file, "rankings")}
    }
    for rule in study.made_from(file, "quality_rules", ".json"):
        known["rule"] = read_json(rule)
    return (strategies.load(settings["kind"]).rank(examples, {**settings, **known}),)


def _pool(study: Study, file: str, pool: str, kind: str) -> pl.DataFrame:
    """A pool's examples; without texts those that its ranking has, save where the order is that of the datasets."""
    datasets = study.config["pools"][pool]
    names = {f"results/datasets/{dataset}/examples.parquet" for dataset in datasets}
    if kind != "full" and not names <= study.files:
        return pl.read_parquet(study.path(file)).select("id", "dataset").sort("id")
    return pool_examples([pl.read_parquet(path, columns=["id", "dataset"]) for path in study.examples(datasets)])[0]


def mixture(study: Study, _: str, block: str, i: str) -> tuple[pl.DataFrame]:
    """Drawn again from all ids of its datasets."""
    settings = {entry["name"]: entry for entry in study.config["mixtures"]}[block]
    ids = {dataset: _ids(study, dataset) for dataset in settings["datasets"]}
    return (draw_mixture(ids, settings["size"], settings["seed"], block, int(i)),)


def _ids(study: Study, dataset: str) -> pl.Series:
    # a dataset's own file, with its texts, need not be in the archive; its indicators have the same rows
    table = f"results/indicators/{dataset}.parquet"
    path = study.path(table) if table in study.files else study.examples([dataset])[0]
    return pl.read_parquet(path, columns=["id"])["id"]


def subset(study: Study, file: str, *names: str) -> tuple[pl.DataFrame]:
    """The first of a ranking: as many as its name, a search's best size or a trial's proposal says."""
    (path,) = study.made_from(file, "rankings")
    size = int(names[-1]) if names[-1].isdigit() else None
    for chosen in study.made_from(file, "searches", ".json"):
        found = read_json(chosen)
        size = found["best_size"] if "best_size" in found else found["size"]
    return (take(pl.read_parquet(path), size, Path(path).stem),)


def size_found(study: Study, file: str, name: str) -> tuple[dict[str, Any]]:
    """The best of a search's trials."""
    proposals = [read_json(path) for path in sorted(study.made_from(file, "searches", ".json"))]
    values = _values(study, file)
    trials = [{**proposal, "value": value} for proposal, value in zip(proposals, values, strict=True)]
    return (search.choose(trials, name),)


def proposal(study: Study, file: str, name: str, t: str) -> tuple[dict[str, Any]]:
    """A search's proposal, by replaying the searcher: that of the last trial proposes all before it, and says if one
    is another."""
    settings, found = study.config["searches"][name], read_json(study.path(file))
    if int(t) < settings["trials"] - 1:
        return (found,)
    earlier = [read_json(path) for path in sorted(study.made_from(file, "searches", ".json"))]
    keys = {key: settings[key] for key in ("low", "high", "parallel", "seed")}
    again = search.propose(int(t), earlier, _values(study, file), search=name, **keys)
    return ({**found, **{key: again[key] for key in ("trial", "searcher_id", "size")}},)


def _values(study: Study, file: str) -> list[float]:
    return [read_json(path)["value"] for path in sorted(study.made_from(file, "evaluations", ".json"))]


DATA: Computed = {
    (
        "results/evaluations/{recipe}/{subset}/{benchmark}.json",
        "results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet",
    ): evaluation,
    ("results/indicators/{dataset}.parquet",): indicators,
    ("results/indicator_check.json",): check,
    ("results/rankings/{ranking}/{pool}.parquet",): ranking,
    ("results/subsets/mixtures/{block}-{i}.parquet",): mixture,
    ("results/subsets/searches/{search}/{t}.parquet",): subset,
    ("results/subsets/{ranking}/{pool}/{size}.parquet",): subset,
    ("results/searches/{search}/trials/{t}.json",): proposal,
    ("results/searches/{search}.json",): size_found,
}

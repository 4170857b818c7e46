"""Results of a study computed again from the files they were made from, by the functions that made them.

Each function here yields the differences it finds and puts the names of the files it has computed into
``study.computed``. Which files a result was made from is said by the crate, not by the config. No model is read.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from instructmining import indicator_table, search
from instructmining.config import mixture_names, rule_columns, strategy_columns, strategy_settings
from instructmining.files import read_json
from instructmining.mixtures import draw_mixture
from instructmining.quality_rules import observations, regression
from instructmining.rankings import take
from instructmining.significance import read_items
from instructmining.strategies import STRATEGIES
from instructmining.trail.differences import Difference, of_csv, of_data, of_frames

Config = dict[str, Any]


class Study(NamedTuple):
    """An archive's folder, its config, the names of its files, and what each was made from."""

    folder: Path
    config: Config
    files: frozenset[str]
    inputs: Mapping[str, tuple[str, ...]]
    computed: set[str]

    def below(self, folder: str, end: str) -> list[str]:
        """Names of files below results/{folder}, sorted."""
        return sorted(name for name in self.files if name.startswith(f"results/{folder}/") and name.endswith(end))

    def made_from(self, file: str, folder: str, end: str = "") -> list[str]:
        """Paths of those of a file's inputs that lie below results/{folder}."""
        named = self.inputs.get(file, ())
        return [
            str(self.folder / path) for path in named if path.startswith(f"results/{folder}/") and path.endswith(end)
        ]

    def whole(self, file: str) -> bool:
        """Whether a file is there, and everything that it was made from."""
        return file in self.files and self.files.issuperset(self.inputs.get(file, ()))


def losses(study: Study) -> Iterator[Difference]:
    """An evaluation's value is the mean of its items, weighted (of a loss, nats over tokens); how many it used."""
    for file in study.below("evaluations", ".json"):
        items_file = f"{file.removesuffix('.json')}.items.parquet"
        if items_file not in study.files:
            continue
        figures = read_json(study.folder / file)
        made_of = read_items(study.folder / file)
        expected = {
            "value": float(made_of["total"].sum()) / float(made_of["weight"].sum()),
            "n_used": made_of.filter(pl.col("weight") > 0).height,
        }
        yield from of_data(file, expected, {name: figures.get(name) for name in expected})
        items = pl.read_parquet(study.folder / items_file)
        if "nll" in items.columns:
            values = items.select("id", value=pl.col("nll") / pl.col("tokens"))
            yield from of_frames(items_file, values, items.select("id", "value"))
        study.computed.update({file, items_file})


def indicators(study: Study) -> Iterator[Difference]:
    """A dataset's table of indicators, joined from its shards."""
    for file in study.below("indicators", ".parquet"):
        shards = study.made_from(file, "indicators")
        if len(Path(file).parts) == 3 and shards and study.files.issuperset(_below(study, shards)):
            found = pl.read_parquet(study.folder / file)
            columns = [column for column in found.columns if column != "id"]
            rows = found.select("id", dataset=pl.lit(Path(file).stem))
            yield from of_frames(file, indicator_table.attach(rows, shards, columns).drop("dataset"), found)
            study.computed.add(file)


def rankings(study: Study) -> Iterator[Difference]:
    """A pool's order, from indicators, quality rule and other orders; which examples it has is taken from itself."""
    for file in study.below("rankings", ".parquet"):
        order = Path(file).parent.name
        settings = strategy_settings(study.config, order)[1]
        read = [path for path in study.inputs.get(file, ()) if not path.startswith("results/datasets/")]
        # by vectors, which no archive holds; or in the order of the pool's datasets, with their texts
        if not study.files.issuperset(read) or settings["kind"] == "full":
            continue
        found = pl.read_parquet(study.folder / file)
        columns, shards = strategy_columns(study.config, order), study.made_from(file, "indicators")
        examples = indicator_table.attach(found.select("id", "dataset").sort("id"), shards, columns)
        known: dict[str, Any] = {
            "rankings": {Path(path).parent.name: pl.read_parquet(path) for path in study.made_from(file, "rankings")}
        }
        for rule in study.made_from(file, "quality_rules", ".json"):
            known["rule"] = read_json(rule)
        yield from of_frames(file, STRATEGIES[settings["kind"]].rank(examples, {**settings, **known}), found)
        study.computed.add(file)


def subsets(study: Study) -> Iterator[Difference]:
    """A subset is the first of a ranking; a mixture is drawn again where all ids of its datasets are there."""
    for file in study.below("subsets", ".parquet"):
        name = file.removeprefix("results/subsets/").removesuffix(".parquet")
        expected = _mixture(study, file, name) if name.startswith("mixtures/") else _prefix(study, file, name)
        if expected is not None:
            found = pl.read_parquet(study.folder / file)
            yield from of_frames(file, expected, found)
            study.computed.add(file)


def _prefix(study: Study, file: str, name: str) -> pl.DataFrame | None:
    rankings = study.made_from(file, "rankings")
    if not study.whole(file) or len(rankings) != 1:
        return None
    size: int | None = None
    for chosen in study.made_from(file, "searches", ".json"):
        found = read_json(chosen)
        size = found["best_size"] if "best_size" in found else found["size"]
    last = Path(name).name
    if size is None and last != "all":
        size = int(last)
    return take(pl.read_parquet(rankings[0]), size, Path(rankings[0]).stem)


def _mixture(study: Study, file: str, name: str) -> pl.DataFrame | None:
    block, _, i = name.removeprefix("mixtures/").rpartition("-")
    settings = next((entry for entry in study.config["mixtures"] if entry["name"] == block), None)
    if settings is None:
        return None
    # a dataset's own file, with its texts, need not be in the archive; its indicators have the same rows
    tables = {dataset: f"results/indicators/{dataset}.parquet" for dataset in settings["datasets"]}
    if not study.files.issuperset(tables.values()):
        return None
    ids = {dataset: pl.read_parquet(study.folder / path, columns=["id"])["id"] for dataset, path in tables.items()}
    return draw_mixture(ids, settings["size"], settings["seed"], block, int(i))


def searches(study: Study) -> Iterator[Difference]:
    """The best of the trials; and every proposal, by replaying the searcher."""
    for name, settings in study.config["searches"].items():
        file = f"results/searches/{name}.json"
        if not study.whole(file):
            continue
        proposals = [read_json(path) for path in sorted(study.made_from(file, "searches", ".json"))]
        values = [read_json(path)["value"] for path in sorted(study.made_from(file, "evaluations", ".json"))]
        trials = [{**proposal, "value": value} for proposal, value in zip(proposals, values, strict=True)]
        found = _without_provenance(read_json(study.folder / file))
        yield from of_data(file, search.choose(trials, name), found)
        study.computed.add(file)
        last = len(proposals) - 1
        keys = {key: settings[key] for key in ("low", "high", "parallel", "seed")}
        told = values[: len(search.told(last, settings["parallel"]))]
        again = search.propose(last, proposals[:last], told, search=name, **keys)
        trial = f"results/searches/{name}/trials/{last:03d}.json"
        kept = ("trial", "searcher_id", "size")
        yield from of_data(trial, {key: again[key] for key in kept}, {key: proposals[last].get(key) for key in kept})
        study.computed.update(study.below(f"searches/{name}/trials", ".json"))


def quality_rules(study: Study) -> Iterator[Difference]:
    """Observations from mixtures, indicators and losses; the rule, its diagnostics and all sets, from observations."""
    for name, settings in study.config["quality_rules"].items():
        file, folder = f"results/quality_rules/{name}.json", f"results/quality_rules/{name}"
        if file not in study.files:
            continue
        found = _without_provenance(read_json(study.folder / file))
        if "preset" in settings:
            yield from of_data(file, regression.published(settings["preset"], settings["columns"]), found)
            study.computed.add(file)
            continue
        columns = rule_columns(study.config, name)
        nulls: dict[str, int] = {}
        if "mixtures" in settings and study.whole(file):
            table, nulls = _observations(study, file, settings, columns)
        else:
            table = observations.from_csv(study.folder / folder / "observations.csv", columns)
        rule, sets = regression.estimate(
            table,
            settings["indicators"],
            candidates=columns,
            max_indicators=settings["max_indicators"],
            bootstrap=settings["bootstrap"],
            seed=settings["seed"],
        )
        yield from of_data(file, rule, found)
        for part, frame in (("observations", regression.with_predictions(rule, table)), ("all_subsets", sets)):
            yield from of_csv(f"{folder}/{part}.csv", frame, study.folder / folder / f"{part}.csv")
        summary = regression.summary(rule, sets, nulls)
        yield from of_data(f"{folder}/diagnostics.json", summary, read_json(study.folder / folder / "diagnostics.json"))
        study.computed.update({file, *study.below(f"quality_rules/{name}", "")})


def _observations(
    study: Study, file: str, settings: Mapping[str, Any], columns: list[str]
) -> tuple[pl.DataFrame, dict[str, int]]:
    names = mixture_names(study.config, settings["mixtures"])
    values = {
        Path(path).parent.name: read_json(path)["value"] for path in study.made_from(file, "evaluations", ".json")
    }
    examples = observations.mixture_examples(
        study.folder / f"results/subsets/mixtures/{name}.parquet" for name in names
    )
    examples = indicator_table.attach(examples, study.made_from(file, "indicators"), columns)
    return observations.from_runs(examples, values, columns)


def _below(study: Study, paths: list[str]) -> list[str]:
    """Names in the archive of paths below its folder."""
    return [Path(path).relative_to(study.folder).as_posix() for path in paths]


def _without_provenance(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "provenance"}

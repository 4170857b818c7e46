"""Results of a study computed again from the files they were made from, by the functions that made them.

Each function here yields the differences it finds and puts the names of the files it has computed into
``study.computed``. Which files a result was made from is said by the crate, not by the config. No model is read.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from instructmining import (
    agreement,
    comparison,
    cost_tables,
    costs,
    diagnostics,
    indicator_table,
    ledger,
    observations,
    overlap,
    regression,
    search,
)
from instructmining.config import mixture_names, rule_columns
from instructmining.config.baselines import comparison_baselines
from instructmining.differences import Difference, of_csv, of_data, of_frames
from instructmining.files import read_json, read_provenance
from instructmining.mixtures import draw_mixture
from instructmining.rankings import take

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
        return [str(self.folder / path) for path in named if path.startswith(f"results/{folder}/") and path.endswith(end)]

    def whole(self, file: str) -> bool:
        """Whether a file is there, and everything that it was made from."""
        return file in self.files and self.files.issuperset(self.inputs.get(file, ()))


def losses(study: Study) -> Iterator[Difference]:
    """An evaluation's value is the mean of its items, weighted (by tokens, for a loss); how many it used."""
    for file in study.below("evaluations", ".json"):
        items_file = f"{file.removesuffix('.json')}.items.parquet"
        if items_file not in study.files:
            continue
        figures = read_json(study.folder / file)
        items = pl.read_parquet(study.folder / items_file).drop_nulls("value")
        weights = items["weight" if "weight" in items.columns else "tokens"]
        mean = (items["value"] * weights).sum() / weights.sum()
        found = {name: figures.get(name) for name in ("value", "n_used")}
        yield from of_data(file, {"value": mean, "n_used": items.height}, found)
        study.computed.add(file)
        if "nll" in items.columns:
            nats = items.select(nll=pl.col("value") * pl.col("tokens"))
            yield from of_frames(items_file, nats, items.select("nll"))
            study.computed.add(items_file)


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
    values = {Path(path).parent.name: read_json(path)["value"] for path in study.made_from(file, "evaluations", ".json")}
    examples = observations.mixture_examples(study.folder / f"results/subsets/mixtures/{name}.parquet" for name in names)
    examples = indicator_table.attach(examples, study.made_from(file, "indicators"), columns)
    return observations.from_runs(examples, values, columns)


def comparisons(study: Study) -> Iterator[Difference]:
    """The tables of comparisons, from evaluations, their items and subsets."""
    for name in study.config["comparisons"]:
        file = f"results/tables/{name}.csv"
        if study.whole(file):
            table = comparison.compare(_evaluations(study, file), comparison_baselines(study.config, name))
            yield from of_csv(file, table, study.folder / file)
            study.computed.add(file)


def overlaps(study: Study) -> Iterator[Difference]:
    """Shares that subsets have in common."""
    for file in study.below("tables/overlaps", ".csv"):
        if not study.whole(file):
            continue
        chosen = study.made_from(file, "subsets")
        frames = {_last_three(path): pl.read_parquet(path) for path in chosen}
        table = overlap.table(frames, _pool_rows(study, file))
        yield from of_csv(file, table, study.folder / file)
        study.computed.add(file)


def agreements(study: Study) -> Iterator[Difference]:
    """Correlations between benchmarks, sizes and recipes."""
    for file in study.below("tables/agreement", ".csv"):
        if study.whole(file):
            table = agreement.agreement(_evaluations(study, file))
            between = Path(file).stem.removesuffix("s")
            yield from of_csv(file, table.filter(pl.col("between") == between), study.folder / file)
            study.computed.add(file)


def cost_parts(study: Study) -> Iterator[Difference]:
    """What selecting and training cost, from what the jobs measured."""
    config, prices = study.config, study.config["costs"]
    for name in config["comparisons"]:
        files = [f"results/tables/costs/{name}/{table}.csv" for table in ("parts", "strategies")]
        if not all(map(study.whole, files)):
            continue
        measured = ledger.read_ledger(study.folder / "results/costs", costs.comparison_jobs(config, name))
        runs = [read_json(path) for path in study.made_from(files[0], "runs", "train.json")]
        rows = _pool_rows(study, files[0])
        parts = cost_tables.parts_table(config, name, measured)
        everything = cost_tables.everything_table(config, name, measured, runs, rows)
        money = cost_tables.money(prices, cost_tables.has_price(parts, prices))
        tables = (parts.with_columns(money), cost_tables.strategies_table(parts, everything, prices))
        for file, table in zip(files, tables, strict=True):
            yield from of_csv(file, table, study.folder / file)
            study.computed.add(file)


def _evaluations(study: Study, file: str) -> pl.DataFrame:
    return comparison.read_evaluations(study.made_from(file, "evaluations", ".json"), study.made_from(file, "subsets"))


def _pool_rows(study: Study, file: str) -> dict[str, int]:
    rankings = study.made_from(file, "rankings")
    return {Path(path).stem: pl.scan_parquet(path).select(pl.len()).collect().item() for path in rankings}


def _last_three(path: str) -> tuple[str, str, str]:
    order, pool, size = Path(path).with_suffix("").parts[-3:]
    return order, pool, size


def _without_provenance(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "provenance"}


ALL = (losses, subsets, searches, quality_rules, comparisons, overlaps, agreements, cost_parts)

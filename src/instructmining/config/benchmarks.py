"""Benchmarks: which runs one compares, whose answers it reads, and what a schema cannot say of it. Pure functions."""

from collections.abc import Iterator
from typing import Any

from instructmining.config.judges import pair_judge_problems
from instructmining.config.names import comparison_subsets, seeded_names
from instructmining.config.schema import Problem, unknown
from instructmining.data.item_formats import ITEM_FORMATS
from instructmining.jobs import paths
from instructmining.settings.discovery import specs

Config = dict[str, Any]
Problems = Iterator[Problem]

REFERENCE = "reference"


def generation_owner(config: Config, benchmark: str) -> str:
    """Whose answers a benchmark reads: those of the first that asks the same questions in the same way."""
    wanted = [config["benchmarks"][benchmark][key] for key in ("dataset", "generation")]
    return next(
        name
        for name, settings in config["benchmarks"].items()
        if "generation" in settings and [settings["dataset"], settings["generation"]] == wanted
    )


def generation_owners(config: Config) -> list[str]:
    """Benchmarks under whose names answers are generated, in config order."""
    names = [name for name, settings in config["benchmarks"].items() if "generation" in settings]
    return list(dict.fromkeys(generation_owner(config, name) for name in names))


def against_runs(config: Config, benchmark: str, recipe: str, subset: str) -> list[str] | None:
    """Runs ({recipe}/{subset}) whose answers a pairwise benchmark sets against those of this run.

    Of a strategy with seeds all of them but the run itself; none for reference answers. None, and no evaluation, where
    there is nobody to be compared with: a run with itself, and one of no size or pool with a strategy's of the same.
    """
    against, own = config["benchmarks"][benchmark]["against"], f"{recipe}/{subset}"
    if against == REFERENCE:
        return []
    if "/" in against:
        found = [against if against.count("/") == 3 else f"{recipe}/{against}"]
    else:
        strategy, _, rest = subset.partition("/")
        if strategy in ("mixtures", "searches"):
            return None
        pool, _, size = rest.partition("/")
        whole = config["strategies"][against.partition("-")[0]]["kind"] == "full"
        if size == "all" and not whole:
            return None
        orders = [against] if "-" in against else seeded_names(config, against)
        found = [f"{recipe}/{order}/{pool}/{'all' if whole else size}" for order in orders]
    return [run for run in found if run != own] or None


def comparison_evaluations(config: Config, name: str) -> list[tuple[str, str, str]]:
    """Recipe, subset and benchmark of every evaluation of a comparison."""
    settings = config["comparisons"][name]
    return [
        (recipe, subset, benchmark)
        for recipe in settings["recipes"]
        for subset in comparison_subsets(config, name)
        for benchmark in settings["benchmarks"]
        if config["benchmarks"][benchmark]["kind"] != "pairwise"
        or against_runs(config, benchmark, recipe, subset) is not None
    ]


def evaluated_texts(config: Config, name: str) -> dict[str, str]:
    """Benchmark of a comparison -> what it asks: its dataset, or the items of an evaluation that hold their texts."""
    found = dict[str, str]()
    for recipe, subset, benchmark in sorted(comparison_evaluations(config, name), key=lambda parts: parts[-1]):
        dataset = config["benchmarks"][benchmark].get("dataset")
        items = paths.ITEMS.format(recipe=recipe, subset=subset, benchmark=benchmark)
        found.setdefault(benchmark, paths.EXAMPLES.format(dataset=dataset) if dataset else items)
    return found


def benchmark_problems(config: Config) -> Problems:
    """Sets that do not fit their kind or are trained on, runs that do not exist, comparisons without evaluations."""
    training = [(f"pool {name}", datasets) for name, datasets in config["pools"].items()]
    training += [(f"mixture block {block['name']}", block["datasets"]) for block in config["mixtures"]]
    for what, datasets in training:
        for dataset in datasets:
            if (found := _format(config, dataset)) in ITEM_FORMATS:
                yield Problem(("datasets", dataset), f"{what} trains on it, but format {found} is of benchmarks' items")
    for name, settings in config["benchmarks"].items():
        path = ("benchmarks", name)
        if settings["kind"] == "pairwise":
            yield from _against(path, settings["against"], config)
            yield from pair_judge_problems(path, settings["prompt"], settings["judge"])
        if "dataset" not in settings:
            for key in ("few_shot", "metric", "include_path"):
                if settings[key] is not None and "preset" in settings:
                    yield Problem((*path, key), "is only for tasks: a preset has its own")
            continue
        yield from unknown(path, "dataset", settings["dataset"], "datasets", config["datasets"])
        yield from _fitting(path, settings, config)
        for what, datasets in training:
            if settings["dataset"] in datasets:
                yield Problem(path, f"{what} trains on the benchmark's own data, dataset {settings['dataset']}")


def loss_problems(path: tuple[str | int, ...], name: str, config: Config) -> Problems:
    """Of a benchmark that a rule is fitted on or a search minimises."""
    yield from unknown(path, "loss", name, "benchmarks", config["benchmarks"])
    kind = config["benchmarks"].get(name, {}).get("kind", "loss")
    if kind != "loss":
        yield Problem((*path, "loss"), f"benchmark '{name}' is of kind {kind}: expected one of kind loss")


def _format(config: Config, dataset: str) -> str | None:
    found: str | None = config["datasets"].get(dataset, {}).get("format")
    return found


def _fitting(path: tuple[str | int, ...], settings: Config, config: Config) -> Problems:
    found, wanted = _format(config, settings["dataset"]), specs("evaluations")[settings["kind"]].items_format
    if found is None:
        return
    if wanted and found != wanted:
        yield Problem(path, f"dataset {settings['dataset']} has format {found}; kind {settings['kind']} needs {wanted}")
    if not wanted and found in ITEM_FORMATS:
        yield Problem(
            path, f"dataset {settings['dataset']} has format {found}, which kind {settings['kind']} cannot read"
        )


def _against(path: tuple[str | int, ...], against: str, config: Config) -> Problems:
    parts = against.split("/")
    if against == REFERENCE:
        return
    where = (*path, "against")
    if len(parts) == 2:
        yield Problem(
            where, f"'{against}': expected reference, a strategy, strategy/pool/size or recipe/strategy/pool/size"
        )
        return
    if len(parts) == 4:
        yield from unknown(where, "recipe", parts.pop(0), "recipes", config["recipes"])
    strategy = parts[0].partition("-")[0]
    orders = seeded_names(config, strategy) if strategy in config["strategies"] else []
    # a strategy stands for all its seeds; a run is one of them
    known = orders if len(parts) == 3 else [*orders, *config["strategies"]]
    yield from unknown(where, "strategy", parts[0], "strategies", known or config["strategies"])
    if len(parts) == 3:
        yield from unknown(where, "pool", parts[1], "pools", config["pools"])

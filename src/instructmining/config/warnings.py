"""What is allowed but should be read twice: sets that are not apart, and baselines that are not held apart."""

from typing import Any

from instructmining.config.baselines import unchecked_sizes
from instructmining.config.studies import all_ablated

Config = dict[str, Any]

# What two datasets must share to be read from the same rows in the same way.
_SOURCE = (
    *("path", "hub", "revision", "config_name", "data_files", "split", "package", "version", "file"),
    *("format", "side"),
)


def warnings(config: Config) -> list[str]:
    """One line for each benchmark or preference dataset of a checked config that serves two purposes, and each size at
    which a random strategy with a limit has none."""
    return [
        *_training(config),
        *_searches(config),
        *_comparisons(config),
        *unchecked_sizes(config),
        *_preferences(config),
    ]


def same_data(config: Config, one: str, other: str) -> bool:
    """Whether two datasets may hold the same examples: one dataset, or two on overlapping rows of one source.

    Not where one excludes the other's prompts.
    """
    if one == other:
        return True
    first, second = config["datasets"][one], config["datasets"][other]
    if one in second["exclude_prompts_of"] or other in first["exclude_prompts_of"]:
        return False
    ranges = [settings["rows"] or (0, float("inf")) for settings in (first, second)]
    overlap = max(start for start, _ in ranges) < min(stop for _, stop in ranges)
    return overlap and all(first.get(key) == second.get(key) for key in _SOURCE)


def _same(config: Config, one: str, other: str) -> bool:
    datasets = [config["benchmarks"][name].get("dataset") for name in (one, other)]
    return None not in datasets and same_data(config, *datasets)


def _training(config: Config) -> list[str]:
    """Data that finetuning reads and that should stay out of it; a benchmark's own dataset is an error elsewhere."""
    held_out = [
        (f"benchmark {name}", settings["dataset"])
        for name, settings in config["benchmarks"].items()
        if "dataset" in settings
    ]
    for entry, settings in config["indicators"].items():
        if head := settings.get("preference_head"):
            held_out += [(f"the preference head of {entry}", head[side]) for side in ("chosen", "rejected")]
    sets = [(f"pool {name}", datasets) for name, datasets in config["pools"].items()]
    sets += [(f"mixture block {block['name']}", block["datasets"]) for block in config["mixtures"]]
    return [
        f"{what} trains on the data of {use}: "
        + (f"dataset {dataset}" if dataset == own else f"datasets {dataset} and {own} share rows of one source")
        for what, datasets in sets
        for dataset in datasets
        for use, own in held_out
        if same_data(config, dataset, own)
    ]


def _rule_loss(config: Config, order: str) -> tuple[str, str] | None:
    """(quality rule, benchmark it was fitted on) behind an order; None where nothing was fitted here."""
    rule = config["strategies"][order.partition("-")[0]].get("quality_rule")
    loss = config["quality_rules"][rule].get("loss") if rule else None
    return (rule, loss) if rule and loss else None


def _searches(config: Config) -> list[str]:
    found = []
    for name, search in config["searches"].items():
        rule = _rule_loss(config, search["strategy"])
        if rule and _same(config, rule[1], search["loss"]):
            found.append(
                f"search {name} is made on benchmark {search['loss']}, on which quality rule {rule[0]} was fitted"
            )
    return found


def _comparisons(config: Config) -> list[str]:
    # what is said of a rule holds for it without an indicator
    found, repeated = [], all_ablated(config)
    for name, comparison in config["comparisons"].items():
        used = {}
        for strategy in (one for one in comparison["strategies"] if one not in repeated):
            if rule := _rule_loss(config, strategy):
                used[f"which quality rule {rule[0]} was fitted on"] = rule[1]
        for size in comparison["sizes"]:
            if isinstance(size, str):
                search = config["searches"][size.removeprefix("best-")]
                used[f"which search {size.removeprefix('best-')} used for selection"] = search["loss"]
                found += [
                    f"comparison {name} takes size {size}, found on pool {search['pool']}, for pool {pool}"
                    for pool in comparison["pools"]
                    if pool != search["pool"]
                ]
        found += [
            f"comparison {name} is made on benchmark {benchmark}, {use}"
            for benchmark in comparison["benchmarks"]
            for use, loss in used.items()
            if _same(config, benchmark, loss)
        ]
    return found


def _preferences(config: Config) -> list[str]:
    checked = sorted(set(config.get("indicator_check", {}).values()))
    heads = {entry: settings.get("preference_head") for entry, settings in config["indicators"].items()}
    return [
        f"indicator_check uses dataset {dataset}, on which the preference head of {entry} is fitted"
        for entry, head in heads.items()
        for dataset in checked
        if head and any(same_data(config, dataset, head[side]) for side in ("chosen", "rejected"))
    ]

"""What is allowed but should be read twice: fit, search and test sets, and preference pairs, that are not apart."""

from typing import Any

Config = dict[str, Any]


def warnings(config: Config) -> list[str]:
    """One line for each benchmark, or preference dataset, of a checked config that serves two purposes."""
    return [*_searches(config), *_comparisons(config), *_preferences(config)]


def _same(config: Config, one: str, other: str) -> bool:
    return bool(config["benchmarks"][one]["dataset"] == config["benchmarks"][other]["dataset"])


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
    found = []
    for name, comparison in config["comparisons"].items():
        used = {}
        for strategy in comparison["strategies"]:
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
    checked = set(config.get("indicator_check", {}).values())
    heads = {entry: settings.get("preference_head") for entry, settings in config["indicators"].items()}
    return [
        f"indicator_check uses dataset {dataset}, on which the preference head of {entry} is fitted"
        for entry, head in heads.items()
        for dataset in sorted(checked & {head["chosen"], head["rejected"]} if head else set())
    ]

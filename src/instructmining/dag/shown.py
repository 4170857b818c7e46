"""For which wildcards a config has a page of the report: each function gives one mapping for each page."""

from collections.abc import Iterable

from instructmining.config import evaluated_texts, studies_of_kind
from instructmining.dag.comparisons import has_quality_rule
from instructmining.dag.names import Config, shown_quality_rules, shown_rankings

Each = list[dict[str, str]]


def if_any_question(config: Config) -> Each:
    """One page where the config has a quality rule or a comparison."""
    return [{}] if config["quality_rules"] or config["comparisons"] else []


def if_datasets(config: Config) -> Each:
    """One page where the config has datasets."""
    return [{}] if config["datasets"] else []


def if_comparisons(config: Config) -> Each:
    """One page where the config has comparisons."""
    return [{}] if config["comparisons"] else []


def if_rankings_are_shown(config: Config) -> Each:
    """One page where a quality rule ranks a pool."""
    return [{}] if shown_rankings(config) else []


def each_comparison(config: Config) -> Each:
    """Every comparison."""
    return _of("comparison", config["comparisons"])


def each_comparison_with_sizes(config: Config) -> Each:
    """Comparisons of subsets of given sizes."""
    return _of("comparison", (name for name, settings in config["comparisons"].items() if settings["sizes"]))


def each_comparison_with_a_rule(config: Config) -> Each:
    """Comparisons of which a strategy has a quality rule."""
    return _of("comparison", (name for name in config["comparisons"] if has_quality_rule(config, name)))


def each_compared_benchmark(config: Config) -> Each:
    """Every comparison with each benchmark that it evaluates on."""
    return [
        {"comparison": name, "benchmark": benchmark}
        for name in config["comparisons"]
        for benchmark in evaluated_texts(config, name)
    ]


def each_size_scan(config: Config) -> Each:
    """Every study that scans sizes."""
    return _of("study", studies_of_kind(config, "size_scan"))


def each_ablation(config: Config) -> Each:
    """Every study that leaves out indicators."""
    return _of("study", studies_of_kind(config, "ablation"))


def each_dataset_study(config: Config) -> Each:
    """Every study of losses by dataset."""
    return _of("study", studies_of_kind(config, "datasets"))


def each_search(config: Config) -> Each:
    """Every search."""
    return _of("search", config["searches"])


def each_shown_quality_rule(config: Config) -> Each:
    """Quality rules with a page of their own."""
    return _of("quality_rule", shown_quality_rules(config))


def each_shown_ranking(config: Config) -> Each:
    """Rankings by a quality rule."""
    return [{"strategy": strategy, "pool": pool} for strategy, pool in shown_rankings(config)]


def _of(wildcard: str, names: Iterable[str]) -> Each:
    return [{wildcard: name} for name in names]

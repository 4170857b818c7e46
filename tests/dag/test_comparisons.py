"""What the pages of comparisons read and depend on."""

from types import SimpleNamespace

from configs import changed, check
from instructmining.dag import comparisons


def test_a_benchmark_on_selection_data_is_one_under_any_name() -> None:
    config = {
        "benchmarks": {
            "fit": {"dataset": "a"},
            "fit_longer": {"dataset": "a"},
            "search": {"dataset": "b"},
            "test": {"dataset": "c"},
        },
        "quality_rules": {"fitted": {"loss": "fit"}, "published": {"preset": "instructmining-v2"}},
        "searches": {"main": {"loss": "search"}},
    }
    assert comparisons.selection_benchmarks(config, SimpleNamespace()) == ["fit", "fit_longer", "search"]


def test_overlaps_are_of_every_order_at_every_size_and_not_of_whole_pools() -> None:
    config, wildcards = check(changed("strategies.random.seeds", 1)), SimpleNamespace(comparison="first")
    orders = ("instructmining", "random-0")
    subsets = [f"results/subsets/{order}/unseen/{size}.parquet" for order in orders for size in ("16", "best-main")]
    assert comparisons.overlap_subsets(config, wildcards) == subsets
    rankings = [f"results/rankings/{order}/unseen.parquet" for order in orders]
    assert comparisons.overlap_rankings(config, wildcards) == rankings
    assert comparisons.baselines(config, wildcards) == {"random": "random", "full": "full"}


def test_a_benchmark_s_page_reads_that_benchmark_alone_and_the_texts_of_its_dataset() -> None:
    config = check(changed("comparisons.first.strategies", ["full"]))
    wildcards = SimpleNamespace(comparison="first", benchmark="final")
    evaluation = "results/evaluations/small/full/unseen/all/final"
    assert comparisons.benchmark_evaluations(config, wildcards) == [f"{evaluation}.json"]
    assert comparisons.benchmark_items(config, wildcards) == [f"{evaluation}.items.parquet"]
    assert comparisons.benchmark_texts(config, wildcards) == ["results/datasets/test/examples.parquet"]


def test_costs_read_every_run_and_one_ranking_of_each_pool() -> None:
    config, wildcards = check(changed("comparisons.first.strategies", ["random"])), SimpleNamespace(comparison="first")
    runs = [f"results/runs/small/random-{i}/unseen/{size}/train.json" for i in (0, 1) for size in ("16", "best-main")]
    assert comparisons.comparison_runs(config, wildcards) == runs
    assert comparisons.comparison_rankings(config, wildcards) == ["results/rankings/random-0/unseen.parquet"]

"""What the pages of studies read and depend on, and which tables are not of them."""

from types import SimpleNamespace
from typing import Any

from configs import changed, check
from instructmining.dag import comparisons, studies, summary

WHERE = {"pools": ["unseen"], "recipes": ["small"], "benchmarks": ["final"]}
ABLATION = {"kind": "ablation", "strategy": "instructmining", "sizes": [16], "seeds": 2, **WHERE}


def studied(**entries: dict[str, Any]) -> dict[str, Any]:
    """The small configuration with these studies and a rule of two indicators, checked."""
    return check({**changed("quality_rules.fitted.indicators", ["mtld", "reward"]), "studies": entries})


def test_an_ablation_reads_the_full_rule_first_and_every_run_of_every_seed() -> None:
    config, here = studied(s=ABLATION), SimpleNamespace(study="s")
    names = ["s_without_mtld", "s_without_reward"]
    rules = [f"results/quality_rules/{name}.json" for name in ("fitted", *names)]
    assert studies.ablation_rules(config, here) == rules
    assert studies.ablation_recipes(config, here) == {"small": "small", "small_seed1": "small"}
    orders = ["instructmining", *names]
    subsets = [f"results/subsets/{name}/unseen/16.parquet" for name in orders]
    assert studies.study_subsets(config, here) == subsets
    runs = [f"{recipe}/{order}/unseen/16" for recipe in ("small", "small_seed1") for order in orders]
    assert studies.study_evaluations(config, here) == [f"results/evaluations/{run}/final.json" for run in runs]
    assert studies.study_items(config, here) == [f"results/evaluations/{run}/final.items.parquet" for run in runs]


def test_the_table_of_subsets_is_under_rules_that_no_study_made() -> None:
    random = {"kind": "datasets", "datasets": ["alpaca"], "size": 9, "recipes": ["small"], "benchmarks": ["final"]}
    config = studied(s=ABLATION, t=random)
    for name in ("first", "s"):
        here = SimpleNamespace(comparison=name)
        assert comparisons.rule_rankings(config, here) == ["results/rankings/instructmining/unseen.parquet"]
        assert comparisons.subset_table(config, here) == [f"results/tables/subsets/{name}.csv"]
    assert comparisons.subset_table(config, SimpleNamespace(comparison="t")) == []
    # studies that do not ask about random subsets are not in the summary
    assert summary.all_comparison_tables(config, SimpleNamespace()) == ["results/tables/first.csv"]

"""Inputs and params of the rules, from the files themselves: plain functions of a config."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.exceptions import WorkflowError

from configs import changed, check
from instructmining import config as cfg
from instructmining import scorers
from instructmining.judge.settings import CALL_KEYS
from instructmining.settings import versions

RULES = Path(__file__).parents[2] / "rules/inputs"


def functions(name: str, config: dict[str, Any]) -> SimpleNamespace:
    """What rules/inputs/{name}.smk defines, for a checked config."""
    found: dict[str, Any] = {"config": config, "versions": versions}
    return defined([name], {**found, **{name: getattr(cfg, name) for name in cfg.__all__}})


def defined(names: list[str], found: dict[str, Any]) -> SimpleNamespace:
    for name in names:
        exec(compile((RULES / f"{name}.smk").read_text(encoding="utf-8"), name, "exec"), found)
    return SimpleNamespace(**found)


def whole(raw: dict[str, Any]) -> SimpleNamespace:
    """The functions of all stages up to rankings, as rules/common.smk gives them their names."""
    named = {name: getattr(cfg, name) for name in cfg.__all__}
    named |= {"CALL_KEYS": CALL_KEYS, "output_columns": scorers.output_columns}
    known = {"config": check(raw), "versions": versions, "WorkflowError": WorkflowError, "Path": Path}
    return defined(["datasets", "models", "mixtures", "indicators", "quality_rules", "rankings"], {**known, **named})


def test_a_benchmark_on_selection_data_is_one_under_any_name():
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
    assert functions("report_comparison", config).get_selection_benchmarks(None) == ["fit", "fit_longer", "search"]


def test_a_ranking_is_made_again_for_its_strategy_and_for_all_strategies(monkeypatch):
    monkeypatch.setattr(versions, "RANKINGS", 7)
    found = functions("rankings", {"strategies": {"random": {"kind": "random", "seeds": 2}}})
    version = found.get_ranking_version(SimpleNamespace(ranking="random-1"))
    assert version == [versions.STRATEGIES["random"], 7]


def test_a_table_that_is_not_there_is_no_input_and_what_is_shown_beside_it_no_param(tmp_path) -> None:
    table = tmp_path / "table.csv"
    rule = {"observations": str(table), "indicators": ["mtld"], "origin": "a paper", "against": "instructmining-v2"}
    found, here = whole(changed("quality_rules.read", rule)), SimpleNamespace(quality_rule="read")
    assert found.get_quality_rule_inputs(here) == {}
    table.write_text("mtld,loss\n")
    assert found.get_quality_rule_inputs(here) == {"observations": str(table)}
    settings = found.get_quality_rule_settings(here)
    assert settings["observations"] == "table.csv" and settings["origin"] == "a paper" and "against" not in settings
    rules = {"read": rule, "other": {"preset": "instructmining-v2"}}
    beside = functions("report_selection", {"quality_rules": rules}).get_published_beside
    assert beside(here) == "instructmining-v2" and beside(SimpleNamespace(quality_rule="other")) is None


def test_a_baseline_reads_the_rankings_that_it_is_held_apart_from() -> None:
    settings = {"kind": "strict_random", "against": ["longest", "instructmining"]}
    found = whole(changed("strategies.strict", settings))
    inputs = found.get_ranking_inputs(SimpleNamespace(ranking="strict-2", pool="unseen"))
    assert inputs["against"] == [f"results/rankings/{name}/unseen.parquet" for name in settings["against"]]
    assert "against" not in found.get_ranking_inputs(SimpleNamespace(ranking="random-1", pool="unseen"))


def test_overlaps_are_of_every_order_at_every_size_and_not_of_everything() -> None:
    known = {"config": check(changed("strategies.random.seeds", 1)), "Path": Path}
    found = defined(["report_comparison"], {**known, **{name: getattr(cfg, name) for name in cfg.__all__}})
    wildcards = SimpleNamespace(comparison="first")
    orders = ("instructmining", "random-0")
    subsets = [f"results/subsets/{order}/unseen/{size}.parquet" for order in orders for size in ("16", "best-main")]
    assert found.get_overlap_subsets(wildcards) == subsets
    assert found.get_overlap_rankings(wildcards) == [f"results/rankings/{order}/unseen.parquet" for order in orders]
    assert found.get_baselines(wildcards) == {"random": "random", "full": "full"}


def near(reference: str, **settings: Any) -> dict[str, Any]:
    """The small configuration with a second entry by neighbours, of this reference, in a rule of two indicators."""
    raw = changed("indicators.near", {"scorer": "knn", "model": "tiny", "reference": reference, **settings})
    raw["mixtures"].append({"name": "more", "datasets": ["good", "alpaca"], "count": 2, "size": 20})
    rule = {"mixtures": ["base", "more"], "recipe": "small", "loss": "held_out", "indicators": ["near", "mtld"]}
    raw["quality_rules"]["fitted"] = rule
    return raw


def test_only_the_entries_that_a_rule_names_are_computed_and_where_their_neighbours_are() -> None:
    dolly = [f"results/indicators/dolly/mtld/00{k}-of-004.parquet" for k in range(4)]
    one = "results/indicators/{}/{}/000-of-001.parquet".format
    mtld = [*dolly, one("alpaca", "mtld")]
    found = whole(near("dataset"))
    assert found.get_ranking_indicators("unseen", ["near", "mtld"]) == [
        *mtld,
        *(one("dolly", "near"), one("alpaca", "near")),
    ]
    for settings in ({"reference": "pool"}, {"reference": "mixture", "reference_size": 20}):
        found = whole(near(**settings))
        assert found.get_ranking_indicators("unseen", ["near", "mtld"]) == [*mtld, one("pools/unseen", "near")]
        blocks = found.get_rule_indicators("fitted")
        assert blocks[-2:] == [one("mixtures/base", "near"), one("mixtures/more", "near")]
        assert set(blocks[:-2]) == {*mtld, one("good", "mtld")}


def test_a_reference_set_reads_the_embeddings_of_the_first_entry_with_its_model() -> None:
    def inputs(reference_set: str, reference: str, **settings: Any) -> dict[str, list[str]]:
        wildcards = SimpleNamespace(reference_set=reference_set, entry="near")
        return whole(near(reference, **settings)).get_neighbour_inputs(wildcards)

    dolly = [f"results/embeddings/dolly/knn_6/00{k}-of-004.parquet" for k in range(4)]
    alpaca = ["results/embeddings/alpaca/knn_6/000-of-001.parquet"]
    assert inputs("dolly", "pool") == {"embeddings": dolly}
    assert inputs("pools/unseen", "pool") == {"embeddings": dolly + alpaca}
    assert inputs("mixtures/base", "pool") == {"embeddings": alpaca + dolly}
    size = {"reference_size": 20}
    assert inputs("pools/unseen", "mixture", **size) == {"embeddings": dolly + alpaca}
    mixtures = [f"results/subsets/mixtures/base-00{k}.parquet" for k in range(9)]
    assert inputs("mixtures/base", "mixture", **size) == {"embeddings": alpaca + dolly, "mixtures": mixtures}
    assert inputs("dolly", "mixture", **size) == {"embeddings": dolly}
    assert inputs("dolly", "pool", precision="bfloat16")["embeddings"][0].startswith("results/embeddings/dolly/near/")
    with pytest.raises(WorkflowError, match=r"indicators\.near has reference dataset"):
        inputs("pools/unseen", "dataset")


def judged(**settings: Any) -> SimpleNamespace:
    return whole(changed("indicators.rated", {"scorer": "judge", "model": "tiny", **settings}))


def test_how_an_endpoint_is_asked_is_no_param_and_needs_no_gpu_and_no_file() -> None:
    here = SimpleNamespace(entry="rated", dataset="alpaca")
    one, other = judged(), judged(concurrency=99, max_cost=2.0, price_input=1, price_output=1, key_env="MINE")
    assert one.get_indicator_settings(here) == other.get_indicator_settings(here)
    assert one.get_indicator_settings(here) == {
        **{"scorer": "judge", "backend": "api", "model": "tiny", "model_record": {"model": "tiny"}},
        **{"prompt": "alpagasus", "scale": None, "request": {"temperature": 0.0, "max_tokens": 256}},
        **{"min_share_used": 0.9, "outputs": {"score": "rated"}},
    }
    assert one.get_score_inputs(here) == {"examples": "results/datasets/alpaca/examples.parquet"}
    assert (one.get_gpus(here), one.get_judges(here)) == (0, 1)
    assert "rated" in one.MODEL_ENTRIES.split("|") and "rated" not in one.CPU_ENTRIES.split("|")


def test_a_judge_here_reads_its_model_and_any_judge_its_prompt_file(tmp_path: Path) -> None:
    here = SimpleNamespace(entry="rated", dataset="alpaca")
    file = tmp_path / "mine.txt"
    found = judged(backend="local", device="cuda", prompt=str(file), scale=[0, 1])
    assert found.get_indicator_settings(here)["model_path"] == "models/tiny"
    assert (found.get_gpus(here), found.get_judges(here)) == (1, 0)
    assert "prompt" not in found.get_score_inputs(here)
    file.write_text("{output}")
    assert found.get_score_inputs(here)["prompt"] == str(file)


def studied(**studies: dict[str, Any]) -> SimpleNamespace:
    """The functions of the report's stage for a config with these studies and a rule of two indicators."""
    raw = changed("quality_rules.fitted.indicators", ["mtld", "reward"])
    named = {name: getattr(cfg, name) for name in cfg.__all__}

    def get_comparison_files(name: str, folder: str, end: str) -> list[str]:
        return [f"results/{folder}/{'/'.join(parts)}{end}" for parts in cfg.comparison_evaluations(config, name)]

    config = check({**raw, "studies": studies})
    found = {"config": config, "versions": versions, "Path": Path, "get_comparison_files": get_comparison_files}
    return defined(["report_comparison", "report_studies", "report_summary"], {**found, **named})


WHERE = {"pools": ["unseen"], "recipes": ["small"], "benchmarks": ["final"]}
ABLATION = {"kind": "ablation", "strategy": "instructmining", "sizes": [16], "seeds": 2, **WHERE}


def test_an_ablation_reads_the_full_rule_first_and_every_run_of_every_seed() -> None:
    found, here = studied(s=ABLATION), SimpleNamespace(study="s")
    names = ["s_without_mtld", "s_without_reward"]
    assert found.get_ablation_rules(here) == [f"results/quality_rules/{name}.json" for name in ("fitted", *names)]
    assert found.get_repeated_recipes(here) == {"small": "small", "small_seed1": "small"}
    orders = ["instructmining", *names]
    assert found.get_study_subsets(here) == [f"results/subsets/{name}/unseen/16.parquet" for name in orders]
    runs = [f"{recipe}/{order}/unseen/16" for recipe in ("small", "small_seed1") for order in orders]
    assert found.get_study_evaluations(here) == [f"results/evaluations/{run}/final.json" for run in runs]
    assert found.get_study_items(here) == [f"results/evaluations/{run}/final.items.parquet" for run in runs]


def test_the_table_of_subsets_is_under_rules_that_no_study_made() -> None:
    random = {"kind": "datasets", "datasets": ["alpaca"], "size": 9, "recipes": ["small"], "benchmarks": ["final"]}
    found = studied(s=ABLATION, t=random)
    for name in ("first", "s"):
        here = SimpleNamespace(comparison=name)
        assert found.get_comparison_rule_rankings(here) == ["results/rankings/instructmining/unseen.parquet"]
        assert found.get_subset_table(here) == [f"results/tables/subsets/{name}.csv"]
    assert found.get_subset_table(SimpleNamespace(comparison="t")) == []
    # what has nothing to say of random is not in the summary
    assert found.get_all_comparison_tables(None) == ["results/tables/first.csv"]

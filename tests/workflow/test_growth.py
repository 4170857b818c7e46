"""A month later: data grow in two invocations, `subsets` then all, and only what is outdated runs again."""

import json

import polars as pl
import pytest

from small import ROOT, change, jobs, planned, rows, snakemake, write_rows

pytestmark = pytest.mark.workflow


def test_a_block_with_a_new_dataset_leaves_old_mixtures_and_runs_alone(copy):
    write_rows(copy / "data/short.jsonl", rows("short", 30, 6))

    def edit(config):
        config["datasets"]["short"] = {"path": "data/short.jsonl", "format": "alpaca"}
        config["mixtures"].append({"name": "grown", "datasets": ["plain", "short"], "count": 2, "size": 8, "seed": 0})

    change(copy, edit)
    assert planned(copy, "subsets") == {"read_dataset": 1, "draw_mixture": 2}


def test_more_mixtures_leave_the_first_as_they_were(copy):
    change(copy, lambda config: config["mixtures"][0].update(count=8))
    plan = planned(copy)
    assert plan["draw_mixture"] == 2
    # two new mixtures; what lies behind the rule, which changes, is planned with it
    assert plan["fit_quality_rule"] == 1
    mixtures = snakemake(copy, "--dry-run", "results/quality_rules/fitted.json")
    assert jobs(mixtures.stdout) == {"draw_mixture": 2, "finetune": 2, "evaluate_loss": 2, "fit_quality_rule": 1}


def test_a_dataset_added_to_a_pool_retrains_only_runs_whose_subset_changed(copy):
    """The new rows are the worst by the rule and by length: no first 6 changes but those of random and full."""
    rule = json.loads((copy / "results/quality_rules/fitted.json").read_text())["coefficients"]
    write_rows(copy / "data/pool_c.jsonl", rows("pool_c", 10, 2))

    def edit(config):
        config["datasets"]["pool_c"] = {"path": "data/pool_c.jsonl", "format": "alpaca"}
        config["pools"]["unseen"].append("pool_c")

    before = {name: pl.read_parquet(copy / f"results/subsets/{name}/unseen/6.parquet") for name in ORDERS}
    change(copy, edit)
    first = planned(copy, "subsets")
    # the new dataset, three entries; nothing old is scored again
    assert [first[rule] for rule in ("score", "score_on_cpu", "embed", "score_neighbours")] == [1, 1, 1, 1]
    assert first["rank_pool"] == 5
    assert "finetune" not in first
    done = snakemake(copy, "subsets")
    assert done.returncode == 0, done.stderr[-3000:]
    same = {
        name
        for name in ORDERS
        if before[name].equals(pl.read_parquet(copy / f"results/subsets/{name}/unseen/6.parquet"))
    }
    assert "longest" in same, rule
    second = snakemake(
        copy, "--dry-run", *(f"results/evaluations/tiny/{name}/unseen/6/test_loss.json" for name in ORDERS)
    )
    assert jobs(second.stdout).get("finetune", 0) == len(ORDERS) - len(same)


ORDERS = ("instructmining", "random-0", "random-1", "longest")


def test_a_new_benchmark_on_a_kept_model_trains_nothing(copy):
    change(copy, lambda config: config["benchmarks"].update(again={"kind": "loss", "dataset": "test"}))
    assert planned(copy, "results/evaluations/tiny/instructmining/unseen/best-main/again.json") == {"evaluate_loss": 1}


def test_keys_that_change_no_result_run_nothing(copy):
    def edit(config):
        config["recipes"]["tiny"]["checkpoint_minutes"] = 30
        config["datasets"]["unused"] = {"path": "data/plain.jsonl", "format": "alpaca", "limit": 3}

    change(copy, edit)
    assert planned(copy, "subsets", "results/searches/main.json") == {}


def test_a_changed_recipe_trains_again_and_scores_nothing(copy):
    change(copy, lambda config: config["recipes"]["tiny"].update(learning_rate=1.0e-3))
    plan = planned(copy, "results/quality_rules/fitted.json")
    assert plan == {"finetune": 6, "evaluate_loss": 6, "fit_quality_rule": 1}


def test_more_trials_keep_the_first(copy):
    change(copy, lambda config: config["searches"]["main"].update(trials=3))
    plan = planned(copy, "results/searches/main.json")
    assert plan == {"propose_size": 1, "select_trial": 1, "finetune": 1, "evaluate_loss": 1, "choose_size": 1}


def test_a_search_over_a_grown_pool_trains_only_what_changed(copy):
    """As `make run` does it: between the two invocations, the subsets that the search has chosen are taken anew."""

    def longest_search(config):
        main = config["searches"]["main"]
        config["searches"]["grow"] = {**main, "strategy": "longest"}

    change(copy, longest_search)
    done = snakemake(copy, "results/searches/grow.json")
    assert done.returncode == 0, done.stderr[-3000:]
    write_rows(copy / "data/pool_c.jsonl", rows("pool_c", 10, 2))

    def edit(config):
        config["datasets"]["pool_c"] = {"path": "data/pool_c.jsonl", "format": "alpaca"}
        config["pools"]["unseen"].append("pool_c")

    change(copy, edit)
    assert snakemake(copy, "subsets").returncode == 0
    assert planned(copy, "results/searches/grow.json").get("finetune", 0) > 0
    again = snakemake(copy, "--allowed-rules", "select_trial", "select_subset", "chosen", "--", "chosen")
    assert again.returncode == 0, again.stderr[-3000:]
    assert planned(copy, "results/searches/grow.json") == {}


def test_the_makefile_grows_a_study_in_these_steps():
    makefile = (ROOT / "Makefile").read_text()
    assert "--omit-from finetune finetune_kept finetune_mixtures -- subsets" in makefile
    assert "--allowed-rules select_trial select_subset chosen -- chosen" in makefile
    assert makefile.index("-- chosen)") < makefile.index("-- searches)")


def test_a_word_changed_in_a_licence_trains_nothing(copy):
    """The dataset is read again, with the same examples: a step without training first, then nothing is left to do."""
    change(copy, lambda config: config["datasets"]["plain"].update(licence="MIT"))
    first = snakemake(copy, "--omit-from", "finetune", "finetune_kept", "finetune_mixtures", "--", "subsets")
    assert first.returncode == 0, first.stderr[-3000:]
    assert "finetune" not in jobs(first.stdout + first.stderr)
    assert planned(copy, "subsets", "results/searches/main.json") == {}

"""Which job makes a file, what is behind it, and what it holds: the same as the rules say."""

import re

import pytest

from configs import SMALL, check, on_gpus, selecting
from instructmining.costs import jobs as costs
from instructmining.dag import jobs
from instructmining.dag.jobs import MAKERS, Maker, Upstream
from instructmining.jobs import paths
from workflow_rules import RAW, workflow_rules


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.rule)
def test_a_maker_has_an_output_and_the_cost_file_of_its_rule(maker: Maker) -> None:
    # rank_by_embeddings, score_on_cpu and finetune_kept are other rules for the same files
    assert maker.output in workflow_rules()[maker.rule].outputs


def test_every_job_is_one_whose_rule_writes_a_cost_file() -> None:
    known = [rule.costs for rule in workflow_rules().values() if rule.costs]
    jobs = costs.comparison_jobs(check(RAW), "first")
    assert len(jobs) == len(set(jobs)) > 60
    assert [job for job in jobs if not any(re.fullmatch(one, paths.cost(job)) for one in known)] == []


def test_jobs_are_found_through_the_inputs_of_jobs_and_stop_where_they_are_told_to() -> None:
    upstream = Upstream(check(SMALL))
    trial = "results/subsets/searches/main/001.parquet"
    found, stopped = upstream.jobs([trial], stop=("rank_pool",))
    assert stopped == ["results/rankings/instructmining/unseen.parquet"]
    # with one trial at a time, a proposal needs all before it
    assert found == [
        *("select_trial/main/001", "propose_size/main/001", "propose_size/main/000"),
        *("evaluate_loss/small/searches/main/000/held_out", "finetune/small/searches/main/000"),
        "select_trial/main/000",
    ]
    assert upstream.jobs(["results/datasets/alpaca/examples.parquet", "data/alpaca.json"]) == ([], [])


def test_the_file_of_an_indicator_is_made_by_the_rule_of_its_entry() -> None:
    upstream = Upstream(check(selecting("indicators.knn_6.reference", "pool")))
    shards = {
        "alpaca/mtld/000-of-001": "score/alpaca/mtld/000-of-001",
        "alpaca/knn_6/000-of-001": "score_neighbours/alpaca/knn_6",
        "pools/unseen/knn_6/000-of-001": "score_neighbours/pools/unseen/knn_6",
        "pools/unseen/ifd/dolly-003-of-004": "score_under_run/unseen/ifd/dolly-003-of-004",
    }
    for shard, job in shards.items():
        assert upstream.jobs([f"results/indicators/{shard}.parquet"])[0][0] == job


def test_a_baseline_does_not_pay_for_the_rankings_that_it_is_held_apart_from() -> None:
    raw = selecting("strategies.apart", {"kind": "strict_random", "against": ["longest"]})
    assert Upstream(check(raw)).jobs(["results/rankings/apart-0/unseen.parquet"])[0] == ["rank_pool/apart-0/unseen"]


@pytest.mark.parametrize(
    ("job", "gpus", "cores"),
    [
        ("finetune/small/random-0/unseen/16", 4, 6),
        ("finetune/small/mixtures/base-000", 4, 6),
        ("evaluate_loss/small/mixtures/base-000/held_out", 1, 6),
        ("finetune/adapters/random-0/unseen/16", 0, 1),
        ("score/dolly/judge/000-of-004", 2, 1),
        ("score/dolly/lengths/000-of-004", 0, 1),
        ("embed/dolly/knn_6/000-of-004", 3, 1),
        ("score_neighbours/pools/unseen/knn_6", 0, 5),
        ("fit_preference_head/judge", 1, 1),
        ("rank_pool/random-0/unseen", 0, 1),
    ],
)
def test_gpus_and_cores_of_a_job_are_those_of_its_rule(job: str, gpus: int, cores: int) -> None:
    config = check(on_gpus())
    assert jobs.held(config, job) == (gpus, cores)


def test_a_run_on_several_nodes_holds_the_gpus_and_cores_of_all() -> None:
    config = check(on_gpus())
    config["recipes"]["small"]["nodes"] = 2
    assert jobs.held(config, "finetune/small/random-0/unseen/16") == (8, 12)


def test_a_job_of_no_selection_is_unknown() -> None:
    with pytest.raises(LookupError, match=r"^read_dataset/alpaca: no rule of a selection has such a job$"):
        jobs.held(check(SMALL), "read_dataset/alpaca")

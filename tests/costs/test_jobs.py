"""Which jobs a selection is made of, what they hold, and that each counts once."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import SMALL, changed, check, on_gpus
from cost_files import write_costs
from instructmining.costs import jobs as costs
from instructmining.costs.jobs import Amount
from instructmining.costs.ledger import Ledger, read_ledger
from instructmining.dag.jobs import held
from instructmining.jobs.errors import InputError

DOLLY = [f"00{k}-of-004" for k in range(4)]
SHARDS = [*(("dolly", shard) for shard in DOLLY), ("alpaca", "000-of-001")]
POOL_SCORES = {
    "fit_preference_head/judge",
    *(f"score/{dataset}/{entry}/{shard}" for entry in ("judge", "lengths", "mtld") for dataset, shard in SHARDS),
    *(f"embed/{dataset}/knn_6/{shard}" for dataset, shard in SHARDS),
    *("score_neighbours/dolly/knn_6", "score_neighbours/alpaca/knn_6"),
}
MIXTURES = [f"base-00{i}" for i in range(9)]
FIT = {
    "fit_quality_rule/fitted",
    *(f"draw_mixture/{name}" for name in MIXTURES),
    *(f"finetune/small/mixtures/{name}" for name in MIXTURES),
    *(f"evaluate_loss/small/mixtures/{name}/held_out" for name in MIXTURES),
}
TRIALS = [f"main/00{t}" for t in range(6)]
SEARCH = {
    "choose_size/main",
    *(f"{rule}/{trial}" for rule in ("propose_size", "select_trial") for trial in TRIALS),
    *(f"finetune/small/searches/{trial}" for trial in TRIALS),
    *(f"evaluate_loss/small/searches/{trial}/held_out" for trial in TRIALS),
}


def parts(raw: dict[str, Any], order: str, size: str, pool: str = "unseen") -> dict[str, set[str]]:
    found = costs.selection_jobs(check(raw), order, pool, size)
    assert all(len(jobs) == len(set(jobs)) for jobs in found.values())
    return {part: set(jobs) for part, jobs in found.items()}


def select(order: str, size: str, pool: str = "unseen") -> set[str]:
    return {f"rank_pool/{order}/{pool}", f"select_subset/{order}/{pool}/{size}"}


def test_a_quality_rule_is_fitted_scores_selects_and_searches() -> None:
    """The pool's datasets are those of the mixtures: their indicators are needed in any case, and stand in score."""
    found = parts(SMALL, "instructmining", "best-main")
    expected = {"fit": FIT, "score": POOL_SCORES, "select": select("instructmining", "best-main"), "search": SEARCH}
    assert found == expected
    assert parts(SMALL, "instructmining", "16")["search"] == set()


def test_indicators_of_datasets_that_are_in_mixtures_alone_are_part_of_the_fit() -> None:
    raw = changed("pools.unseen", ["good"])
    raw["searches"], raw["comparisons"] = {}, {}
    found = parts(raw, "instructmining", "16")
    both = {"fit_preference_head/judge"}
    assert found["fit"] == FIT | POOL_SCORES - both
    good = {f"score/good/{entry}/000-of-001" for entry in ("judge", "lengths", "mtld")}
    assert found["score"] == {*both, *good, "embed/good/knn_6/000-of-001", "score_neighbours/good/knn_6"}


@pytest.mark.parametrize("reference", ["pool", "mixture"])
def test_neighbours_in_a_pool_or_mixture_are_a_job_of_its_own_for_the_pool_and_for_the_fit(reference: str) -> None:
    size = {"reference_size": 20} if reference == "mixture" else {}
    raw = changed("indicators.knn_6", {"scorer": "knn", "model": "tiny", "reference": reference, **size})
    found = parts(raw, "instructmining", "16")
    assert "score_neighbours/pools/unseen/knn_6" in found["score"]
    assert "score_neighbours/mixtures/base/knn_6" in found["fit"]
    assert {job for job in found["score"] if job.startswith("embed/")} == {f"embed/{d}/knn_6/{s}" for d, s in SHARDS}


def test_only_what_the_ranking_reads_is_counted() -> None:
    raw = changed("strategies.published", {"kind": "quality_rule", "quality_rule": "table"})
    raw["quality_rules"]["table"]["indicators"] = ["reward"]
    raw["strategies"]["longest"]["indicator"] = "output_length"
    head = {"fit_preference_head/judge"}
    judge = {f"score/{dataset}/judge/{shard}" for dataset, shard in SHARDS}
    lengths = {f"score/{dataset}/lengths/{shard}" for dataset, shard in SHARDS}
    assert parts(raw, "published", "16")["score"] == head | judge
    assert parts(raw, "published", "16")["fit"] == {"fit_quality_rule/table"}
    none: set[str] = set()
    found = parts(raw, "longest", "16")
    assert found == {"fit": none, "score": lengths, "select": select("longest", "16"), "search": none}
    for order, size in (("random-1", "16"), ("full", "all")):
        found = parts(raw, order, size)
        assert found == {"fit": none, "score": none, "select": select(order, size), "search": none}


def test_a_size_is_borrowed_from_another_strategy_s_search_and_paid_for_on_another_pool() -> None:
    raw = changed("pools.other", ["good"])
    assert parts(raw, "random-0", "best-main")["search"] == set()
    found = parts(raw, "instructmining", "best-main", "other")
    head = {"fit_preference_head/judge"}
    assert found["search"] == SEARCH | POOL_SCORES - head | {"rank_pool/instructmining/unseen"}
    # the mixtures' datasets are the other pool's: the search has scored them
    assert found["fit"] == FIT


def test_runs_that_share_a_job_count_by_their_own_rows() -> None:
    raw = changed("recipes.small.runs_per_job", 4)
    assert parts(raw, "instructmining", "16")["fit"] == FIT
    assert not any(job.startswith("finetune_mixtures") for job in costs.comparison_jobs(check(raw), "first"))


# --- what jobs hold


def test_an_amount_is_hours_times_what_is_held_and_says_what_is_missing() -> None:
    ledger = Ledger({"finetune/small/full/unseen/all": 1800.0}, {})
    found = costs.amount(check(on_gpus()), ledger, ["finetune/small/full/unseen/all", "rank_pool/full/unseen"])
    assert found == Amount(hours=0.5, gpu_hours=2.0, cpu_hours=3.0, paid=0.0, jobs=2, missing=1)
    assert costs.amount(check(SMALL), ledger, []) == Amount()


CONFIGS = [check(raw) for raw in (SMALL, on_gpus(), changed("indicators.knn_6.reference", "pool"))]
SUBSETS = [
    "instructmining/unseen/16",
    "instructmining/unseen/best-main",
    "random-1/unseen/best-main",
    "full/unseen/all",
]


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_parts_add_up_to_the_whole_and_no_job_counts_twice(data: st.DataObject) -> None:
    config, subset = data.draw(st.sampled_from(CONFIGS)), data.draw(st.sampled_from(SUBSETS))
    plan = costs.comparison_plan(config, "first")["small", subset]
    jobs = [job for part in plan.values() for job in part]
    assert len(jobs) == len(set(jobs))
    random = data.draw(st.randoms(use_true_random=False))
    seconds = {job: random.uniform(0, 1e5) for job in costs.comparison_jobs(config, "first") if random.random() < 0.8}
    paid = {job: random.uniform(0, 9) for job in jobs if job.startswith("score/") and random.random() < 0.3}
    found = costs.total(costs.amount(config, Ledger(seconds, paid), part) for part in plan.values())
    known = [job for job in jobs if job in seconds]
    assert found.hours == pytest.approx(sum(seconds[job] for job in known) / 3600)
    assert found.gpu_hours == pytest.approx(sum(seconds[job] * held(config, job)[0] for job in known) / 3600)
    assert found.cpu_hours == pytest.approx(sum(seconds[job] * held(config, job)[1] for job in known) / 3600)
    assert found.paid == pytest.approx(sum(paid.values()))
    assert (found.jobs, found.missing) == (len(jobs), len(jobs) - len(known))


def test_the_digest_changes_with_the_jobs_and_what_they_hold_and_with_nothing_else() -> None:
    def digest(path: str, value: Any) -> str:
        return costs.digest(check(changed(path, value)), "first")

    same = costs.digest(check(SMALL), "first")
    assert digest("recipes.small.checkpoint_minutes", 3) == same
    assert digest("datasets.alpaca.shards", 2) != same
    assert digest("recipes.small.threads", 2) != same
    assert digest("mixtures.0.count", 10) != same


# --- the files


def test_cost_files_are_read_as_snakemake_and_as_a_shared_job_write_them(tmp_path: Path) -> None:
    jobs = ["finetune/small/mixtures/base-000", "score/dolly/mtld/000-of-004", "rank_pool/random-0/unseen"]
    write_costs(tmp_path, jobs[:2], 4000.5)
    write_costs(tmp_path, jobs[2:], 0.25)
    write_costs(tmp_path, ["rank_pool/nobody/asks"], 9.0)
    found = read_ledger(tmp_path, [*jobs, "rank_pool/not/there"])
    assert found == Ledger(dict(zip(jobs, [4000.5, 4000.5, 0.25], strict=True)), {})
    assert read_ledger(tmp_path / "nothing", jobs) == Ledger({}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one row of measurements, got 0"),
        ("s\th:m:s\n", "expected one row of measurements, got 0"),
        ("s\th:m:s\n1.0\t0:00:01\n2.0\t0:00:02\n", "expected one row of measurements, got 2"),
        ("h:m:s\n0:00:01\n", "row 1, column s: expected seconds, got None"),
        ("s\th:m:s\nNA\tNA\n", "row 1, column s: expected seconds, got 'NA'"),
        ("s\th:m:s\n-1\tNA\n", "row 1, column s: expected seconds, got '-1'"),
        ("s\th:m:s\nnan\tNA\n", "row 1, column s: expected seconds, got 'nan'"),
    ],
)
def test_a_broken_cost_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rank_pool/random-0/unseen.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_ledger(tmp_path, ["rank_pool/random-0/unseen"])
    assert str(error.value) == f"{path}: {message}"


LOST = {"requests": 1, "price": 0.05}
BILL = {"answers": 10, "input_tokens": 5000, "output_tokens": 700, "price": 0.25, "without_answer": LOST}


@pytest.mark.parametrize(("price", "paid"), [(0.25, 0.30), (None, None)])
def test_what_a_judge_was_paid_counts_for_its_scoring_job(
    tmp_path: Path, price: float | None, paid: float | None
) -> None:
    path = tmp_path / "judge/dolly/accuracy/000-of-004.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**BILL, "price": price}))
    job = "score/dolly/accuracy/000-of-004"
    found = read_ledger(tmp_path, [job, "score/dolly/accuracy/001-of-004"])
    assert found == Ledger({}, {} if paid is None else {job: pytest.approx(paid)})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps({**BILL, "price": "much"}), "price: expected a price, got 'much'"),
        (json.dumps({"price": 1}), "expected the keys answers, input_tokens, output_tokens, price, without_answer"),
        ("[]", "expected the keys answers, input_tokens, output_tokens, price, without_answer"),
        ("{", "expected a JSON file: "),
    ],
)
def test_a_broken_price_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "judge/dolly/accuracy/000-of-004.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(InputError) as error:
        read_ledger(tmp_path, ["score/dolly/accuracy/000-of-004"])
    assert str(error.value).startswith(f"{path}: {message}")

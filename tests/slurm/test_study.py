"""The whole small workflow through profiles/slurm: what ran where, with what, and under which name."""

import json

import pytest

from on_slurm import GPU_RULES, accounted, run
from small import jobs

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def study(clone):
    before = accounted()
    printed = run(clone)
    return clone, jobs(printed), [job for job in accounted() if job not in before]


def test_everything_is_made(study):
    folder, _, _ = study
    assert (folder / "results/report.html").stat().st_size > 100_000
    assert (folder / "results/quality_rules/fitted.json").exists()
    assert json.loads((folder / "results/searches/main.json").read_text())["best_size"] > 0


def test_gpu_rules_ran_on_gpu_nodes_with_the_gpus_asked_for_and_no_other_did(study):
    _, _, account = study
    assert {job["State"] for job in account} == {"COMPLETED"}
    for job in account:
        on_gpu = job["rule"] in GPU_RULES
        assert job["Partition"] == ("gpu" if on_gpu else "cpu"), job
        assert job["NodeList"].startswith("gpu" if on_gpu else "cpu"), job
        assert ("gres/gpu:a100=1" in job["AllocTRES"]) == on_gpu, job
    assert {"finetune", "finetune_mixtures", "evaluate_loss", "score", "read_dataset"} <= {
        job["rule"] for job in account
    }


def test_what_takes_seconds_stays_out_of_the_queue(study):
    _, table, account = study
    queued = {job["rule"] for job in account}
    assert not queued & {"select_subset", "draw_mixture", "propose_size", "fit_quality_rule", "take_run", "report_data"}
    assert len(account) < sum(table.values()) * 0.6


def test_cheap_shards_are_one_job(study):
    _, table, account = study
    assert table["score_on_cpu"] > 1
    assert len([job for job in account if "score_on_cpu" in job["Comment"]]) == 1


def test_one_job_trains_several_mixtures_with_a_folder_and_a_cost_row_each(study):
    folder, table, account = study
    assert len([job for job in account if job["rule"] == "finetune_mixtures"]) == table["finetune_mixtures"] == 2
    assert table["take_run"] == 6
    for i in range(6):
        train = json.loads((folder / f"results/runs/tiny/mixtures/base-{i:03d}/train.json").read_text())
        head, row = (folder / f"results/costs/finetune/tiny/mixtures/base-{i:03d}.tsv").read_text().splitlines()
        cost = dict(zip(head.split("\t"), row.split("\t"), strict=True))
        assert train["subset"] == f"mixtures/base-{i:03d}" and float(cost["s"]) > 0
        assert not (folder / f"results/runs/tiny/mixtures/base-{i:03d}/model").exists()
    assert not list(folder.glob("results/batches/*/*"))


def test_a_person_recognises_the_jobs(study):
    folder, _, account = study
    assert all(job["JobName"].startswith("instructmining") for job in account)
    job = next(job for job in account if job["rule"] == "finetune_mixtures")
    assert job["wildcards"] in ("tiny_base_000", "tiny_base_001")
    log = folder / f"logs/slurm/rule_finetune_mixtures/{job['wildcards']}/{job['JobIDRaw']}.log"
    assert "rule finetune_mixtures" in log.read_text()


def test_the_second_time_there_is_nothing_to_do(study):
    folder, _, _ = study
    assert "Nothing to be done" in run(folder, "--dry-run", "--quiet", "host")

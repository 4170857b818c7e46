"""Jobs and Snakemake killed in the middle: one rerun completes, redoes nothing that had finished, changes no byte."""

import json
import os
import re
import shutil
import signal

import pytest

from workflow.small import change, jobs, rows, running_jobs, snakemake, started, wait_until, write_rows

pytestmark = pytest.mark.workflow
RUN = "results/runs/slow/mixtures/base-000"
WORK = "results/.work/runs/slow/mixtures/base-000"
# named and kept, so that the weights can be compared
TRAIN = ("--notemp", f"{RUN}/model")
SCORES = "results/indicators/big/causal/000-of-001.parquet"


def add_slow(config):
    """A run of 160 steps with a checkpoint after each, and a dataset that takes seconds to score."""
    config["recipes"]["slow"] = {**config["recipes"]["tiny"], "epochs": 80, "checkpoint_minutes": 0.001}
    config["datasets"]["big"] = {"path": "data/big.jsonl", "format": "alpaca"}


@pytest.fixture(scope="module")
def undisturbed(study, tmp_path_factory):
    """The small study with the slow run and the scores of the large dataset, which nothing has disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "study"
    shutil.copytree(study, folder)
    write_rows(folder / "data/big.jsonl", rows("big", 3000, 30))
    change(folder, add_slow)
    done = snakemake(folder, *TRAIN, SCORES)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture
def begun(undisturbed, tmp_path):
    """A copy in which the slow run and the large dataset are still to be made."""
    folder = tmp_path / "study"
    shutil.copytree(undisturbed, folder)
    for path in (
        "results/runs/slow",
        "results/indicators/big",
        "results/.work",
        "logs/finetune/slow",
        "logs/score/big",
    ):
        shutil.rmtree(folder / path)
    return folder


def checkpoint(folder):
    """A whole checkpoint of the slow run, if there is one."""
    return list((folder / WORK).glob("checkpoint-*/trainer_state.json"))


def steps_of(folder):
    """Steps that the slow run's last job had to do."""
    log = (folder / f"logs/finetune/slow/{RUN.partition('slow/')[2]}.log").read_text()
    return int(re.search(r"\d+ of (\d+) steps", log)[1])


def assert_same_run(folder, undisturbed):
    assert {path.name for path in (folder / RUN / "model").iterdir()} == {
        path.name for path in (undisturbed / RUN / "model").iterdir()
    }
    for path in (undisturbed / RUN / "model").iterdir():
        assert (folder / RUN / "model" / path.name).read_bytes() == path.read_bytes(), path.name
    found, expected = (json.loads((root / RUN / "train.json").read_text()) for root in (folder, undisturbed))
    del found["seconds"], expected["seconds"]
    assert found == expected
    assert not (folder / WORK).exists()


def leftovers(folder):
    """Files below results/ that no rule has declared."""
    return [path for path in (folder / "results").rglob("*") if path.name.endswith(".part")]


def test_a_scoring_job_killed_in_the_middle(begun, undisturbed):
    log = begun / "logs/score/big/causal/000-of-001.log"
    with started(begun, SCORES) as driver:
        wait_until(lambda: log.exists() and " of 3000 " in log.read_text(), "scoring")
        [job] = running_jobs(begun, "score")
        os.kill(job, signal.SIGKILL)
        assert driver.wait(60) != 0
    assert not (begun / SCORES).exists()
    tokens = {path: path.stat().st_mtime_ns for path in (begun / "results/.work/tokens").glob("*.pickle")}
    done = snakemake(begun, SCORES)
    assert done.returncode == 0, done.stderr[-3000:]
    assert jobs(done.stdout + done.stderr) == {"score": 1}
    assert tokens and all(path.stat().st_mtime_ns == date for path, date in tokens.items())
    assert (begun / SCORES).read_bytes() == (undisturbed / SCORES).read_bytes()


def test_a_finetuning_killed_in_the_middle_goes_on_from_its_checkpoint(begun, undisturbed):
    with started(begun, *TRAIN) as driver:
        wait_until(lambda: checkpoint(begun), "the first checkpoint")
        [job] = running_jobs(begun, "finetune")
        os.kill(job, signal.SIGKILL)
        assert driver.wait(60) != 0
    assert not (begun / RUN / "train.json").exists() and not (begun / RUN / "model").exists()
    done = snakemake(begun, *TRAIN)
    assert done.returncode == 0, done.stderr[-3000:]
    assert jobs(done.stdout + done.stderr) == {"finetune": 1}
    assert steps_of(begun) < 160
    assert_same_run(begun, undisturbed)


@pytest.mark.parametrize("whole_group", [False, True], ids=["driver", "process group"])
def test_snakemake_killed_in_the_middle(begun, undisturbed, whole_group):
    """Its local jobs end with it; the lock that it leaves is opened with --unlock, and what had finished stands."""
    read = [f"results/datasets/{name}/examples.parquet" for name in ("fit", "test")]
    for path in read:
        (begun / path).unlink()
    with started(begun, *TRAIN, *read) as driver:
        wait_until(lambda: checkpoint(begun) and "2 of 3 steps (67%) done" in said(begun), "two of three jobs")
        [job] = running_jobs(begun, "finetune")
        if whole_group:
            os.killpg(driver.pid, signal.SIGKILL)
        else:
            driver.kill()
        driver.wait()
        wait_until(lambda: not os.path.exists(f"/proc/{job}"), "the job's end", 30)
    dates = {path: (begun / path).stat().st_mtime_ns for path in read}
    locked = snakemake(begun, *TRAIN, *read)
    assert locked.returncode != 0 and "--unlock" in locked.stdout + locked.stderr
    assert snakemake(begun, "--unlock").returncode == 0
    done = snakemake(begun, *TRAIN, *read)
    assert done.returncode == 0, done.stderr[-3000:]
    assert jobs(done.stdout + done.stderr) == {"finetune": 1}
    assert steps_of(begun) < 160
    assert {path: (begun / path).stat().st_mtime_ns for path in read} == dates
    assert_same_run(begun, undisturbed)
    assert [(begun / path).read_bytes() for path in read] == [(undisturbed / path).read_bytes() for path in read]
    assert leftovers(begun) == [] or whole_group


def said(folder):
    return (folder / "snakemake.out").read_text()

"""Jobs and Snakemake killed in the middle: one rerun completes, redoes nothing that had finished, changes no byte."""

import os
import signal

import pytest

from slow_run import RUN, SCORES, TRAIN, assert_same_run, checkpoint, leftovers, steps_of
from small import jobs, running_jobs, snakemake, started, wait_until

pytestmark = pytest.mark.workflow


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
        # its entry in /proc may stay: not every machine's first process buries orphans
        wait_until(lambda: job not in running_jobs(begun, "finetune"), "the job's end", 30)
    assert not (begun / RUN / "model").exists()
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

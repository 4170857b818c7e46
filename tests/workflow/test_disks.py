"""A disk that gets full, or cannot be written: one line that says where; afterwards one rerun completes, the same."""

import os
import shutil

import pytest

from mounts import fill, mount, small_tmpfs, unmount
from slow_run import RUN, TRAIN, WORK, assert_same_run, checkpoint, leftovers, steps_of
from small import jobs, snakemake

pytestmark = pytest.mark.workflow
READ = "results/datasets/fit/examples.parquet"
SCORES = "results/indicators/pool_a/causal/000-of-001.parquet"


@pytest.fixture
def small_disk(begun):
    """A study whose results/ lie on a disk of 16 MB."""
    results, aside = begun / "results", begun / "aside"
    results.rename(aside)
    for path in (aside / "figures", aside / "report.html"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    results.mkdir()
    small_tmpfs(results, "16m")
    shutil.copytree(aside, results, dirs_exist_ok=True)
    (begun / READ).unlink()
    yield begun
    while results.is_mount():
        unmount(results)


def errors(done):
    return [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip().startswith("error: ")]


def test_a_full_disk(small_disk, undisturbed):
    folder = small_disk
    ballast = fill(folder / "results")
    # room for one checkpoint, but not for the second beside it
    os.truncate(ballast, ballast.stat().st_size - 2_500_000)
    stopped = snakemake(folder, *TRAIN)
    assert stopped.returncode != 0
    assert errors(stopped) and errors(stopped)[0].startswith(f"error: {WORK}: No space left on device: free some space")
    assert checkpoint(folder) and not (folder / RUN / "model").exists()

    ballast.unlink()
    ballast = fill(folder / "results")
    unread = snakemake(folder, READ)
    assert unread.returncode != 0
    assert errors(unread)[0].startswith("error: results/datasets/fit/")
    assert "No space left on device" in errors(unread)[0]
    assert not (folder / "results/datasets/fit").exists()

    ballast.unlink()
    done = snakemake(folder, *TRAIN, READ)
    assert done.returncode == 0, done.stderr[-3000:]
    assert jobs(done.stdout + done.stderr) == {"finetune": 1, "read_dataset": 1}
    assert steps_of(folder) < 160
    assert_same_run(folder, undisturbed)
    assert (folder / READ).read_bytes() == (undisturbed / READ).read_bytes()
    assert leftovers(folder) == []


@pytest.mark.parametrize(
    ("refusing", "target", "line"),
    [
        ("results", READ, "Write-protected output files for rule read_dataset"),
        ("results/.work", SCORES, "error: results/.work/tokens: Read-only file system: mount it writable"),
    ],
    ids=["where Snakemake sees it first", "where the job does"],
)
def test_a_disk_that_cannot_be_written(small_disk, undisturbed, refusing, target, line):
    folder, refusing = small_disk, small_disk / refusing
    (folder / target).unlink(missing_ok=True)
    refusing.mkdir(exist_ok=True)
    mount(refusing, "--bind", str(refusing))
    mount(refusing, "-o", "remount,bind,ro")
    refused = snakemake(folder, target)
    assert refused.returncode != 0
    assert any(said.strip().startswith(line) for said in (refused.stdout + refused.stderr).splitlines())
    unmount(refusing)
    done = snakemake(folder, target)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sum(jobs(done.stdout + done.stderr).values()) == 1
    assert (folder / target).read_bytes() == (undisturbed / target).read_bytes()

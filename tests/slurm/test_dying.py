"""Jobs that die on a cluster: a node that is drained, a node that is lost, time that runs out, Snakemake killed.

Each time the work goes on where it was, and ends in what an undisturbed run ends in.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
import yaml

from on_slurm import accounted, changed_profile, run, start
from small import RECIPE, change, snakemake, write_config

pytestmark = pytest.mark.slurm

# long enough to be met in the middle, with a checkpoint after every step
LONG = {**RECIPE, "epochs": 150, "checkpoint_minutes": 0.0001}
RECIPES = {"drained": LONG, "lost": LONG, "late": RECIPE, "orphan": LONG}


@pytest.fixture(scope="module")
def clone_of_these(clone, tmp_path_factory):
    """The clone with recipes to disturb, and a folder beside it where the same ran here, undisturbed."""
    change(clone, lambda config: config["recipes"].update(RECIPES))
    calm = tmp_path_factory.mktemp("calm")
    for name in ("models", "data"):
        shutil.copytree(clone / name, calm / name)
    write_config(calm, yaml.safe_load((clone / "config.yaml").read_text()))
    done = snakemake(calm, "--", *runs(*RECIPES))
    assert done.returncode == 0, done.stderr[-3000:]
    run(clone, "--", "results/subsets/mixtures/base-000.parquet")
    # lost has a node of its own, so that none but it is lost
    its = {"runtime": "attempt if wildcards.recipe == 'late' else 30", "gpu": "1 + (wildcards.recipe == 'lost')"}
    with changed_profile(clone, lambda profile: profile["set-resources"]["finetune"].update(its)):
        yield clone, calm


def runs(*recipes: str) -> list[str]:
    return [f"results/runs/{recipe}/mixtures/base-000/train.json" for recipe in recipes]


def curve(folder, recipe):
    return json.loads((folder / runs(recipe)[0]).read_text())["loss_curve"]


def jobs_of(recipe: str) -> list[dict[str, str]]:
    return [job for job in accounted() if job["wildcards"] == f"{recipe}_mixtures_base-000"]


def running(recipe: str) -> list[dict[str, str]]:
    """From the queue: the account learns of comments when a job ends."""
    command = ["squeue", "-h", "--states=running", "-o", "%i|%N|%k"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [dict(zip(("id", "node", "comment"), line.split("|"), strict=True)) for line in lines]
    return [job for job in found if job["comment"].endswith(f"_{recipe}_mixtures_base-000")]


def wait_until(what: str, condition: Callable[[], object], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} seconds"
        time.sleep(0.2)


def node(name: str, state: str) -> None:
    subprocess.run(["scontrol", "update", f"nodename={name}", f"state={state}", "reason=test"], check=True)


def has_checkpoint(folder, recipe):
    return list((folder / f"results/.work/runs/{recipe}").glob("mixtures/base-000/checkpoint-*/trainer_state.json"))


def test_nodes_drained_and_lost_and_time_that_runs_out(clone_of_these):
    folder, calm = clone_of_these
    process = start(folder, "--", *runs("drained", "lost", "late"))
    where = {}
    try:
        # this one stands still until Slurm ends it, a minute from now
        wait_until("late runs", lambda: running("late"))
        subprocess.run(["scancel", "--full", "--signal=STOP", running("late")[0]["id"]], check=True)
        for recipe, state in (("drained", "drain"), ("lost", "down")):
            wait_until(f"{recipe}'s checkpoint", lambda recipe=recipe: has_checkpoint(folder, recipe))
            where[recipe] = running(recipe)[0]["node"]
            node(where[recipe], state)
        assert process.wait(timeout=600) == 0, (folder / "snakemake.log").read_text()[-4000:]
    finally:
        process.kill()
        # a node that is down comes back by itself
        if "drained" in where:
            node(where["drained"], "resume")
    assert [job["State"] for job in jobs_of("drained")] == ["COMPLETED"]  # what runs on a drained node may end there
    assert [job["State"] for job in jobs_of("late")] == ["TIMEOUT", "COMPLETED"]
    assert [job["Timelimit"] for job in jobs_of("late")] == ["00:01:00", "00:02:00"]
    # not by Slurm as well, and elsewhere
    assert [job["State"] for job in jobs_of("lost")] == ["NODE_FAIL", "COMPLETED"]
    assert jobs_of("lost")[-1]["NodeList"] != where["lost"]
    for recipe in ("drained", "lost", "late"):
        assert curve(folder, recipe) == curve(calm, recipe), recipe
    log = (folder / "logs/finetune/lost/mixtures/base-000.log").read_text()
    assert "going on from checkpoint-" in log


def test_snakemake_is_killed_and_its_jobs_run_on(clone_of_these):
    folder, calm = clone_of_these
    target = runs("orphan")
    process = start(folder, "--", *target)
    wait_until("the job runs", lambda: running("orphan"))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    # typed too early
    again = start(folder, "--", *target)
    assert again.wait(timeout=120) != 0
    assert "LockException" in (folder / "snakemake.log").read_text()
    wait_until("the job ends", lambda: jobs_of("orphan"))
    run(folder, "--unlock")
    assert "Nothing to be done" in run(folder, "--", *target)
    assert len(jobs_of("orphan")) == 1
    assert curve(folder, "orphan") == curve(calm, "orphan")

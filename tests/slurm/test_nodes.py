"""One run on two nodes, started through srun inside its job."""

import json
import subprocess

import pytest

from slurm.conftest import accounted, changed_profile, run
from workflow.small import RECIPE, change

pytestmark = pytest.mark.slurm


def test_a_run_on_two_nodes_learns_what_one_process_learns(clone):
    alone = {**RECIPE, "micro_batch_size": 1}
    pair = {**alone, "launcher": "torchrun", "nodes": 2}
    change(clone, lambda config: config["recipes"].update({"alone": alone, "pair": pair}))
    # one GPU on each of the two
    targets = [f"results/runs/{recipe}/mixtures/base-000/train.json" for recipe in ("alone", "pair")]
    with changed_profile(clone, lambda profile: profile["set-resources"]["finetune"].update(gpu=2)):
        run(clone, "--", *targets)
    job = next(job for job in accounted() if job["wildcards"] == "pair_mixtures_base-000")
    assert job["State"] == "COMPLETED" and job["NNodes"] == "2" and "gres/gpu=2" in job["AllocTRES"]
    steps = ["sacct", "-n", "-P", "-j", job["JobIDRaw"], "--format=JobName,NNodes,NTasks,State"]
    printed = subprocess.run(steps, capture_output=True, text=True, check=True).stdout
    assert any(line.endswith("|2|2|COMPLETED") for line in printed.splitlines()), printed
    curves = [[point["loss"] for point in json.loads((clone / path).read_text())["loss_curve"]] for path in targets]
    assert curves[1] == pytest.approx(curves[0], abs=1e-3)

"""One run on two nodes, started through srun inside its job."""

import json
import subprocess

import pytest

from on_slurm import accounted, changed_profile, run, start
from small import RECIPE, change

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


def test_what_the_config_says_of_gpus_is_what_slurm_is_asked_for(clone):
    """The GPUs are pretended: each job ends with the line that there is none, on the nodes that it asked for."""
    cuda = {**RECIPE, "device": "cuda", "launcher": "torchrun", "batch_size": 8, "micro_batch_size": 2}
    recipes = {"two_gpus": {**cuda, "gpus": 2}, "two_nodes": {**cuda, "gpus": 2, "nodes": 2}}
    change(clone, lambda config: config["recipes"].update(recipes))

    def only_the_config(profile):
        profile["set-resources"]["finetune"] = {"runtime": 5, "mem_mb": 1000}
        profile["retries"] = 0

    with changed_profile(clone, only_the_config):
        process = start(clone, "--", *[f"results/runs/{name}/mixtures/base-000/train.json" for name in recipes])
        assert process.wait(timeout=300) != 0
    jobs = {job["wildcards"].partition("_mixtures")[0]: job for job in accounted() if "_two_" in f"_{job['wildcards']}"}
    assert {name: (job["State"], job["NNodes"]) for name, job in jobs.items()} == {
        "two_gpus": ("FAILED", "1"),
        "two_nodes": ("FAILED", "2"),
    }
    assert "gres/gpu=2" in jobs["two_gpus"]["AllocTRES"] and "gres/gpu=4" in jobs["two_nodes"]["AllocTRES"]
    for name in recipes:
        assert "device: cuda" in (clone / f"logs/finetune/{name}/mixtures/base-000.log").read_text()

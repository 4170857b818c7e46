"""Several mixtures in one job (`runs_per_job`): a folder and a cost row each, as if each had had its own."""

import json

import pytest

from small import RECIPE, change, planned, snakemake

pytestmark = pytest.mark.workflow


def trained(folder, recipe, i):
    return json.loads((folder / f"results/runs/{recipe}/mixtures/base-{i:03d}/train.json").read_text())


def test_mixtures_trained_in_one_job_are_those_trained_alone(copy):
    change(copy, lambda config: config["recipes"].update(batched={**RECIPE, "runs_per_job": 4}))
    targets = [f"results/evaluations/batched/mixtures/base-{i:03d}/fit_loss.json" for i in range(6)]
    assert planned(copy, *targets) == {"finetune_mixtures": 2, "take_run": 6, "evaluate_loss": 6}
    done = snakemake(copy, "--", *targets)
    assert done.returncode == 0, done.stderr[-4000:]
    for i in range(6):
        together, alone = trained(copy, "batched", i), trained(copy, "tiny", i)
        assert together["subset"] == f"mixtures/base-{i:03d}"
        assert together["loss_curve"] == alone["loss_curve"]
        losses = [
            json.loads((copy / path.replace("batched", r)).read_text())
            for path in targets[i : i + 1]
            for r in ("batched", "tiny")
        ]
        assert losses[0]["value"] == losses[1]["value"]
        head, row = (copy / f"results/costs/finetune/batched/mixtures/base-{i:03d}.tsv").read_text().splitlines()
        assert head.startswith("s\th:m:s") and float(row.split("\t")[0]) > 0
    # weights are gone once evaluated, and nothing is left of the work
    assert not list(copy.glob("results/batches/*/*")) and not list(copy.glob("results/runs/batched/mixtures/*/model"))
    assert not list(copy.glob("results/.work/runs/batched/mixtures/*"))

    # two mixtures more: the job that was full stands, the other is done again with them
    change(copy, lambda config: config["mixtures"][0].update(count=8))
    more = [f"results/runs/batched/mixtures/base-{i:03d}/train.json" for i in range(8)]
    found = planned(copy, *more)
    assert (found["finetune_mixtures"], found["take_run"]) == (1, 4)

"""What takes long enough to be disturbed: a run of 160 steps with a checkpoint after each, and 3000 rows to score."""

import json
import re
import shutil

from small import change, rows, snakemake, write_rows

RUN = "results/runs/slow/mixtures/base-000"
WORK = "results/.work/runs/slow/mixtures/base-000"
# named and kept, so that the weights can be compared
TRAIN = ("--notemp", f"{RUN}/model")
SCORES = "results/indicators/big/causal/000-of-001.parquet"


def add_slow(config):
    config["recipes"]["slow"] = {**config["recipes"]["tiny"], "epochs": 80, "checkpoint_minutes": 0.001}
    config["datasets"]["big"] = {"path": "data/big.jsonl", "format": "alpaca"}


def build_slow(study, folder):
    """A copy of the small study with the slow run and the scores of the large dataset, which nothing has disturbed."""
    shutil.copytree(study, folder)
    write_rows(folder / "data/big.jsonl", rows("big", 3000, 30))
    change(folder, add_slow)
    done = snakemake(folder, *TRAIN, SCORES)
    assert done.returncode == 0, done.stderr[-3000:]


def copy_before(undisturbed, folder):
    """A copy in which the slow run and the scores are still to be made."""
    shutil.copytree(undisturbed, folder)
    for path in (
        "results/runs/slow",
        "results/indicators/big",
        "results/.work",
        "logs/finetune/slow",
        "logs/score/big",
    ):
        shutil.rmtree(folder / path)


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

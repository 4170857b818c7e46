"""Starting a finetuning: in this process, or in several that a launcher starts on this machine.

Checkpoints and the processes' files lie in the run's work folder, beside the declared outputs, until all is whole.
"""

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from instructmining import versions
from instructmining.errors import InputError
from instructmining.files import read_json, write_json

_ERROR = "error.txt"


def launch(examples: pl.DataFrame, recipe: dict[str, Any], model: dict[str, str], work: Path) -> dict[str, Any]:
    """Run ``finetune`` as the recipe's launcher says; the model is then in ``work / "model"``.

    ``model``: where it is (path) and what it is (model, revision). A checkpoint of an interrupted run in ``work`` is
    taken up only if that run had the same examples, recipe, model and trainer. Errors: InputError, also of a process.
    """
    _take_work_folder(examples, recipe, model, work)
    if recipe["launcher"] == "single":
        from instructmining.finetune import finetune

        return finetune(examples, recipe, model["path"], work)
    if recipe["launcher"] == "deepspeed" and find_spec("deepspeed") is None:
        raise InputError("launcher: deepspeed is not installed; pip install deepspeed into the jobs' environment")
    examples.write_parquet(work / "examples.parquet")
    write_json(work / "job.json", {"recipe": recipe, "model_path": model["path"]})
    (work / _ERROR).unlink(missing_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={recipe['gpus']}"]
    threads = max(1, int(os.environ.get("OMP_NUM_THREADS", "1")) // recipe["gpus"])
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run([*command, "-m", "instructmining.launch", str(work)], check=False, env=environment)
    if (work / _ERROR).exists():
        raise InputError((work / _ERROR).read_text())
    if done.returncode:
        raise RuntimeError(f"{recipe['launcher']} with {recipe['gpus']} processes ended with status {done.returncode}")
    found: dict[str, Any] = read_json(work / "train.json")
    return found


def _take_work_folder(examples: pl.DataFrame, recipe: dict[str, Any], model: dict[str, str], work: Path) -> None:
    """Empty the folder if what lies in it was begun for another job: its checkpoint would be finished as this one's."""
    job = {
        "recipe": {key: value for key, value in recipe.items() if key != "checkpoint_minutes"},
        "model": model,
        "trainer": versions.TRAINER,
        "examples": hashlib.sha256(examples.write_json().encode()).hexdigest(),
    }
    fingerprint = work / "fingerprint.json"
    if work.exists() and not (fingerprint.exists() and read_json(fingerprint) == json.loads(json.dumps(job))):
        logging.getLogger(__name__).info("what an earlier, different job left in %s is removed", work)
        shutil.rmtree(work)
    write_json(fingerprint, job)


def _main(work: Path) -> None:
    """One of several processes."""
    from instructmining.finetune import finetune

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    job = read_json(work / "job.json")
    try:
        figures = finetune(pl.read_parquet(work / "examples.parquet"), job["recipe"], job["model_path"], work)
    except InputError as error:
        (work / _ERROR).write_text(str(error))
        raise
    if os.environ.get("RANK", "0") == "0":
        write_json(work / "train.json", figures)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

"""Starting the finetunings of a job: in this process, or in several that a launcher starts on one machine or more.

The runs of a job are trained in turn by the same processes, which read the base weights once. Each has a work folder,
beside the declared outputs, for its checkpoints and what it gives; a run is whole when its train.json is there.
"""

import hashlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import read_json, remove_folder, write_json, write_text
from instructmining.jobs.locks import alone
from instructmining.jobs.log import end_with_parent
from instructmining.settings import versions
from instructmining.training.launchers import launcher_module, launcher_spec
from instructmining.training.recipes import NOT_RESULTS

_MODULE = "instructmining.training.launch"
_log = logging.getLogger(__name__)


class Run(NamedTuple):
    """Examples (columns instruction, input, output) to train on, and the folder to work in."""

    examples: pl.DataFrame
    work: Path


@contextmanager
def working(runs: Sequence[Run]) -> Iterator[None]:
    """Hold the work folders, until what is in them has been taken into place.

    A job that outlived its Snakemake, or its node's place in the cluster, would else write beside its successor.
    """
    with ExitStack() as held:
        for run in runs:
            held.enter_context(alone(run.work / "lock", f"another job trains in {run.work}"))
        yield


def launch(runs: Sequence[Run], recipe: dict[str, Any], model: dict[str, str]) -> list[dict[str, Any]]:
    """Train ``recipe`` on each run in turn, as its launcher says; a model is then in each ``work / "model"``.

    ``model``: where it is (path) and what it is (model, revision). Returns the contents of each train.json, but for
    names and provenance. What a job that died left in the work folders is taken up again, if it was of the same
    examples, recipe, model and trainer: finished runs as they are, an unfinished one from its checkpoint.
    Errors: InputError, also of a process; the runs before it stay finished.
    """
    for run in runs:
        _take_work_folder(run, recipe, model)
    waiting = [run for run in runs if not _finished(run.work)]
    # looked for once: on a shared file system the processes could see different ones
    checkpoints = [_newest_checkpoint(run.work) for run in waiting]
    if waiting:
        start = _start_processes if launcher_spec(recipe).several_processes else _train
        start(waiting, checkpoints, recipe, model["path"])
    for run in runs:
        _remove_checkpoints(run.work)
        remove_folder(run.work / "job")
    return [read_json(run.work / "train.json") for run in runs]


def _take_work_folder(run: Run, recipe: dict[str, Any], model: dict[str, str]) -> None:
    """Empty the folder of what cannot be taken up: another job's, and checkpoints that are not whole."""
    job = {
        "recipe": {key: value for key, value in recipe.items() if key not in NOT_RESULTS},
        "model": model,
        "trainer": versions.TRAINER,
        "examples": hashlib.sha256(run.examples.write_json().encode()).hexdigest(),
    }
    work, fingerprint = run.work, run.work / "fingerprint.json"
    work.mkdir(parents=True, exist_ok=True)
    if not (_whole(fingerprint) and read_json(fingerprint) == json.loads(json.dumps(job))) and _empty(work):
        _log.info("what an earlier, different job left in %s is removed", work)
    write_json(fingerprint, job)
    for folder in work.glob("checkpoint-*"):
        if not _whole(folder / "trainer_state.json"):
            remove_folder(folder)


def _empty(work: Path) -> bool:
    """Remove all but the lock, the fingerprint first: a folder half empty is nobody's. Returns whether any was."""
    (work / "fingerprint.json").unlink(missing_ok=True)
    left = [path for path in work.iterdir() if path.name != "lock"]
    for path in left:
        if path.is_dir():
            remove_folder(path)
        else:
            path.unlink()
    return bool(left)


def _whole(file: Path) -> bool:
    """Whether a file of JSON is there to its end; of a checkpoint it is the state, which comes last.

    A job may have died, or a machine lost its power, while it was written.
    """
    try:
        return isinstance(read_json(file), dict)
    except InputError:
        return False


def _finished(work: Path) -> bool:
    return _whole(work / "train.json") and (work / "model").exists()


def _remove_checkpoints(work: Path) -> None:
    """A finished run's checkpoints: several times the model's size."""
    for folder in work.glob("checkpoint-*"):
        remove_folder(folder)


def _newest_checkpoint(work: Path) -> str | None:
    found = max(work.glob("checkpoint-*"), key=lambda folder: int(folder.name.split("-")[1]), default=None)
    return None if found is None else str(found)


def _train(
    runs: Sequence[Run], checkpoints: Sequence[str | None], recipe: dict[str, Any], path: str, first: bool = True
) -> None:
    """In this process, which may be one of several; the ``first`` writes."""
    from instructmining.training.finetune import finetune, load_base

    base = load_base(recipe, path)
    seconds = base.seconds
    for run, checkpoint in zip(runs, checkpoints, strict=True):
        _log.info("training in %s%s", run.work, f", going on from {Path(checkpoint).name}" if checkpoint else "")
        figures = finetune(run.examples, recipe, base, run.work, checkpoint)
        figures["seconds"]["load"] = round(figures["seconds"]["load"] + seconds, 3)
        seconds = 0.0
        if first:
            write_json(run.work / "train.json", figures)
            _remove_checkpoints(run.work)


def _start_processes(runs: Sequence[Run], checkpoints: Sequence[str | None], recipe: dict[str, Any], path: str) -> None:
    launcher_module(recipe).check_installed()
    folder = runs[0].work / "job"
    remove_folder(folder)
    job: dict[str, Any] = {"recipe": recipe, "model_path": path, "checkpoints": checkpoints}
    job["works"] = [str(run.work.resolve()) for run in runs]
    if recipe["nodes"] > 1:
        job |= {"host": socket.gethostname(), "port": _free_port()}
    write_json(folder / "job.json", job)
    for place, run in enumerate(runs):
        run.examples.write_parquet(folder / f"{place}.parquet")
    threads = max(1, int(os.environ.get("OMP_NUM_THREADS", "1")) // recipe["gpus"])
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)}
    node = [sys.executable, "-m", _MODULE, "node", str(folder)]
    done = subprocess.run([*_on_all_nodes(recipe), *node], check=False, env=environment)
    if (folder / "error.txt").exists():
        raise InputError((folder / "error.txt").read_text(encoding="utf-8"))
    if done.returncode:
        count = recipe["gpus"] * recipe["nodes"]
        raise RuntimeError(f"{recipe['launcher']} with {count} processes ended with status {done.returncode}")


def _on_all_nodes(recipe: dict[str, Any]) -> list[str]:
    """What starts a command once on every node of the Slurm job; nothing for one node, which is this machine."""
    nodes = recipe["nodes"]
    if nodes == 1:
        return []
    if shutil.which("srun") is None or "SLURM_JOB_ID" not in os.environ:
        raise InputError(f"nodes: {nodes} needs a Slurm job: start the workflow with `snakemake --profile slurm`")
    command = ["srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
    command.append(f"--cpus-per-task={os.environ.get('OMP_NUM_THREADS', '1')}")
    return [*command, f"--gpus-per-node={recipe['gpus']}"] if recipe["device"] == "cuda" else command


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("", 0))
        return int(listening.getsockname()[1])


def _node(folder: Path) -> None:
    """On one node: start its processes, and end when they have."""
    from torch.distributed.run import main

    job = read_json(folder / "job.json")
    where = ["--standalone"]
    if job["recipe"]["nodes"] > 1:
        # Slurm numbers the nodes; the job's script, which chose host and port, runs on the first
        where = [f"--nnodes={job['recipe']['nodes']}", f"--node-rank={os.environ['SLURM_NODEID']}"]
        where += [f"--master-addr={job['host']}", f"--master-port={job['port']}"]
    processes = f"--nproc-per-node={job['recipe']['gpus']}"
    main([*where, processes, "-m", _MODULE, "rank", str(folder)])


def _rank(folder: Path) -> None:
    """One of the processes that train together."""
    job, first = read_json(folder / "job.json"), os.environ["RANK"] == "0"
    if not first:
        logging.getLogger().setLevel(logging.WARNING)
    works = [Path(work) for work in job["works"]]
    runs = [Run(pl.read_parquet(folder / f"{place}.parquet"), work) for place, work in enumerate(works)]
    try:
        _train(runs, job["checkpoints"], job["recipe"], job["model_path"], first)
    except InputError as error:
        write_text(folder / "error.txt", str(error))
        raise


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    # nobody would else end the processes of a job that was killed: they would train on beside its successor
    end_with_parent()
    {"node": _node, "rank": _rank}[sys.argv[1]](Path(sys.argv[2]))

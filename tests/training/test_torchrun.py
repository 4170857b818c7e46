"""Two processes under torchrun, on the CPU with gloo."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from instructmining.jobs.errors import InputError
from instructmining.training.launch import _on_all_nodes
from tiny import tiny_llama
from training import EXAMPLES, LONG, OTHERS, RECIPE, killed_after, launched, logits, losses, ranks, results, wait

ONE = {**RECIPE, "micro_batch_size": 1}
TWO = {**ONE, "launcher": "torchrun", "gpus": 2}
FAKE_SRUN = """#!/usr/bin/env python3
import os, subprocess, sys
from pathlib import Path
Path(os.environ["SEEN"]).write_text(" ".join(sys.argv[1:]))
nodes = next(int(word.split("=")[1]) for word in sys.argv if word.startswith("--nodes="))
command = [word for word in sys.argv[1:] if not word.startswith("--") or sys.argv.index(word) > sys.argv.index("-m")]
tasks = [subprocess.Popen(command, env={**os.environ, "SLURM_NODEID": str(node)}) for node in range(nodes)]
sys.exit(max(task.wait() for task in tasks))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_two_processes_are_one_and_runs_of_a_job_those_of_jobs_of_their_own(tmp_path, folder):
    """The second run has 9 examples: no multiple of what the processes take together."""
    single = launched({tmp_path / "1/a": EXAMPLES, tmp_path / "1/b": OTHERS}, ONE, folder)
    together = launched({tmp_path / "2/a": EXAMPLES, tmp_path / "2/b": OTHERS}, TWO, folder)
    for name, one, two in zip("ab", single, together, strict=True):
        assert losses(two) == pytest.approx(losses(one), abs=1e-3)
        torch.testing.assert_close(logits(tmp_path / "2" / name), logits(tmp_path / "1" / name), atol=1e-3, rtol=1e-3)
    (alone,) = launched({tmp_path / "3/b": OTHERS}, TWO, folder)
    assert results(alone) == results(together[1])


def test_adapters_are_trained_and_merged(tmp_path, folder):
    (one,) = launched({tmp_path / "one": OTHERS}, {**ONE, "method": "lora"}, folder)
    (two,) = launched({tmp_path / "two": OTHERS}, {**TWO, "method": "lora"}, folder)
    assert losses(two) == pytest.approx(losses(one), abs=1e-3)
    torch.testing.assert_close(logits(tmp_path / "two"), logits(tmp_path / "one"), atol=1e-3, rtol=1e-3)
    AutoModelForCausalLM.from_pretrained(tmp_path / "two/model")


def test_an_interrupted_training_goes_on_from_its_checkpoint(tmp_path, folder):
    recipe = {**TWO, "epochs": 20, "checkpoint_minutes": 1e-9}
    (whole,) = launched({tmp_path / "whole": OTHERS}, {**ONE, "epochs": 20}, folder)
    killed_after(5, OTHERS, recipe, folder, tmp_path / "cut")
    (resumed,) = launched({tmp_path / "cut": OTHERS}, recipe, folder)
    assert losses(resumed) == pytest.approx(losses(whole), abs=1e-3)
    torch.testing.assert_close(logits(tmp_path / "cut"), logits(tmp_path / "whole"), atol=1e-3, rtol=1e-3)


def test_an_error_of_a_process_is_the_line_it_would_be_alone_and_leaves_the_finished_run(tmp_path, folder):
    with pytest.raises(InputError, match=r"none of 1 examples has a response token within max_length$"):
        launched({tmp_path / "a": EXAMPLES, tmp_path / "b": LONG}, TWO, folder)
    assert (tmp_path / "a/train.json").exists() and not (tmp_path / "b/train.json").exists()


def test_two_nodes_are_started_by_srun(tmp_path, folder, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/srun").write_text(FAKE_SRUN)
    (tmp_path / "bin/srun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    # a cluster's nodes know each other's names; this machine may not know its own
    monkeypatch.setattr("instructmining.training.launch.socket.gethostname", lambda: "localhost")
    (one,) = launched({tmp_path / "one": OTHERS}, ONE, folder)
    (two,) = launched({tmp_path / "two": OTHERS}, {**TWO, "gpus": 1, "nodes": 2}, folder)
    assert losses(two) == pytest.approx(losses(one), abs=1e-3)
    seen = (tmp_path / "seen").read_text().split()
    assert seen[:5] == ["--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--cpus-per-task=1"]
    assert not [word for word in seen if "gpus" in word]


def test_nodes_are_asked_for_their_gpus(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr("instructmining.training.launch.shutil.which", lambda name: f"/usr/bin/{name}")
    command = _on_all_nodes({**TWO, "nodes": 3, "gpus": 4, "device": "cuda"})
    assert {"--nodes=3", "--ntasks=3", "--gpus-per-node=4"} <= set(command)


def test_several_nodes_need_slurm(tmp_path, folder, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(InputError, match=r"^nodes: 2 needs a Slurm job: .*--profile slurm"):
        launched({tmp_path: EXAMPLES}, {**TWO, "nodes": 2}, folder)


def test_processes_end_with_the_job_that_started_them(tmp_path, folder):
    tests = Path(__file__).parents[1]
    program = (
        f"import sys; sys.path[:0] = [{str(tests / 'support')!r}, {str(tests.parent / 'src')!r}]\n"
        "from pathlib import Path\nfrom training import *\n"
        f"recipe = {{**RECIPE, 'launcher': 'torchrun', 'gpus': 2, 'micro_batch_size': 1, 'epochs': 100000}}\n"
        f"launched({{Path({str(tmp_path)!r}): EXAMPLES}}, recipe, {folder!r})\n"
    )
    job = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    try:
        wait(lambda: len(ranks(tmp_path)) == 2)
        job.send_signal(signal.SIGKILL)
        job.wait()
        wait(lambda: not ranks(tmp_path))
    finally:
        job.kill()

"""A recipe in full, as a checked config has it, and finetuning tiny models with it."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM

from instructmining.training.finetune import finetune, load_base
from instructmining.training.launch import Run, launch
from tiny import SENTENCES

RECIPE = {
    "model": "tiny",
    "revision": "main",
    "template": "alpaca_short",
    "epochs": 2,
    "batch_size": 4,
    "micro_batch_size": 2,
    "learning_rate": 1e-3,
    "scheduler": "cosine",
    "warmup_ratio": 0.0,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "max_length": 128,
    "max_prompt_length": None,
    "method": "full",
    "lora": {"r": 4, "alpha": 8, "dropout": 0.0, "target_modules": None},
    "precision": "float32",
    "device": "cpu",
    "activation_checkpointing": False,
    "seed": 0,
    "launcher": "single",
    "gpus": 1,
    "nodes": 1,
    "zero_stage": 2,
    "offload": "none",
    "checkpoint_minutes": 10,
    "runs_per_job": 1,
}
EXAMPLES = pl.DataFrame(
    [{"id": str(i), "instruction": f"Say it {i}", "input": "", "output": s} for i, s in enumerate(SENTENCES * 2)]
)
OTHERS = EXAMPLES.with_columns(pl.col("output").str.reverse()).head(9)
LONG = pl.DataFrame([{"id": "x", "instruction": "word " * 300, "input": "", "output": "never seen"}])


def alone(examples, recipe, folder, work):
    """One finetuning in this process, without a work folder's book-keeping."""
    return finetune(examples, recipe, load_base(recipe, folder), work)


def launched(runs, recipe, folder):
    """``runs``: work folder -> examples."""
    model = {"path": folder, "model": "tiny", "revision": "local"}
    return launch([Run(examples, work) for work, examples in runs.items()], recipe, model)


def losses(figures):
    return [point["loss"] for point in figures["loss_curve"]]


def results(figures):
    """All but how long it took."""
    return {key: value for key, value in figures.items() if key != "seconds"}


def weights(work):
    return (work / "model/model.safetensors").read_bytes()


@torch.no_grad()
def logits(work):
    """Of the saved model, loaded as anyone would, for a fixed text."""
    return AutoModelForCausalLM.from_pretrained(work / "model")(torch.arange(5, 85)[None]).logits


def wait(until, seconds=120):
    for _ in range(seconds * 100):
        if until():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def ranks(work):
    """Process ids of those that train together in ``work``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        found += [int(path.parent.name)] if b"rank" in words and str(work / "job").encode() in words else []
    return found


def killed_after(step, examples, recipe, folder, work):
    """Launch, and kill one of the processes as soon as there is a checkpoint of ``step`` or a later one.

    The newest checkpoint is the only one kept, so a look that comes late must not wait for that very step.
    """

    def reached():
        return any(int(path.name.split("-")[1]) >= step for path in work.glob("checkpoint-*")) or job.done()

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(launched, {work: examples}, recipe, folder)
        wait(lambda: len(ranks(work)) == 2 or job.done())
        victim = ranks(work)[-1]
        wait(reached)
        assert not job.done(), "the training ended before it could be killed"
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="with 2 processes ended with status"):
            job.result()

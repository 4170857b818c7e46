"""What several runs in one job save: processor seconds of one process a run, and of one process for all.

    PYTHONPATH=src python benchmarks/runs_per_job.py --runs 4

The runs are short (one step of a small model), so what is left is what a job costs beside its training: imports, the
tokenizer, the weights. Their results must be the same, whoever trained before them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

from builders import SIZES, train_tokenizer
from data import ALPACA, drawn, load, machine_line, spread
from finetune import checked_recipe
from instructmining.jobs.files import read_json, write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--rows", type=int, default=4, help="examples of a run")
    parser.add_argument("--size", choices=("tiny", "small"), default="small", help="small: SmolLM2-135M's shape")
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "RUNS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        job(Path(options.one[0]), options.one[1].split(","))
        return
    transformers.utils.logging.disable_progress_bar()
    names = [f"run-{i}" for i in range(options.runs)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(options, folder, names)
        print(machine_line(), flush=True)
        alone = [seconds(folder, [run]) for run in names]
        losses = [read_json(folder / run / "train.json")["loss_curve"] for run in names]
        together = seconds(folder, names, "again-")
        if losses != [read_json(folder / f"again-{run}" / "train.json")["loss_curve"] for run in names]:
            raise SystemExit("a run in one job with others is not what it is alone")
        training = sum(read_json(folder / run / "train.json")["seconds"]["train"] for run in names)
    print("| | processor s | a run |\n|---|---|---|")
    print(f"| {options.runs} jobs of one run | {sum(alone):.1f} | {sum(alone) / options.runs:.1f} |")
    print(f"| one job of {options.runs} runs | {together:.1f} | {together / options.runs:.1f} |")
    print(f"training alone took {training:.1f} s of the wall in the jobs of one run; the losses are the same")


def prepare(options: argparse.Namespace, folder: Path, names: list[str]) -> None:
    everything = load(ALPACA) if ALPACA.is_file() else drawn(4096)
    tokenizer = train_tokenizer(everything, folder / "model", "<|endoftext|>")
    torch.manual_seed(0)
    config = LlamaConfig(**SIZES[options.size]["causal"], pad_token_id=tokenizer.pad_token_id)
    LlamaForCausalLM(config).save_pretrained(folder / "model")
    for place, run in enumerate(names):
        spread(everything, options.rows * (place + 2))[: options.rows].write_parquet(folder / f"{run}.parquet")
    settings = {"steps": 1, "batch_size": options.rows, "micro_batch_size": options.rows, "max_length": 256}
    settings |= {"precision": "float32", "device": "cpu", "activation_checkpointing": False}
    write_json(folder / "recipe.json", checked_recipe(argparse.Namespace(**settings)))


def job(folder: Path, runs: list[str]) -> None:
    import polars as pl

    from instructmining.training.launch import Run, launch

    parts = [Run(pl.read_parquet(folder / f"{run.removeprefix('again-')}.parquet"), folder / run) for run in runs]
    model = {"path": str(folder / "model"), "model": "random", "revision": "none"}
    found = launch(parts, read_json(folder / "recipe.json"), model)
    for run, figures in zip(runs, found, strict=True):
        write_json(folder / run / "train.json", figures)


def seconds(folder: Path, runs: list[str], prefix: str = "") -> float:
    """Processor seconds of one job."""
    command = [sys.executable, __file__, "--one", str(folder), ",".join(f"{prefix}{run}" for run in runs)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()

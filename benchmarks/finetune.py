"""Tokens a second of a finetuning, against transformers' Trainer and TRL's SFTTrainer with plain padding.

    PYTHONPATH=src python benchmarks/finetune.py
    PYTHONPATH=src python benchmarks/finetune.py --batch-size 16 --micro-batch-size 8 --clock cpu
    PYTHONPATH=src python benchmarks/finetune.py --device cuda --shape 7b --micro-batch-size 4 --launcher deepspeed

The same examples, weights, step and order for all; each repeat of a way is a fresh process, and the ways take turns.
A step is repeated --steps times on the same --batch-size examples; the first one is not counted. The median of the
repeats counts. Tokens are real ones, padding is none. What the work needs is in benchmarks/ceiling.py, three times the
forward pass: 6 FLOPs a weight and token and the attention, the output matrix at response tokens only.
TRL is in no lock: `pip install --target DIR --no-deps trl==1.16.0`, and DIR in PYTHONPATH.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

import ceiling
from builders import SIZES, train_tokenizer
from data import ALPACA, drawn, load, machine_line, spread
from instructmining.config import load_defaults_and_check
from instructmining.jobs.files import write_json
from instructmining.models.loading import PRECISIONS, load_tokenizer
from instructmining.models.prompts import encode
from trainers import plain_ways, run

ROOT = Path(__file__).parents[1]
SHAPES = {
    "tiny": SIZES["tiny"]["causal"],
    "135m": SIZES["small"]["causal"],
    "1.1b": SIZES["1.1b"]["causal"],
    "7b": SIZES["paper"]["causal"],
}
NEEDS = {"TRL SFTTrainer, padded": "trl", "ours, DeepSpeed": "deepspeed"}
COLUMNS = (
    *("way", "tokens/s", "ours / it", "of the ceiling", "imports s", "load s", "first step s", "step s"),
    *("peak MB", "loss, first step", "loss, last step", "repeats apart"),
)


def main() -> None:
    options = arguments()
    if options.one:
        print(json.dumps(run(options.one[0], Path(options.one[1]), float(options.one[2]))))
        return
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    print(machine_line(), torch.cuda.get_device_name() if options.device == "cuda" else "", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens, flops, products = prepare(options, folder)
        ways = [way for way in plain_ways() if options.launcher == "deepspeed" or "DeepSpeed" not in way]
        absent = {way: NEEDS[way] for way in ways if way in NEEDS and find_spec(NEEDS[way]) is None}
        found: dict[str, list[dict[str, Any]]] = {way: [] for way in ways if way not in absent}
        for _ in range(options.repeats):
            for way, results in found.items():
                products.measure()
                results.append(alone(way, folder))
                print(f"{way}: {results[-1]['a step']:.2f} s a step", file=sys.stderr, flush=True)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    best = median(result["a step"] for result in found["ours"])
    for way, results in found.items():
        steps = [result["a step"] for result in results]
        middle = {key: median(result[key] for result in results) for key in ("imports", "load", "first step", "peak")}
        share = flops / median(steps) / products.flops_per_second
        losses = results[0]["losses"]
        cells = [way, f"{tokens / median(steps):,.0f}", f"{median(steps) / best:.2f}", f"{share:.0%}"]
        cells += [f"{middle[key]:.1f}" for key in ("imports", "load", "first step")] + [f"{median(steps):.2f}"]
        cells += [f"{middle['peak'] / 1e6:,.0f}", f"{losses[0]:.4f}", f"{losses[-1]:.4f}"]
        print(f"| {' | '.join(cells)} | {max(steps) / min(steps) - 1:.0%} |")
    for way, package in absent.items():
        print(f"| {way} | not run: {package} cannot be imported |{' |' * (len(COLUMNS) - 2)}")
    print(
        f"ceiling {products.flops_per_second / 1e12:.3f} TFLOP/s; a step: {tokens:,} tokens, {flops / 1e12:.3f} TFLOP"
    )
    same_training({way: results[0]["losses"] for way, results in found.items()}, options.precision)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=ALPACA, help="rows in Alpaca form, .json or .jsonl")
    parser.add_argument("--model", metavar="PATH", help="a local folder; without it random weights of --shape")
    parser.add_argument("--shape", choices=SHAPES, default="135m")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=PRECISIONS, help="cpu: float32, cuda: bfloat16")
    parser.add_argument("--batch-size", type=int, default=128, help="examples an optimiser step")
    parser.add_argument("--micro-batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--activation-checkpointing", action="store_true")
    parser.add_argument(
        "--launcher", choices=("single", "deepspeed"), default="single", help="deepspeed: ours both ways"
    )
    parser.add_argument("--zero-stage", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: seconds of each process alone")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("WAY", "FOLDER", "BEGAN"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: this machine has none")
    if options.clock == "cpu" and (options.device, options.threads) != ("cpu", 1):
        parser.error("--clock cpu: only with --device cpu and --threads 1")
    if options.batch_size % options.micro_batch_size:
        parser.error("--batch-size must be a multiple of --micro-batch-size")
    options.precision = options.precision or {"cpu": "float32", "cuda": "bfloat16"}[options.device]
    return options


def prepare(options: argparse.Namespace, folder: Path) -> tuple[int, float, ceiling.Products]:
    """Model, examples and recipe in ``folder``; real tokens and FLOPs of a step, and the products to measure."""
    everything = load(options.data) if options.data.is_file() else drawn(4096)
    print("examples:", options.data.name if options.data.is_file() else "lengths drawn from Alpaca's distribution")
    if options.model:
        (folder / "model").symlink_to(Path(options.model).resolve())
        config: Any = AutoConfig.from_pretrained(options.model)
    else:
        tokenizer = train_tokenizer(everything, folder / "model", "<|endoftext|>")
        ends = {"eos_token_id": tokenizer.eos_token_id, "bos_token_id": tokenizer.bos_token_id}
        config = LlamaConfig(**SHAPES[options.shape], **ends, pad_token_id=tokenizer.pad_token_id)
        torch.manual_seed(0)
        with torch.device(options.device):
            model = LlamaForCausalLM._from_config(config, dtype=PRECISIONS[options.precision])
        model.save_pretrained(folder / "model")
        del model
        if options.device == "cuda":
            torch.cuda.empty_cache()
    examples = spread(everything, options.batch_size)
    examples.write_parquet(folder / "examples.parquet")
    recipe = checked_recipe(options)
    job = {"recipe": recipe, "threads": options.threads, "clock": options.clock, "zero_stage": options.zero_stage}
    write_json(folder / "job.json", {**job, "port": free_port()})
    rows = encode(examples, load_tokenizer(str(folder / "model")), recipe["template"], recipe["max_length"])
    with torch.device("meta"):
        shape = transformers.AutoModelForCausalLM.from_config(config)
    lengths, outputs = [len(row.ids) for row in rows], sum(len(row.ids) - row.start for row in rows)
    flops = 3 * ceiling.decoder_flops(shape, lengths, outputs, config.vocab_size)
    now = ceiling.clock(options.device, options.clock)
    width = sum(lengths) * options.micro_batch_size // options.batch_size
    shapes = ceiling.matrices(shape.base_model)
    return sum(lengths), flops, ceiling.Products(shapes, width, PRECISIONS[options.precision], options.device, now)


def checked_recipe(options: argparse.Namespace) -> dict[str, Any]:
    """A recipe with every default of the schema."""
    asked = {
        "model": "model/folder",
        "epochs": options.steps,
        **{
            key: getattr(options, key)
            for key in ("batch_size", "micro_batch_size", "max_length", "precision", "device")
        },
        "activation_checkpointing": options.activation_checkpointing,
    }
    recipe: dict[str, Any] = load_defaults_and_check({"recipes": {"it": asked}}, "benchmark")["recipes"]["it"]
    return recipe


def alone(way: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", way, str(folder), repr(time.time())]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "TOKENIZERS_PARALLELISM": "false"}
    )
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr[-3000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def same_training(losses: dict[str, list[float]], precision: str) -> None:
    """End with an error where a way did not start from the same weights, or learned something else."""
    first, last = {"float32": (1e-3, 5e-3), "bfloat16": (1e-2, 3e-2)}[precision]
    ours = losses["ours"]
    for way, found in losses.items():
        if abs(found[0] - ours[0]) > first * ours[0] or abs(found[-1] - ours[-1]) > last * ours[-1]:
            raise SystemExit(f"{way}: losses {found}, ours {ours}: not the same training")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    main()

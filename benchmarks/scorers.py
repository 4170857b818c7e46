"""Rows and tokens a second of every scorer, against the plain way of public code and against matrix products.

    PYTHONPATH=src python benchmarks/scorers.py --rows 96 --threads 2

Ours and the plain way take turns; the best of each counts, and how far the passes lie apart is in the last column:
machines are shared (and --clock cpu counts the seconds of this process alone). See docs/performance.md.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from builders import SIZES, Models
from cases import CASES, TEXT_ONLY, Case
from ceiling import Products, clock
from data import ALPACA, load, spread

COLUMNS = {
    "scorer": "{}",
    "rows": "{}",
    "tokens a row": "{:.0f}",
    "rows/s": "{:.1f}",
    "tokens/s": "{:,.0f}",
    "of the ceiling": "{:.0%}",
    "rows/s, tokenising": "{:,.0f}",
    "tokenising, of all time": "{:.1%}",
    "rows/s, plain way": "{:.1f}",
    "plain way, of the ceiling": "{:.0%}",
    "times the plain way": "{:.2f}",
    "largest difference": "{:.1g}",
    "passes apart (ours, plain)": "{}",
}


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    os.environ["RAYON_NUM_THREADS"] = str(options.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if options.threads > 1 else "false"
    torch.backends.cuda.matmul.allow_tf32 = options.tf32
    everything = load(options.data)
    examples = spread(everything, options.rows)
    name = torch.cuda.get_device_name() if options.device == "cuda" else cpu_name()
    machine = {
        "device": name,
        "threads": options.threads,
        "clock": options.clock,
        "date": date.today().isoformat(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "load before": load_average(),
        "sizes": options.sizes,
        "precision": options.precision,
        "tf32": options.tf32,
        "batch_tokens": options.batch_tokens,
        "data": options.data.name,
    }
    print(", ".join(f"{key}: {value}" for key, value in machine.items()), flush=True)
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS), flush=True)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        models = Models(options, everything, Path(folder))
        for scorer in options.scorers:
            case = CASES[scorer](models, everything if scorer in TEXT_ONLY else examples, options)
            figures = {"scorer": scorer, **measured(case, options)}
            found.append(figures)
            cells = (pattern.format(figures[name]) if name in figures else "" for name, pattern in COLUMNS.items())
            print("| " + " | ".join(cells) + " |", flush=True)
    for figures in found:
        if "ceiling, TFLOP/s" in figures:
            print(f"ceiling of {figures['scorer']}: {figures['ceiling, TFLOP/s']:.3f} TFLOP/s", end="; ")
            print(f"needed: {figures['TFLOP a row']:.4f} TFLOP a row")
    machine["load after"] = load_average()
    print("load before and after:", machine["load before"], machine["load after"])
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "scorers": found}, indent=1) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=ALPACA, help="rows in Alpaca form, .json or .jsonl")
    parser.add_argument("--rows", type=int, default=96, help="at even distances over the file; lengths, mtld: all rows")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: seconds of this process alone")
    parser.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="of decoders; cpu: float32, cuda: bfloat16"
    )
    parser.add_argument("--tf32", action="store_true", help="float32 products as TF32 on CUDA, and so their ceiling")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--passes", type=int, default=2, help="of each way, in turns")
    parser.add_argument("--scorers", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--sizes", choices=SIZES, default="small", help="of random models, where no path is given")
    for model in ("causal", "reward", "unieval", "embedder"):
        parser.add_argument(f"--{model}", metavar="PATH", help="a local folder or hub id")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    if not options.data.is_file():
        parser.error(f"{options.data}: no such file")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: this machine has none")
    if options.clock == "cpu" and (options.device, options.threads) != ("cpu", 1):
        parser.error("--clock cpu: only with --device cpu and --threads 1")
    options.precision = options.precision or {"cpu": "float32", "cuda": "bfloat16"}[options.device]
    return options


def measured(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Figures of one scorer, by the names of COLUMNS, and what they are made of."""
    now = clock(options.device, options.clock)
    rows = case.tokenise() if case.tokenise else case.rows
    tokenising = min(timed(case.tokenise, now)[0] for _ in range(3)) if case.tokenise else None
    products = Products(case.shapes, options.batch_tokens, case.dtype, options.device, now) if case.shapes else None
    for way in (case.ours, case.plain):
        way(rows[:8])
    ours, plain = [], []
    for _ in range(options.passes):
        if products:
            products.measure()
        seconds, our_values = timed(lambda: case.ours(rows), now)
        ours.append(seconds)
        if products:
            products.measure()
        seconds, plain_values = timed(lambda: case.plain(rows), now)
        plain.append(seconds)
    found: dict[str, Any] = {
        "rows": len(rows),
        "rows/s": len(rows) / min(ours),
        "rows/s, plain way": len(rows) / min(plain),
        "times the plain way": min(plain) / min(ours),
        "largest difference": largest_difference(our_values, plain_values),
        "passes apart (ours, plain)": f"{max(ours) / min(ours) - 1:.0%}, {max(plain) / min(plain) - 1:.0%}",
        "seconds": {"ours": ours, "plain": plain, "tokenising": tokenising},
    }
    if tokenising is not None:
        found["rows/s, tokenising"] = len(rows) / tokenising
        found["tokenising, of all time"] = tokenising / (tokenising + min(ours))
    if case.tokens:
        tokens = case.tokens(rows)
        found |= {"tokens a row": tokens / len(rows), "tokens/s": tokens / min(ours)}
    if case.flops and products:
        products.measure()
        flops, possible = case.flops(rows), products.flops_per_second
        found["of the ceiling"] = flops / min(ours) / possible
        found["plain way, of the ceiling"] = flops / min(plain) / possible
        found |= {"ceiling, TFLOP/s": possible / 1e12, "TFLOP a row": flops / len(rows) / 1e12}
    return found


def timed(function: Callable[[], Any], now: Callable[[], float]) -> tuple[float, Any]:
    start = now()
    result = function()
    return now() - start, result


def largest_difference(ours: np.ndarray, plain: np.ndarray) -> float:
    """Over rows that both ways have a number for; they must be the same rows."""
    missing = np.isnan(ours)
    if (missing != np.isnan(plain)).any() or missing.all():
        raise SystemExit("the two ways score different rows")
    return float(np.abs(ours - plain)[~missing].max())


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))


def load_average() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    main()

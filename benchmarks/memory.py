"""Peak memory of scoring 1,000, 10,000 and 100,000 rows: it must not grow with the dataset.

    PYTHONPATH=src python benchmarks/memory.py --scorers causal reward

Every size runs in a process of its own, with a tiny model whose weights weigh nothing: rows from a parquet file, scored
as a job scores them. Texts differ: the given rows are repeated with a number in instruction and response. The first
1,000 rows may not hold the longest; what counts is the last step. Linux only: the peak is read from /proc.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from data import ALPACA, load
from instructmining.data.examples import EXAMPLE_SCHEMA, example_id
from instructmining.jobs.files import write_parquet
from instructmining.scorers import ONE_SHARD
from instructmining.scorers.running import score

OUTPUTS = {
    "causal": {"perplexity": "perplexity", "ifd": "ifd"},
    "reward": {"reward": "reward"},
    "unieval": {name: name for name in ("naturalness", "coherence", "understandability")},
    "expected_score": {"score": "score"},
    "lengths": {"output_length": "output_length"},
    "mtld": {"mtld": "mtld"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=ALPACA, help="rows in Alpaca form, .json or .jsonl")
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000], help="two sizes or more")
    parser.add_argument("--scorers", nargs="+", choices=OUTPUTS, default=["causal", "reward", "unieval"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--one", nargs=3, metavar=("SCORER", "FOLDER", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], Path(options.one[1]), options.one[2], options)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(options, folder)
        print(
            "| scorer | " + " | ".join(f"MB at {rows:,} rows" for rows in options.rows) + " | growth of the last step |"
        )
        print("|" + "---|" * (len(options.rows) + 2), flush=True)
        for scorer in options.scorers:
            peaks = [peak(scorer, folder, rows, options) for rows in options.rows]
            cells = " | ".join(f"{megabytes:.0f}" for megabytes in peaks)
            growth = (peaks[-1] - peaks[-2]) * 1024**2 / (options.rows[-1] - options.rows[-2])
            print(f"| {scorer} | {cells} | {growth:.0f} |", flush=True)


def prepare(options: argparse.Namespace, folder: Path) -> None:
    """The parquet files and the tiny models that the processes read."""
    import torch
    import transformers

    from builders import Models

    torch.set_num_threads(options.threads)
    transformers.utils.logging.disable_progress_bar()
    examples = load(options.data)
    for rows in options.rows:
        write_parquet(repeated(examples, rows), folder / f"{rows}.parquet")
    paths = dict.fromkeys(("causal", "reward", "unieval", "embedder"))
    settings = argparse.Namespace(sizes="tiny", device="cpu", precision="float32", **paths)
    models = Models(settings, examples, folder)
    for name, (tokenizer, model, _) in {
        "causal": models.causal,
        "reward": models.reward,
        "unieval": models.unieval,
    }.items():
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)


def repeated(examples: pl.DataFrame, rows: int) -> pl.DataFrame:
    texts = examples.select("instruction", "input", "output").rows()
    found = []
    for row in range(rows):
        instruction, given, output = texts[row % len(texts)]
        changed = (f"{instruction} ({row})", given, f"{row}: {output}")
        found.append((example_id(*changed), *changed, "repeated", row))
    return pl.DataFrame(found, schema=EXAMPLE_SCHEMA, orient="row")


def peak(scorer: str, folder: Path, rows: int, options: argparse.Namespace) -> float:
    """Peak memory in MB of a fresh process that scores the file."""
    command = [sys.executable, __file__, "--one", scorer, str(folder), str(rows)]
    command += ["--threads", str(options.threads), "--batch-tokens", str(options.batch_tokens)]
    threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")}
    done = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return float(done.stdout.split()[-1])


def one(scorer: str, folder: Path, rows: str, options: argparse.Namespace) -> None:
    model = {"expected_score": "causal", "lengths": "causal"}.get(scorer, scorer)
    settings: dict[str, Any] = {"scorer": scorer, "model_path": str(folder / model), "revision": "main"}
    settings |= {"precision": "float32", "device": "cpu", "batch_tokens": options.batch_tokens, "max_length": 1024}
    settings |= {"template": "alpaca", "max_prompt_length": None, "prompt": "deita_quality", "scores": [1, 2, 3, 4, 5]}
    found = score(folder / f"{rows}.parquet", ONE_SHARD, {**settings, "outputs": OUTPUTS[scorer]})
    if found.height != int(rows):
        raise SystemExit(f"{found.height} rows scored, expected {rows}")
    # not getrusage: its maximum begins at the size of the process that started this one
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024)


if __name__ == "__main__":
    main()

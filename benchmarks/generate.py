"""Generation in batches sorted by length and in rounds, against batches in one go, and against one prompt at a time.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/generate.py
    PYTHONPATH=src python benchmarks/generate.py --sizes paper --device cuda --rows 256 --batch-tokens 60000

A model of random weights that samples, with as many end tokens as make responses of --mean tokens on average, at most
--longest: lengths as uneven as real ones. The ways take turns, the least seconds of --repeats count, and all must
write the same.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

from builders import SIZES, train_tokenizer
from data import drawn, machine_line
from instructmining.models import decoding
from instructmining.models.batching import Budget
from instructmining.models.loading import PRECISIONS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", choices=SIZES, default="tiny")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--mean", type=int, default=100, help="tokens of a response")
    parser.add_argument("--longest", type=int, default=512, help="max_new_tokens")
    parser.add_argument("--batch-tokens", type=int, default=16384)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    logging.disable_progress_bar()
    name = torch.cuda.get_device_name() if options.device == "cuda" else machine_line()
    print(f"{name}; {options.sizes}, {options.rows} rows, {options.batch_tokens} tokens a batch", flush=True)
    ways = {
        "in rounds": (decoding._FIRST_ROUND, options.batch_tokens),
        "in one go": (options.longest, options.batch_tokens),
        "one at a time": (options.longest, 1),
    }
    given = made(options)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(options.repeats):
        found = {}
        for way, (first, tokens) in ways.items():
            spent, found[way] = timed(given, first, tokens, options.device)
            seconds[way].append(spent)
        if any(rows != found["in rounds"] for rows in found.values()) and options.device == "cpu":
            raise SystemExit("the ways write different responses")
    lengths = np.array([row.tokens for _, row in sorted(found["in rounds"].items())])
    print(f"responses of {lengths.mean():.0f} tokens on average, {lengths.max()} at most")
    print("| way | s | tokens/s | times one at a time |\n|---|---|---|---|")
    for way, spent in seconds.items():
        ratio = min(seconds["one at a time"]) / min(spent)
        print(f"| {way} | {min(spent):.1f} | {lengths.sum() / min(spent):,.0f} | {ratio:.1f} |")


def made(options: argparse.Namespace) -> tuple[Any, Any, list[list[int]], decoding.Manner]:
    """Model, tokenizer, prompts (lengths of Alpaca's) and how to write."""
    torch.manual_seed(0)
    config = LlamaConfig(**SIZES[options.sizes]["causal"], max_position_embeddings=4096)
    dtype = PRECISIONS["bfloat16" if options.device == "cuda" else "float32"]
    with torch.device(options.device):
        model = LlamaForCausalLM(config).to(dtype).eval()
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = train_tokenizer(drawn(200), Path(folder), "<|endoftext|>")
    draw = np.random.default_rng(0)
    sizes = np.clip(draw.lognormal(4.0, 0.8, options.rows).astype(int), 10, 1000)
    prompts = [draw.integers(10, 8000, size).tolist() for size in sizes]
    ends = frozenset(range(config.vocab_size - config.vocab_size // options.mean, config.vocab_size))
    return model, tokenizer, prompts, decoding.Manner(options.longest, ends, temperature=1.0)


def timed(given: tuple[Any, Any, list[list[int]], decoding.Manner], first: int, tokens: int, device: str) -> Any:
    model, tokenizer, prompts, manner = given
    names, found = [str(row) for row in range(len(prompts))], {}
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    with mock.patch.object(decoding, "_FIRST_ROUND", first):
        decoding.write(model, tokenizer, prompts, names, manner, Budget(tokens), found.update)
    return clock() - start, found


if __name__ == "__main__":
    main()

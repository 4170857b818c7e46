"""The walk of DEITA's strategy, against the plain way: a row at a time, one product of a matrix and a vector a row.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/diversity.py
    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/diversity.py --rows 1000000 --depth 10000 --ours
    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/diversity.py --embeddings results/embeddings/*/minilm/*.parquet

Vectors are drawn around cluster centres whose directions fall off in weight as MiniLM's do (``clusters``), in all
directions alike (``isotropic``), or read. Ours and the plain way take turns, the least processor seconds of --repeats
count; they must keep the same rows, but for pairs that float32 takes for the other side of the threshold.
"""

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from data import machine_line
from instructmining.models import embeddings
from instructmining.selection import diversity

AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--depth", type=int, help="rows to keep; all by default")
    parser.add_argument("--kinds", nargs="+", choices=["clusters", "isotropic"], default=["clusters", "isotropic"])
    parser.add_argument("--embeddings", nargs="+", type=Path, metavar="PARQUET", help="read vectors, in this order")
    parser.add_argument("--ours", action="store_true", help="without the plain way")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(machine_line())
    names = ["vectors", "rows", "width", "depth", "visited", "kept", "ours s", "plain s", "plain / ours", "sketch"]
    print(f"| {' | '.join([*names, 'kept differently', 'peak MB'])} |\n|{'---|' * (len(names) + 2)}", flush=True)
    for kind in ["read"] if options.embeddings else options.kinds:
        if options.embeddings:
            vectors = embeddings.read(options.embeddings)["vector"].drop_nulls().to_numpy()[: options.rows]
        else:
            vectors = drawn(kind, options.rows, options.width)
        figures = compared(vectors, options)
        del vectors
        print(f"| {' | '.join([kind, *figures])} |", flush=True)
    print(machine_line())


def compared(vectors: np.ndarray, options: argparse.Namespace) -> list[str]:
    ours, plain_way = [], []
    for _ in range(options.repeats):
        seconds, found = timed(lambda: diversity.walk(vectors, options.threshold, options.depth))
        ours.append(seconds)
        if not options.ours:
            seconds, kept = timed(lambda: plain(vectors, options.threshold, options.depth))
            plain_way.append(seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    basis = diversity._Compared(vectors, options.threshold, sketched=len(vectors) > AT_ONCE // 2).basis
    return [
        *(f"{number:,}" for number in vectors.shape),
        f"{options.depth:,}" if options.depth else "all",
        *(f"{found.visited:,}", f"{len(found.kept):,}", f"{min(ours):.2f}"),
        *([f"{min(plain_way):.2f}", f"{min(plain_way) / min(ours):.1f}"] if plain_way else ["", ""]),
        "none" if basis is None else f"{basis.shape[1]} directions",
        f"{len(np.setxor1d(found.kept, kept))}" if plain_way else "",
        f"{peak:,}",
    ]


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def plain(vectors: np.ndarray, threshold: float, depth: int | None) -> np.ndarray:
    """As hkust-nlp/deita, ``selection/filter/base.py``; spared its copy of all kept rows for every row."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    held, kept = np.empty_like(unit), []
    for row, vector in enumerate(unit):
        if not (held[: len(kept)] @ vector > threshold).any():
            held[len(kept)] = vector
            kept.append(row)
            if len(kept) == depth:
                break
    return np.array(kept)


def drawn(kind: str, rows: int, width: int) -> np.ndarray:
    """Unit vectors, (rows, width) float32. Clusters: 2,000 centres, each row at its own distance from one."""
    random = np.random.default_rng(0)
    directions = random.standard_normal((100, width)) * np.arange(1, 101)[:, None] ** -0.4
    centres = random.standard_normal((2000, 100)) @ directions
    centres = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(np.float32)
    found = np.empty((rows, width), dtype=np.float32)
    for start in range(0, rows, AT_ONCE):
        part = random.standard_normal(found[start : start + AT_ONCE].shape, dtype=np.float32)
        if kind == "clusters":
            part *= random.uniform(0.2, 1.0, (len(part), 1)).astype(np.float32) / np.float32(width**0.5)
            part += centres[random.integers(0, len(centres), len(part))]
        found[start : start + AT_ONCE] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return found


if __name__ == "__main__":
    main()

"""Rows for the benchmarks: a file in Alpaca form as a frame with the columns of examples.parquet."""

import json
import os
from datetime import date
from pathlib import Path
from random import Random

import polars as pl

from instructmining.data.examples import EXAMPLE_SCHEMA, example_id

ALPACA = Path(__file__).parents[2] / "shared/data/alpaca_9k.json"


def load(path: Path) -> pl.DataFrame:
    """All rows of a .json list or .jsonl file that have a response, in file order."""
    text = path.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line] if path.suffix == ".jsonl" else json.loads(text)
    kept = [(row["instruction"], row.get("input") or "", row["output"]) for row in rows if row["output"].strip()]
    found = [(example_id(*texts), *texts, path.stem, place) for place, texts in enumerate(kept)]
    return pl.DataFrame(found, schema=EXAMPLE_SCHEMA, orient="row")


def spread(examples: pl.DataFrame, rows: int) -> pl.DataFrame:
    """``rows`` rows at even distances, in file order: the lengths of the whole file."""
    return examples[[place * examples.height // rows for place in range(min(rows, examples.height))]]


def drawn(rows: int) -> pl.DataFrame:
    """Random words as long as Alpaca's texts: prompts of about 28, responses log-normal around 74, at most 700."""
    random = Random(0)
    words = ["".join(random.choices("abcdefghijklmnop", k=random.randint(2, 8))) for _ in range(4000)]
    found = []
    for row in range(rows):
        sizes = (max(3, round(random.gauss(28, 10))), min(700, max(1, round(random.lognormvariate(4.3, 1.2)))))
        instruction, output = (" ".join(random.choices(words, k=size)) for size in sizes)
        found.append((example_id(instruction, "", output), instruction, "", output, "drawn", row))
    return pl.DataFrame(found, schema=EXAMPLE_SCHEMA, orient="row")


def machine_line() -> str:
    """The processor, how many cores it gives this process, how busy they are, and the date."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{name}, {len(os.sched_getaffinity(0))} cores, load {load}, {date.today().isoformat()}"

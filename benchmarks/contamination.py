"""What training examples share with evaluation items, against two plain ways: sets of n-grams, all pairs nested.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/contamination.py
    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/contamination.py --rows 1000000 --ours

Training rows are Alpaca's (--data), over and over where --rows asks for more; every eighth item is one of them, the
others are drawn. ``sets`` keeps one Python set of the items' n-grams and looks up every n-gram of every example, as
lm_eval's janitor does without its C++ part: it knows which examples are concerned, not by which item. ``nested``
compares each example's set with each item's: what it finds must be what ours finds. Processor seconds.
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from data import ALPACA, drawn, load, machine_line
from instructmining.data.examples import prompt_text
from instructmining.data.ngrams import words
from instructmining.tables import contamination


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--ngram", type=int, default=13)
    parser.add_argument("--data", type=Path, default=ALPACA)
    parser.add_argument("--ours", action="store_true", help="without the plain ways")
    options = parser.parse_args()
    print(machine_line())
    training = load(options.data)
    items = as_items(training, options.items)
    if options.rows < training.height:
        training = training.head(options.rows)
    seconds, found = timed(lambda: contamination.pairs(items, parts(training, options.rows), options.ngram))
    print(f"{options.rows:,} training examples, {items.height} items, n = {options.ngram}: {found.height:,} pairs")
    print(f"ours    {seconds:8.2f} s, {options.rows / seconds:,.0f} examples a second, peak {peak()} MB")
    if options.ours:
        return
    mine = {(row["place"], row["training"]) for row in found.iter_rows(named=True) if row["ngram"]}
    for name, way in (("sets", by_sets), ("nested", nested)):
        took, known = timed(lambda way=way: way(items, parts(training, options.rows), options.ngram))
        assert known == (mine if name == "nested" else {pair[1] for pair in mine}), name
        print(f"{name:7} {took:8.2f} s, {took / seconds:,.1f} times ours")
    print(machine_line())


def as_items(training: pl.DataFrame, count: int) -> pl.DataFrame:
    """Items of one benchmark (columns ``contamination.ITEM_SCHEMA``): every eighth from the training examples."""
    copied = training[[place * training.height * 8 // count for place in range(count // 8)]]
    texts = text_of(pl.concat([copied, drawn(count - copied.height)]))
    found = {"benchmark": ["drawn"] * count, "place": range(count), "item": [str(place) for place in range(count)]}
    return pl.DataFrame({**found, "prompt": [""] * count, "texts": [[text] for text in texts]})


def parts(training: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    """The training rows again and again, as many as asked for."""
    while rows > 0:
        yield training.head(rows)
        rows -= training.height


def by_sets(items: pl.DataFrame, examples: Iterator[pl.DataFrame], n: int) -> set[str]:
    known = set[str]().union(*(grams(text, n) for (text,) in items["texts"]))
    return {
        name
        for part in examples
        for name, text in zip(part["id"], text_of(part), strict=True)
        if any(gram in known for gram in grams(text, n))
    }


def nested(items: pl.DataFrame, examples: Iterator[pl.DataFrame], n: int) -> set[tuple[int, str]]:
    held = [(place, set(grams(text, n))) for place, (text,) in enumerate(items["texts"])]
    found = set()
    for part in examples:
        for name, text in zip(part["id"], text_of(part), strict=True):
            own = set(grams(text, n))
            found |= {(place, name) for place, other in held if not own.isdisjoint(other)}
    return found


def grams(text: str, n: int) -> list[str]:
    own = words(text)
    return [" ".join(own[start : start + n]) for start in range(len(own) - n + 1)]


def text_of(examples: pl.DataFrame) -> list[str]:
    rows = examples.select("instruction", "input", "output").iter_rows()
    return [f"{prompt_text(instruction, input)}\n{output}" for instruction, input, output in rows]


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()

"""What the jobs measured themselves: Snakemake's `benchmark:` files, and prices of answers over an API.

A job is named as its cost file is, results/costs/{job}.tsv. Nothing here imports polars when it is read: the DAG does.
"""

import csv
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.jobs.errors import InputError

# of a judge's answers to one shard: their tokens and price together, and what requests that came to none may have cost
PAID_KEYS = ("answers", "input_tokens", "output_tokens", "price", "without_answer")


class Ledger(NamedTuple):
    """Wall-clock seconds of every job that was measured, and what was paid for answers over an API."""

    seconds: dict[str, float]
    paid: dict[str, float]


def read_ledger(folder: str | Path, jobs: Iterable[str]) -> Ledger:
    """What there is of these jobs under ``folder`` (results/costs): {job}.tsv, and of a scoring job
    score/{dataset}/{entry}/{shard} whose judge is paid also judge/{dataset}/{entry}/{shard}.json.

    No other file is read: another job may be writing it. InputError for one that is not as it must be.
    """
    seconds, paid = {}, {}
    for job in jobs:
        measured = Path(folder) / f"{job}.tsv"
        if measured.exists():
            seconds[job] = read_seconds(measured)
        rule, *names = job.split("/")
        bill = Path(folder, "judge", *names).with_suffix(".json") if rule == "score" else None
        price = read_price(bill) if bill and bill.exists() else None
        if price is not None:
            paid[job] = price
    return Ledger(seconds, paid)


def read_seconds(path: Path) -> float:
    """Column ``s`` of a file of Snakemake's ``benchmark:``, which has one row."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if len(rows) != 1:
        raise InputError(f"{path}: expected one row of measurements, got {len(rows)}")
    return _number(rows[0].get("s"), f"{path}: row 1, column s: expected seconds")


def read_price(path: Path) -> float | None:
    """What all requests of a file with the keys ``PAID_KEYS`` cost; None where the config has no prices for them."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: expected a JSON file: {error}") from error
    if not isinstance(found, dict) or set(PAID_KEYS) - set(found):
        raise InputError(f"{path}: expected the keys {', '.join(PAID_KEYS)}")
    if found["price"] is None:
        return None
    lost = _number(found["without_answer"].get("price"), f"{path}: without_answer: expected a price")
    return _number(found["price"], f"{path}: price: expected a price") + lost


def _number(value: Any, expected: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise InputError(f"{expected}, got {value!r}")
    return number

"""What the jobs measured themselves: Snakemake's `benchmark:` files, and prices of answers over an API.

A job is named as its cost file is, results/costs/{job}.tsv. Nothing here imports polars when it is read: the DAG does.
"""

import csv
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from instructmining.errors import InputError

# of the answers to one shard: how many requests, their tokens, and what they cost together, in which currency
API_KEYS = ("requests", "input_tokens", "output_tokens", "price", "currency")


class Ledger(NamedTuple):
    """Wall-clock seconds of every job that was measured, and what was paid for answers over an API."""

    seconds: dict[str, float]
    paid: dict[str, float]


def read_ledger(folder: str | Path, jobs: Iterable[str], currency: str) -> Ledger:
    """What there is of these jobs under ``folder`` (results/costs): {job}.tsv, and of a scoring job
    score/{dataset}/{entry}/{shard} that pays for answers also api/{entry}/{dataset}/{shard}.json.

    No other file is read: another job may be writing it. InputError for one that is not as it must be, or for a price
    in another currency.
    """
    seconds, paid = {}, {}
    for job in jobs:
        measured = Path(folder) / f"{job}.tsv"
        if measured.exists():
            seconds[job] = read_seconds(measured)
        rule, *names = job.split("/")
        price = Path(folder, "api", names[1], names[0], f"{names[2]}.json") if rule == "score" else None
        if price and price.exists():
            paid[job] = read_price(price, currency)
    return Ledger(seconds, paid)


def read_seconds(path: Path) -> float:
    """Column ``s`` of a file of Snakemake's ``benchmark:``, which has one row."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if len(rows) != 1:
        raise InputError(f"{path}: expected one row of measurements, got {len(rows)}")
    return _number(rows[0].get("s"), f"{path}: row 1, column s: expected seconds")


def read_price(path: Path, currency: str) -> float:
    """``price`` of a file with the keys ``API_KEYS``: what all its requests cost together."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: expected a JSON file: {error}") from error
    if not isinstance(found, dict) or set(API_KEYS) - set(found):
        raise InputError(f"{path}: expected the keys {', '.join(API_KEYS)}")
    if found["currency"] != currency:
        raise InputError(f"{path}: currency: expected {currency} as in the config's costs, got {found['currency']!r}")
    return _number(found["price"], f"{path}: price: expected a price")


def _number(value: Any, expected: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise InputError(f"{expected}, got {value!r}")
    return number

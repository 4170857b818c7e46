"""The longest responses first (Diddee & Ippolito 2024, section 3.2)."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import ranked
from instructmining.settings import Strategy, name

SPEC = Strategy(
    version=1,
    meaning="longest response first",
    settings={
        "indicator": name("a column", "output_length", "what is sorted, descending"),
    },
    columns=["indicator"],
    order=4,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = the column ``settings["indicator"]`` (tokens of the response, say), descending."""
    indicator = settings["indicator"]
    if indicator not in examples.columns:
        raise InputError(f"strategy longest: no indicator {indicator} for the pool's examples")
    return ranked(examples, examples[indicator], descending=True)

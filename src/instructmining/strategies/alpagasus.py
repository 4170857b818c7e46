"""AlpaGasus: the responses that an LLM judge scores highest first (Chen et al. 2023, arXiv 2307.08701, section 2)."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import ranked
from instructmining.settings import COLUMN, Strategy, number

SPEC = Strategy(
    version=1,
    meaning="highest score of a judge first",
    settings={
        "indicator": COLUMN.but(meaning="the judge's score, descending"),
        "threshold": number(None, "lowest score that is selected; AlpaGasus: 4.5"),
    },
    columns=["indicator"],
    order=8,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = the column ``settings["indicator"]`` (points of a judge), descending.

    Rows below ``settings["threshold"]`` (None: no threshold; the paper's is 4.5) have no score and come last. A judge
    gives the same few scores to many: ties go by id, which is chance, but always the same.
    """
    indicator, threshold = settings["indicator"], settings["threshold"]
    if indicator not in examples.columns:
        raise InputError(f"strategy alpagasus: no indicator {indicator} for the pool's examples")
    score = examples[indicator]
    if threshold is not None:
        score = examples.select(pl.when(score >= threshold).then(score).alias(indicator))[indicator]
    return ranked(examples, score, descending=True)

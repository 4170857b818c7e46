"""InstructMining's own order: predicted log loss, ascending (Cao et al. 2023, section 3: lower is better)."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.quality_rules.regression import predict
from instructmining.selection.rankings import ranked
from instructmining.settings import REQUIRED, Strategy, name

SPEC = Strategy(
    version=1,
    meaning="predicted log-loss, ascending",
    settings={
        "quality_rule": name("a quality rule", REQUIRED, "which rule predicts"),
    },
    order=1,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = predicted log loss (nats, lower is better) under ``settings["rule"]``, a quality rule's JSON.

    An example that lacks one of the rule's indicators has no score and comes last.
    """
    return ranked(examples, predict(settings["rule"], examples), descending=False)

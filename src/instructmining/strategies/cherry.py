"""Cherry: what a model finds hardest to follow, less what no instruction explains (Li et al. 2023, arXiv 2308.12032).

Superfiltering (Li et al. 2024, arXiv 2402.00530) is the same order by the ratio of a small model's perplexities.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.selection.rankings import ranked
from instructmining.settings import COLUMN, Strategy

SPEC = Strategy(
    version=1,
    meaning="highest IFD up to 1 first",
    settings={
        "indicator": COLUMN.but(meaning="IFD, descending"),
    },
    columns=["indicator"],
    order=5,
)


def rank(examples: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Score = the column ``settings["indicator"]`` (IFD: higher is harder to follow), descending.

    Rows above 1 have no score and come last: there the instruction makes the response less likely (equation 3).
    """
    indicator = settings["indicator"]
    if indicator not in examples.columns:
        raise InputError(f"strategy cherry: no indicator {indicator} for the pool's examples")
    found = examples.select(pl.when(pl.col(indicator) <= 1).then(indicator))[indicator]
    return ranked(examples, found, descending=True)

"""Lengths of prompt and response in tokens of a model's tokenizer, without special tokens (IM, section 2.2)."""

from typing import Any

import polars as pl

from instructmining.examples import prompt_text
from instructmining.joblog import progress
from instructmining.models import load_tokenizer

_ROWS_AT_ONCE = 4096


def score(examples: pl.DataFrame, settings: dict[str, Any]) -> pl.DataFrame:
    """Columns ``input_length`` and ``output_length``: tokens, higher is longer. Never null, never truncated."""
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    prompts = [prompt_text(*row) for row in examples.select("instruction", "input").iter_rows()]
    advance = progress(2 * examples.height, "texts tokenised")

    def lengths(texts: list[str]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(texts), _ROWS_AT_ONCE):
            part = texts[start : start + _ROWS_AT_ONCE]
            found += map(len, tokenizer(part, add_special_tokens=False).input_ids)
            advance(len(part))
        return found

    columns = {"input_length": lengths(prompts), "output_length": lengths(examples["output"].to_list())}
    return examples.select(
        "id",
        *(pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items()),
        truncated=pl.lit(False),
        reason=pl.lit(None, dtype=pl.String),
    )

"""Lengths of prompt and response in tokens of a model's tokenizer, without special tokens (IM, section 2.2)."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from instructmining.examples import prompt_text
from instructmining.joblog import progress
from instructmining.models import load_tokenizer


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Columns ``input_length`` and ``output_length``: tokens, higher is longer. Never null, never truncated."""
    tokenizer = load_tokenizer(settings["model_path"], settings["revision"])
    advance = progress(settings["rows"], "rows tokenised")

    def lengths(texts: list[str]) -> pl.Series:
        # the tokenizer's own type: its rows are counted without making lists of their ids
        rows = tokenizer(texts, add_special_tokens=False, verbose=False).encodings if texts else []
        return pl.Series([len(row) for row in rows], dtype=pl.Float64)

    for examples in parts:
        prompts = [prompt_text(*row) for row in examples.select("instruction", "input").iter_rows()]
        yield examples.select(
            "id",
            input_length=lengths(prompts),
            output_length=lengths(examples["output"].to_list()),
            truncated=pl.lit(False),
            reason=pl.lit(None, dtype=pl.String),
        )
        advance(examples.height)

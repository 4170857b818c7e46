"""Lengths of prompt and response in tokens of a model's tokenizer, without special tokens (IM, section 2.2)."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from instructmining.data.examples import prompt_text
from instructmining.jobs.log import progress
from instructmining.models.loading import load_tokenizer
from instructmining.settings import MODEL, OUTPUTS, REVISION, Output, Scorer

SPEC = Scorer(
    version=1,
    outputs={
        "input_length": Output("tokens", "higher is longer", "tokens of instruction and input"),
        "output_length": Output("tokens", "higher is longer", "tokens of the response"),
    },
    settings={
        "outputs": OUTPUTS,
        "model": MODEL.but(meaning="whose tokenizer"),
        "revision": REVISION,
    },
    order=1,
)


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield the columns ``input_length`` and ``output_length``: tokens, higher is longer; never null or truncated."""
    backend = load_tokenizer(settings["model_path"], settings["revision"]).backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    advance = progress(settings["rows"], "rows tokenised")

    def lengths(texts: list[str]) -> pl.Series:
        # only the number of ids is needed: the fast call builds no offsets
        rows = backend.encode_batch_fast(texts, add_special_tokens=False)
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

"""Measure of textual lexical diversity of the response (McCarthy & Jarvis 2010).

It is the variant of the package lexicalrichness 0.5.1, with its tokeniser: the text is put in lower case, digits and
dashes are deleted, and punctuation becomes spaces. A factor ends as soon as its type-token ratio is at or below 0.72;
a factor has no minimum number of words. The last, partial factor counts (1 - ratio) / (1 - 0.72). Public packages
differ: lexical_diversity (ratio below 0.72, at least ten words per factor) differs by more than 1 % on a third of real
responses.
"""

import re
import string
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from instructmining.jobs.log import progress
from instructmining.settings import Output, Scorer

SPEC = Scorer(
    version=1,
    outputs={
        "mtld": Output("words per factor", "higher is more diverse", "lexical diversity of the response"),
    },
    order=2,
)


THRESHOLD = 0.72
_SPACES = str.maketrans(string.punctuation, " " * len(string.punctuation))


def words(text: str) -> list[str]:
    """The words of a text as lexicalrichness counts them: separated by white space after its preprocessing."""
    text = re.sub(r"[0-9]+", "", text.lower())
    for dash in "–—-":  # noqa: RUF001
        text = text.replace(dash, "")
    return text.translate(_SPACES).split()


def _factors(tokens: Iterable[str]) -> float:
    """Number of factors in one pass, including the partial last one."""
    factors, count, ratio = 0.0, 0, 1.0
    types: set[str] = set()
    for token in tokens:
        count += 1
        types.add(token)
        ratio = len(types) / count
        if ratio <= THRESHOLD:
            factors += 1
            count = 0
            types = set()
    return factors + (1 - ratio) / (1 - THRESHOLD) if count else factors


def mtld(tokens: list[str]) -> float | None:
    """Mean words per factor of the forward and the backward pass; None for a text without words.

    A text whose words all differ has no factor. As in lexicalrichness, the text then counts as one factor, so that its
    value is its number of words.
    """
    if not tokens:
        return None
    forward, backward = _factors(tokens), _factors(reversed(tokens))
    return (len(tokens) / (forward or 1.0) + len(tokens) / (backward or 1.0)) / 2


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield the column ``mtld``: words per factor, higher is more diverse; null for a response without words."""
    advance = progress(settings["rows"], "responses")
    for examples in parts:
        scores = pl.Series("mtld", [mtld(words(text)) for text in examples["output"]], dtype=pl.Float64)
        yield examples.select(
            "id",
            scores,
            truncated=pl.lit(False),
            reason=pl.when(scores.is_null()).then(pl.lit("no word in the response")),
        )
        advance(examples.height)

"""The score that an LLM judge gives a response, read from the first line of the judge's answer.

The prompt is AlpaGasus's or the user's own. The judge is any endpoint with OpenAI's API, or a model on this machine.
Every answer is recorded, so that no question is asked twice (see
`instructmining.judge.asking` and `instructmining.judge.records`).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from instructmining.judge.asking import Reading, check_share, judged, may_fail, question
from instructmining.judge.messages import load_prompt, messages, read_score
from instructmining.judge.records import Record
from instructmining.settings import (
    JUDGE_CALLS,
    JUDGE_HERE,
    MIN_SHARE_USED,
    REQUIRED,
    Output,
    Scorer,
    anything,
    one_of,
    text,
)

SPEC = Scorer(
    version=2,
    outputs={
        "score": Output("points", "higher is better", "score that an LLM judge gives the response"),
    },
    settings={
        "backend": one_of(["api", "local"], "api", "an endpoint, or a model on this machine"),
        "model": text(REQUIRED, "what the endpoint calls it; for `local`, see [models](#models)"),
        "prompt": text("alpagasus", "`alpagasus`, `alpagasus_1_to_5`, or a file"),
        "scale": anything(
            {"type": ["array", "null"], "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
            "[lowest, highest]",
            None,
            "of a prompt file; the named ones have theirs",
            again="the entry, from the old answers",
        ),
        "request": anything(
            {"type": "object"},
            "mapping",
            {"temperature": 0.0, "max_tokens": 256},
            "what else is sent, as it is (`seed`, `max_completion_tokens` in place of `max_tokens`, …); "
            "a local judge takes these two",
        ),
        "min_share_used": MIN_SHARE_USED.but(
            meaning="a smaller share of rows with a score is an error", again="the entry, from the old answers"
        ),
        **JUDGE_CALLS,
        **JUDGE_HERE,
    },
    again="the entry; new answers",
    order=8,
)


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield the column ``score``: points, higher is better. No text is truncated.

    The score is null, with a reason, where the judge gives no answer or an answer without a readable score. All
    questions are held in memory at once, because the judge is asked them concurrently.

    Args:
        parts: frames with the columns of examples.parquet.
        settings: the config entry, plus ``answers`` (entry and part, as in `Records`), ``calls`` (how the judge is
            asked, which changes no answer) and ``costs`` (the file for tokens and price).

    Raises:
        InputError: the endpoint cannot answer, ``max_cost`` would be exceeded, or fewer than ``min_share_used`` of the
            rows get a score. Answers received before the error are recorded.
    """
    frames = list(parts)
    prompt = load_prompt(settings["prompt"], settings["scale"])
    rows = [
        question(row["id"], messages(prompt, row), prompt.version, settings)
        for frame in frames
        for row in frame.iter_rows(named=True)
    ]

    def read(record: Record) -> Reading[float]:
        return read_score(record["answer"], prompt.scale)

    share = settings["min_share_used"]
    scores = judged(rows, settings, read, may_fail(settings["rows"], share))
    check_share([scores[row.key] for row in rows], share, "rows have a score")
    values = iter(rows)
    for frame in frames:
        own = [scores[next(values).key] for _ in range(frame.height)]
        yield frame.select(
            "id",
            score=pl.Series([value for value, _ in own], dtype=pl.Float64),
            truncated=pl.lit(False),
            reason=pl.Series([reason for _, reason in own], dtype=pl.String),
        )

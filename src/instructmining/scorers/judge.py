"""Score that an LLM judge gives the response: on the first line of its answer, to AlpaGasus's prompt or one's own.

The judge is any endpoint of OpenAI's API shape, or a model on this machine. Every answer is recorded, and never asked
for again (see `instructmining.judge_records`).
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from instructmining.errors import InputError
from instructmining.judge_costs import estimate, price, spent, total, write
from instructmining.judge_messages import load_prompt, messages, read_score
from instructmining.judge_prompts import Prompt, Scale
from instructmining.judge_records import Record, Records, Request, request

_log = logging.getLogger(__name__)


def score(parts: Iterable[pl.DataFrame], settings: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Column ``score``: points, higher is better; never truncated. All questions are held at once.

    Null, with a reason, where the judge gives no answer or none that can be read. ``settings`` has beside the config's
    ``answers`` (entry and part, as in `Records`), ``calls`` (how the judge is asked: changes no answer) and ``costs``
    (the file of tokens and price). InputError, what was answered being recorded, for an endpoint that cannot answer,
    where ``max_cost`` would be exceeded, or if fewer than ``min_share_used`` of the rows get a score.
    """
    frames = list(parts)
    prompt = load_prompt(settings["prompt"], settings["scale"])
    rows = [_request(row, prompt, settings) for frame in frames for row in frame.iter_rows(named=True)]
    requests = list({row.key: row for row in rows}.values())
    records = Records(*settings["answers"])
    reasons = _ask(requests, records, settings, prompt.scale)
    scores = {row.key: _read(records.answers.get(row.key), reasons.get(row.key), prompt.scale) for row in requests}
    found = write(settings["costs"], requests, records, settings["calls"])
    _log.info("judge: %s", ", ".join(f"{key} {value}" for key, value in found.items()))
    _check_share([scores[row.key] for row in rows], settings["min_share_used"])
    values = iter(rows)
    for frame in frames:
        own = [scores[next(values).key] for _ in range(frame.height)]
        yield frame.select(
            "id",
            score=pl.Series([value for value, _ in own], dtype=pl.Float64),
            truncated=pl.lit(False),
            reason=pl.Series([reason for _, reason in own], dtype=pl.String),
        )


def _request(row: Mapping[str, Any], prompt: Prompt, settings: Mapping[str, Any]) -> Request:
    local = {key: settings[key] for key in ("precision", "max_length") if settings["backend"] == "local"}
    asked = {"backend": settings["backend"], **settings["model_record"], **local, "prompt": prompt.version}
    return request(row["id"], messages(prompt, row), {**asked, "request": settings["request"]})


def _ask(requests: Sequence[Request], records: Records, settings: Mapping[str, Any], scale: Scale) -> dict[str, str]:
    """Ask what is not recorded; reasons by key. Nothing is opened, and no key needed, where everything is."""
    if not (missing := _missing(requests, records)):
        _log.info("judge: all of %d questions are answered in the records: nothing is asked", len(requests))
        return {}
    # what brings torch, or the library that asks, comes where it is needed
    if settings["backend"] == "local":
        from instructmining import judge_local

        return judge_local.answer(missing, settings, records)
    from instructmining import judge_client

    def usable(record: Record | None) -> bool:
        return _read(record, None, scale)[0] is not None

    with records.alone():
        missing = _missing(requests, records)
        _log.info("judge: %s", _announced(len(requests), missing, records, settings["calls"]))
        bad = sum(not usable(records.answers[row.key]) for row in requests if row.key in records.answers)
        spare = int((1 - settings["min_share_used"]) * settings["rows"]) - bad
        return judge_client.ask(missing, settings["calls"], records, usable, spare) if missing else {}


def _missing(requests: Sequence[Request], records: Records) -> list[Request]:
    return [row for row in requests if row.key not in records.answers]


def _announced(questions: int, missing: Sequence[Request], records: Records, calls: Mapping[str, Any]) -> str:
    """The estimate, before the first request."""
    tokens = total(estimate(row) for row in missing)
    money, gone = price(tokens, calls), price(spent(records), calls)
    said = f"{questions} questions, {len(missing)} to be asked: about {tokens.input:,} input tokens and at most "
    said += f"{tokens.output:,} output tokens (estimated without a tokenizer, from 3 bytes a token)"
    if money is None or gone is None:
        return f"{said}; no prices in the config"
    said += f", about {money:.4g}; {gone:.4g} spent by this entry so far"
    limit = calls["max_cost"]
    if limit is None:
        return f"{said}; no max_cost"
    return f"{said}; max_cost {limit:g}" + (" may be reached before the end" if gone + money > limit else "")


def _read(record: Record | None, reason: str | None, scale: Scale) -> tuple[float | None, str | None]:
    if record is None:
        return None, reason
    if "refused" in record:
        return None, f"refused: {record['refused']}"
    return read_score(record["answer"], scale)


def _check_share(scores: Sequence[tuple[float | None, str | None]], share: float) -> None:
    reasons = Counter(reason for value, reason in scores if value is None)
    said = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    used = len(scores) - reasons.total()
    if reasons:
        _log.warning("judge: %d of %d rows have no score: %s", reasons.total(), len(scores), said)
    if used < share * len(scores):
        raise InputError(
            f"judge: {used} of {len(scores)} rows have a score; min_share_used asks for {share:.0%} ({said})"
        )

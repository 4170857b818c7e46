"""Everything around asking a judge, the same for an indicator and for a benchmark.

What is recorded is not asked again; the estimate is said before the first request; what the answers did cost is
written; and too few usable answers are an error.
"""

import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from instructmining.data.share_used import check_share_used
from instructmining.jobs import paths
from instructmining.judge.costs import estimate, price, spent, total, write
from instructmining.judge.messages import Message
from instructmining.judge.records import Record, Records, Request, request
from instructmining.settings import JUDGE_CALLS

_log = logging.getLogger(__name__)
Value = TypeVar("Value")
Reading = tuple[Value | None, str | None]


def benchmark_settings(benchmarks: Mapping[str, Any], recipe: str, subset: str, benchmark: str) -> dict[str, Any]:
    """What a benchmark's judge is told beside the job's params: how to ask, and where answers and costs are written.

    The answers of all runs lie in one folder: two runs that said the same are judged once, and ``max_cost`` holds for
    the benchmark.
    """
    judge = benchmarks[benchmark]["judge"]
    return {
        "calls": {key: judge.get(key) for key in JUDGE_CALLS},
        "answers": [f"benchmarks/{benchmark}", ".".join([recipe, *subset.split("/")])],
        "costs": paths.PAIR_JUDGE_COST.format(recipe=recipe, subset=subset, benchmark=benchmark),
    }


def question(example: str, messages: list[Message], version: str, settings: Mapping[str, Any]) -> Request:
    """A request whose key holds all that its answer depends on. ``version``: the prompt's."""
    local = {key: settings[key] for key in ("precision", "max_length") if settings["backend"] == "local"}
    asked = {"backend": settings["backend"], **settings["model_record"], **local, "prompt": version}
    return request(example, messages, {**asked, "request": settings["request"]})


def judged(
    questions: Sequence[Request],
    settings: Mapping[str, Any],
    read: Callable[[Record], Reading[Value]],
    spare: int,
) -> dict[str, Reading[Value]]:
    """What ``read`` makes of each question's answer, by key: a value, or None and the reason.

    ``settings`` has beside the judge's own ``answers`` (entry, part and perhaps root, as in `Records`), ``calls`` and
    ``costs`` (the file of tokens and price). A question that stands several times is asked once. InputError for an
    endpoint that cannot answer, where ``max_cost`` would be exceeded, or once more than ``spare`` answers cannot be
    used; what was answered is recorded.
    """
    requests = list({row.key: row for row in questions}.values())
    records = Records(*settings["answers"])

    def reading(record: Record | None, reason: str | None) -> Reading[Value]:
        if record is None:
            return None, reason
        return (None, f"refused: {record['refused']}") if "refused" in record else read(record)

    def usable(record: Record | None) -> bool:
        return reading(record, None)[0] is not None

    reasons = _ask(requests, records, settings, usable, spare)
    found = write(settings["costs"], requests, records, settings["calls"])
    _log.info("judge: %s", ", ".join(f"{key} {value}" for key, value in found.items()))
    return {row.key: reading(records.answers.get(row.key), reasons.get(row.key)) for row in requests}


def may_fail(count: int, share: float) -> int:
    """How many of ``count`` may have no value, so that ``check_share`` lets ``share`` pass."""
    return count - math.ceil(share * count)


def check_share(readings: Sequence[Reading[Any]], share: float, what: str) -> dict[str, int]:
    """How many have no value, by reason, most first. ``what``: "rows have a score".

    InputError if fewer than ``share`` of them have one.
    """
    reasons = Counter(str(reason) for value, reason in readings if value is None)
    said = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    used = len(readings) - reasons.total()
    if reasons:
        _log.warning("judge: only %d of %d %s: %s", used, len(readings), what, said)
    check_share_used("judge", used, len(readings), share, what, said, least=0)
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def _ask(
    requests: Sequence[Request],
    records: Records,
    settings: Mapping[str, Any],
    usable: Callable[[Record | None], bool],
    spare: int,
) -> dict[str, str]:
    """Ask what is not recorded; reasons by key. Nothing is opened, and no key needed, where everything is."""
    if not (missing := _missing(requests, records)):
        _log.info("judge: all of %d questions are answered in the records: nothing is asked", len(requests))
        return {}
    # what brings torch, or the library that asks, comes where it is needed
    if settings["backend"] == "local":
        from instructmining.judge import local as judge_local

        return judge_local.answer(missing, settings, records)
    from instructmining.judge import client as judge_client

    with records.alone():
        missing = _missing(requests, records)
        _log.info("judge: %s", _announced(len(requests), missing, records, settings["calls"]))
        bad = sum(not usable(records.answers[row.key]) for row in requests if row.key in records.answers)
        return judge_client.ask(missing, settings["calls"], records, usable, spare - bad) if missing else {}


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

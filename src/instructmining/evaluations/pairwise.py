"""Evaluation by a judge of two answers (IM section 4.3, CR 4; Zheng et al. 2023): how often this run's is better.

Each pair is judged in both orders. A verdict that both orders do not share is a tie, as in MT-Bench.
"""

import hashlib
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

import polars as pl

from instructmining.data.examples import prompt_text, read_details, read_examples
from instructmining.evaluations import win_rates
from instructmining.evaluations.job import EvaluationJob
from instructmining.jobs.errors import InputError
from instructmining.judge.asking import Reading, benchmark_settings, check_share, judged, may_fail, question
from instructmining.judge.pair_messages import load_pair_prompt, pair_messages, pair_request, read_pair
from instructmining.judge.records import Record, Request
from instructmining.settings import (
    BATCH_TOKENS,
    BENCHMARK_DATASET,
    GENERATION,
    JUDGE_CALLS,
    JUDGE_HERE,
    MIN_SHARE_USED,
    REQUIRED,
    Benchmark,
    Fields,
    anything,
    mapping,
    one_of,
    text,
)

SPEC = Benchmark(
    version=1,
    meaning="answers compared by a judge",
    value="win rate by a judge, ties half",
    needs="questions, and a judge",
    direction="higher_is_better",
    settings={
        "dataset": BENCHMARK_DATASET.but(
            meaning="the questions; otherwise the source stands here", again="its answers"
        ),
        "against": text(
            "reference",
            "a run is {strategy}/{pool}/{size} of the same recipe, or {recipe}/{strategy}/{pool}/{size}",
            pattern="^[a-z0-9_]+(-[0-9]+)?(/[a-z0-9_]+(-[0-9]+)?){0,3}$",
            type_words="`reference`, a strategy, a run",
        ),
        "prompt": text(
            "mt_bench_pair",
            "`mt_bench_pair`, `alpaca_eval`, or a text file of your own",
            again="its evaluations; new verdicts",
            type_words="a name or a file",
        ),
        "judge": mapping(
            Fields(
                {
                    "backend": one_of(
                        ["api", "local"], "api", "an endpoint of OpenAI's API shape, or a model on this machine"
                    ),
                    "model": text(REQUIRED, "what the endpoint calls it, or a model as elsewhere"),
                    "request": anything(
                        {"type": "object"},
                        "mapping",
                        {},
                        "what is sent with model and messages, and replaces what the prompt was published with; "
                        "null removes a key",
                    ),
                    **JUDGE_CALLS,
                    **JUDGE_HERE,
                },
                again="its evaluations; new verdicts",
                title="benchmarks: judge",
            ),
            REQUIRED,
            "who judges: see below",
        ),
        "generation": GENERATION,
        "min_share_used": MIN_SHARE_USED.but(meaning="a smaller share of items with a verdict is an error"),
        "batch_tokens": BATCH_TOKENS.but(
            meaning="tokens of prompts and answers in a batch; halved when memory runs out"
        ),
    },
    items_format="questions",
    order=5,
)


UNIT = "share of items won, ties half"
_OUTCOMES = {"wins": "win", "ties": "tie", "losses": "lose"}


class Item(NamedTuple):
    """One item as it was judged. ``order_1``, ``order_2``: what this run's answer is worth when it stands first and
    when it stands second, 0 to 1; ``value``: their mean, or 1, 0.5, 0 by ``verdict`` where the judge says a verdict."""

    value: float | None
    verdict: str | None
    order_1: float | None
    order_2: float | None
    reason: str | None


def evaluate(job: EvaluationJob, settings: dict[str, Any]) -> tuple[dict[str, Any], pl.DataFrame]:
    """Win rate (0 to 1, higher is better) of the run's answers against those of others.

    Reads ``job.examples``, whose details have a category of each item, or None, and may have AlpacaEval's difficulty;
    ``job.answers`` and ``job.others`` (columns id, response; null: no answer). Of several others one is drawn for each
    item; without any, the items' own outputs are the reference answers. ``settings``: ``runs`` (whose answers the
    others are), prompt, judge (as an indicator's; its request stands over the prompt's), generation (its ``seed``
    draws), batch_tokens, min_share_used. How the judge is called, and where its answers and costs are written, comes
    from ``job`` (`instructmining.judge.asking.benchmark_settings`). Equal answers are a tie, and nobody is asked.

    Figures beside the value: wins, ties and losses with 95 % Wilson intervals, in all and by category; items not used,
    by reason; ``agreement``, the share of judged items in which both orders name the same answer; ``first_place``, of
    all orders that name an answer the share that names the first; the length-controlled win rate; against runs
    ``mean_adjusted``, its points above 50 (CR section 4); mean lengths.

    Raises:
        InputError: as `judged` does; an item has no row among the answers; an item has no reference answer; fewer than
            ``min_share_used`` of the items can be used.
    """
    prompt = load_pair_prompt(settings["prompt"])
    examples, details = read_examples(job.examples), read_details(job.examples)
    ours, theirs = _answers(job, examples, settings)
    place = benchmark_settings({job.benchmark: job.entry}, **job.names)
    judge = {**settings["judge"], **place, "batch_tokens": settings["batch_tokens"]}
    judge["request"] = pair_request(prompt, judge["request"], judge["backend"])
    prompts = [prompt_text(*row) for row in examples.select("instruction", "input").iter_rows()]
    pairs = list(zip(ours, theirs, strict=True))

    def asked(item: int, first: str, second: str) -> Request:
        return question(
            examples["id"][item], pair_messages(prompt, prompts[item], first, second), prompt.version, judge
        )

    both = {
        item: (asked(item, one, other), asked(item, other, one))
        for item, (one, other) in enumerate(pairs)
        if one is not None and other is not None and one != other
    }
    unasked = {item: _unasked(*pair) for item, pair in enumerate(pairs) if item not in both}
    lost = [(one.value, one.reason) for one in unasked.values()]
    share = settings["min_share_used"]
    # before anything is paid for
    check_share([*lost, *[(0.5, None)] * len(both)], share, "items have two answers")

    def read(record: Record) -> Reading[float]:
        return read_pair(record, prompt)

    # two verdicts an item: if more cannot be used, too few items can
    spare = 2 * (may_fail(len(pairs), share) - sum(value is None for value, _ in lost))
    readings = judged([row for rows in both.values() for row in rows], judge, read, spare) if both else {}
    weighted = bool(prompt.choices)
    judgements = [
        unasked[item] if item in unasked else _judgement(*(readings[row.key] for row in both[item]), weighted=weighted)
        for item in range(len(pairs))
    ]
    items = pl.DataFrame(
        {
            "id": examples["id"],
            "value": pl.Series([one.value for one in judgements], dtype=pl.Float64),
            "weight": pl.Series([1.0] * len(pairs), dtype=pl.Float64),
            "category": pl.Series([one.get("category") for one in details], dtype=pl.String),
            "verdict": pl.Series([one.verdict for one in judgements], dtype=pl.String),
            "order_1": pl.Series([one.order_1 for one in judgements], dtype=pl.Float64),
            "order_2": pl.Series([one.order_2 for one in judgements], dtype=pl.Float64),
            "length": pl.Series([None if one is None else len(one) for one, _ in pairs], dtype=pl.Int64),
            "length_other": pl.Series([None if one is None else len(one) for _, one in pairs], dtype=pl.Int64),
            "prompt": pl.Series(prompts, dtype=pl.String),
            "response": pl.Series([one for one, _ in pairs], dtype=pl.String),
            "response_other": pl.Series([one for _, one in pairs], dtype=pl.String),
            "reason": pl.Series([one.reason for one in judgements], dtype=pl.String),
        }
    )
    unused = check_share(
        [(one.value, one.reason) for one in judgements], settings["min_share_used"], "items are judged"
    )
    difficulty = dict(zip(examples["id"], [one.get("difficulty") for one in details], strict=True))
    return {**_figures(items, difficulty, settings["runs"]), "unused": unused}, items


def drawn(ids: Sequence[str], frames: Sequence[pl.DataFrame], seed: int) -> pl.DataFrame:
    """Columns id, response: of each item the answer in a frame drawn for it (CR section 4).

    By hash of seed and id: the order of the items, and what other items there are, draws nothing else. InputError for
    an item that the frame drawn for it does not have.
    """
    places = [int(hashlib.sha256(f"{seed}:{one}".encode()).hexdigest(), 16) % len(frames) for one in ids]
    known = [dict(frame.select("id", "response").iter_rows()) for frame in frames]
    if missing := [one for one, place in zip(ids, places, strict=True) if one not in known[place]]:
        raise InputError(f"generations: {len(missing)} of {len(ids)} items are not in them, first {missing[0]!r}")
    responses = [known[place][one] for one, place in zip(ids, places, strict=True)]
    return pl.DataFrame({"id": ids, "response": responses}, schema={"id": pl.String, "response": pl.String})


def reference_answers(examples: pl.DataFrame, where: str) -> pl.DataFrame:
    """Columns id, response: the items' own answers. InputError, naming the file ``where``, if one has none."""
    if rows := examples["output"].eq("").arg_true().to_list():
        raise InputError(
            f"{where}: {len(rows)} of {examples.height} items have no reference answer to compare with, first row "
            f"{examples['row'][rows[0]]}: give one as `output`, or set `against` to a strategy or a run"
        )
    return examples.select("id", response="output")


def _answers(
    job: EvaluationJob, examples: pl.DataFrame, settings: Mapping[str, Any]
) -> tuple[list[str | None], list[str | None]]:
    """The run's answers and those that they are compared with, in the items' order."""
    ids = examples["id"].to_list()
    ours, *others = (pl.read_parquet(path, columns=["id", "response"]) for path in (job.answers, *job.others))
    seed = settings["generation"]["seed"]
    theirs = drawn(ids, others, seed) if others else reference_answers(examples, job.examples)
    return drawn(ids, [ours], seed)["response"].to_list(), theirs["response"].to_list()


def _unasked(ours: str | None, theirs: str | None) -> Item:
    if ours is None or theirs is None:
        whose = "this run" if ours is None else "the other"
        return Item(None, None, None, None, f"no answer of {whose}: its prompt is too long")
    return Item(0.5, "tie", None, None, None)


def _judgement(first: Reading[float], second: Reading[float], *, weighted: bool) -> Item:
    """``first``, ``second``: what the answer in first place is worth in each order, and the reason where unknown."""
    order_1 = first[0]
    order_2 = None if second[0] is None else 1 - second[0]
    if order_1 is None or order_2 is None:
        return Item(None, None, order_1, order_2, first[1] or second[1])
    verdict = "tie"
    if (order_1 > 0.5) == (order_2 > 0.5) and 0.5 not in (order_1, order_2):
        verdict = "win" if order_1 > 0.5 else "lose"
    agreed = {"win": 1.0, "tie": 0.5, "lose": 0.0}[verdict]
    return Item((order_1 + order_2) / 2 if weighted else agreed, verdict, order_1, order_2, None)


def _figures(items: pl.DataFrame, difficulty: Mapping[str, float | None], runs: Sequence[str]) -> dict[str, Any]:
    used = items.drop_nulls("value")
    asked = used.drop_nulls("order_1")
    orders = [*asked["order_1"], *(1 - value for value in asked["order_2"])]
    named = [value > 0.5 for value in orders if value != 0.5]
    same = asked.filter(pl.col("verdict") != "tie").height
    # AlpacaEval's difficulty is that of beating its reference answers
    hard = [known for one in used["id"] if (known := difficulty[one]) is not None]
    value, length, other = (used[name].to_list() for name in ("value", "length", "length_other"))
    whole = not runs and len(hard) == used.height
    controlled = win_rates.length_controlled(value, length, other, hard if whole else None)
    adjusted = {"mean_adjusted": win_rates.mean_adjusted(controlled.value)} if runs and controlled.value else {}
    categories = items["category"].drop_nulls().unique(maintain_order=True)
    return {
        "value": win_rates.raw(used["value"].to_list()),
        "n_used": used.height,
        "n_expected": items.height,
        "unit": UNIT,
        "direction": SPEC.direction,
        **_outcomes(used),
        "by_category": {name: _category(used.filter(category=name)) for name in categories},
        "identical": used.height - asked.height,
        "agreement": same / asked.height if asked.height else None,
        "first_place": fmean(named) if named else None,
        "length_controlled": {
            "value": controlled.value,
            "interval": list(controlled.interval) if controlled.interval else None,
            "reason": controlled.reason,
        },
        **adjusted,
        "mean_length": fmean(used["length"]),
        "mean_length_other": fmean(used["length_other"]),
    }


def _category(used: pl.DataFrame) -> dict[str, Any]:
    value = win_rates.raw(used["value"].to_list()) if used.height else None
    return {"value": value, "n_used": used.height, **_outcomes(used)}


def _outcomes(used: pl.DataFrame) -> dict[str, dict[str, Any]]:
    from statsmodels.stats.proportion import proportion_confint

    found = {}
    for name, verdict in _OUTCOMES.items():
        count, share, interval = used.filter(verdict=verdict).height, None, None
        if used.height:
            share = count / used.height
            interval = [float(bound) for bound in proportion_confint(count, used.height, method="wilson")]
        found[name] = {"count": count, "share": share, "interval": interval}
    return found

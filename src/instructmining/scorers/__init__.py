"""The registry of scorers: what each computes, in which unit and direction, and its version.

A scorer is a module of this package with ``score(parts, settings)``, a generator: from frames with the columns of
examples.parquet it makes as many frames, so that memory does not grow with the dataset. ``settings`` is the config
entry with its defaults, plus ``model_path`` (a folder or hub id), ``preference_head_path``, ``outputs``
({output: column}) and ``rows``, how many there are in all. A frame has ``id``, one nullable float64 column named after
each output asked for, ``truncated`` (bool: the text was cut) and ``reason`` (why a value is null, else null), in the
order of its part. Those of ``BY_NEIGHBOURS`` read embeddings instead, of as many examples as are compared.
Nothing here imports torch, nor polars when it is read: every job of a cluster reads the config and the DAG anew.
"""

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from instructmining.jobs import versions
from instructmining.jobs.errors import InputError
from instructmining.judge.settings import CALL_KEYS

if TYPE_CHECKING:
    import polars as pl


class Output(NamedTuple):
    """One number for one example."""

    unit: str
    direction: str
    description: str


_YES = "probability of Yes against No"
_QUESTIONS = {
    "naturalness": "is this a natural response in the dialogue?",
    "coherence": "is this a coherent response given the dialogue history?",
    "understandability": "is this an understandable response in the dialogue?",
    "engagingness": "is this an engaging and informative response according to the dialogue history and fact?",
    "groundedness": "is this response consistent with knowledge in the fact?",
}


def _judged(*names: str) -> dict[str, Output]:
    return {name: Output("probability", "higher is better", f"{_YES}: {_QUESTIONS[name]}") for name in names}


OUTPUTS: dict[str, dict[str, Output]] = {
    "lengths": {
        "input_length": Output("tokens", "higher is longer", "tokens of instruction and input"),
        "output_length": Output("tokens", "higher is longer", "tokens of the response"),
    },
    "mtld": {
        "mtld": Output("words per factor", "higher is more diverse", "lexical diversity of the response"),
    },
    "knn": {
        "distance": Output(
            "Euclidean distance on unit-norm embeddings",
            "higher is farther from the other examples",
            "distance to the i-th nearest neighbour, itself excluded",
        ),
    },
    "causal": {
        "perplexity": Output(
            "perplexity", "lower is more likely under the model", "exp(mean NLL of the response tokens)"
        ),
        "ifd": Output(
            "ratio of mean NLLs",
            "higher is harder to follow; above 1 the instruction does not help",
            "instruction-following difficulty: NLL of the response given the prompt over NLL given the response marker",
        ),
        "ifd_perplexity": Output(
            "ratio of perplexities",
            "higher is harder to follow; above 1 the instruction does not help",
            "instruction-following difficulty: perplexity of the response given the prompt over that of it alone",
        ),
        **_judged("naturalness", "coherence", "understandability"),
        "reward": Output("log-odds", "higher is better", "preference head on a middle layer's hidden states"),
    },
    "reward": {
        "reward": Output("logit", "higher is better", "raw output of the reward model"),
    },
    "unieval": {
        **_judged(*_QUESTIONS),
        "engagingness": Output(
            "sum of probabilities", "higher is better", f"{_YES}, of each sentence: {_QUESTIONS['engagingness']}"
        ),
    },
    "expected_score": {
        "score": Output("points", "higher is more of what the prompt asks for", "mean of the scores a judge may give"),
    },
    "judge": {
        "score": Output("points", "higher is better", "score that an LLM judge gives the response"),
    },
}

# Scorers whose value for one example depends on others: one file for all that are compared.
BY_NEIGHBOURS = frozenset({"knn"})
ONE_SHARD = "000-of-001"

_NOT_IN_PROVENANCE = {
    *("scorer", "model", "revision", "model_record", "model_path", "preference_head_path", "outputs"),
    *("device", "threads", "batch_tokens", "gpus", "token_cache", "work", "precision"),
    *("calls", "answers", "costs"),
}


def load(name: str) -> Any:
    """The scorer's module, imported now (torch comes with most of them). InputError if there is no such scorer."""
    if name not in OUTPUTS:
        raise InputError(f"scorer {name!r}: expected one of {', '.join(OUTPUTS)}")
    return importlib.import_module(f"instructmining.scorers.{name}")


def output_columns(entry: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """{output: column} of a config entry: its ``outputs``, or its only output under the entry's own name."""
    known = OUTPUTS[settings["scorer"]]
    asked: dict[str, str] = settings.get("outputs") or {}
    if not asked and len(known) == 1:
        asked = {next(iter(known)): entry}
    if not asked or not set(asked) <= set(known):
        raise InputError(f"indicators.{entry}.outputs: expected some of {', '.join(known)}")
    return dict(asked)


def judge_settings(entries: Mapping[str, Any], dataset: str, entry: str, shard: str) -> dict[str, Any]:
    """What a judge's job is told beside its params: how to ask, and where answers and costs are written.

    It keeps no scored rows for a job after it (``work``): its answers are recorded.
    """
    return {
        "calls": {key: entries[entry].get(key) for key in CALL_KEYS},
        "answers": [entry, f"{dataset}-{shard}"],
        "costs": f"results/costs/judge/{dataset}/{entry}/{shard}.json",
        "work": None,
    }


def check(frame: "pl.DataFrame", columns: Iterable[str], where: str, minimum_rows: int = 8) -> dict[str, Any]:
    """Refuse the marks of a broken scorer: NaN or infinity, and a value that never changes or is never there.

    ``where`` names the file in the message. Fewer than ``minimum_rows`` rows may be constant.
    Returns {"rows", "truncated", "null": {column: rows}} for the provenance.
    """
    nulls = {}
    for column in columns:
        values = frame[column]
        nulls[column] = values.null_count()
        known = values.drop_nulls()
        if not known.is_finite().all():
            row = values.fill_null(0.0).is_finite().not_().arg_true()[0]
            raise InputError(
                f"{where}: indicator {column} is {values[row]} in row {row} (id {frame['id'][row]}): "
                "expected a finite number or null"
            )
        broken = "the model or its parser is broken"
        if frame.height >= minimum_rows and known.is_empty():
            reasons = ", ".join(frame["reason"].drop_nulls().unique().sort().to_list()) or "no reason given"
            raise InputError(f"{where}: indicator {column} is null on all {frame.height} rows ({reasons}): {broken}")
        if known.len() >= minimum_rows and known.n_unique() == 1:
            raise InputError(f"{where}: indicator {column} is {known[0]} on all {known.len()} rows: {broken}")
    return {"rows": frame.height, "truncated": int(frame["truncated"].sum()), "null": nulls}


def provenance(settings: Mapping[str, Any], counts: Mapping[str, Any]) -> dict[str, Any]:
    """What a shard's values depend on, with their units and directions. No path of this machine.

    ``settings["model_record"]`` is what the model is, for the record: {"model", "revision"}.
    """
    name = settings["scorer"]
    found: dict[str, Any] = {"scorer": name, "version": versions.SCORERS[name]}
    found |= settings.get("model_record", {})
    if "precision" in settings:
        found["dtype"] = settings["precision"]
    found["settings"] = {key: settings[key] for key in sorted(set(settings) - _NOT_IN_PROVENANCE)}
    outputs = {column: OUTPUTS[name][output] for output, column in settings["outputs"].items()}
    found["units"] = {column: output.unit for column, output in outputs.items()}
    found["directions"] = {column: output.direction for column, output in outputs.items()}
    return {**found, **counts}


def totals(paths: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Counts of each entry over its shards .../{entry}/{shard}.parquet: rows, truncated, null by column."""
    from instructmining.jobs.files import read_provenance

    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        counts = read_provenance(path)
        entry = found.setdefault(Path(path).parent.name, {"rows": 0, "truncated": 0, "null": {}})
        entry["rows"] += counts["rows"]
        entry["truncated"] += counts["truncated"]
        for column, rows in counts["null"].items():
            entry["null"][column] = entry["null"].get(column, 0) + rows
    return found

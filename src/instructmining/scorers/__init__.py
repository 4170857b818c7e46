"""Scorers: what computes indicators, one module a scorer, found by its `SPEC`.

A scorer is a module of this package with ``score(parts, settings)``, a generator: from frames with the columns of
examples.parquet it makes as many frames, so that memory does not grow with the dataset. ``settings`` is the config
entry with its defaults, plus ``model_path`` (a folder or hub id), ``preference_head_path``, ``outputs``
({output: column}) and ``rows``, how many there are in all. A frame has ``id``, one nullable float64 column named after
each output asked for, ``truncated`` (bool: the text was cut) and ``reason`` (why a value is null, else null), in the
order of its part. A scorer that compares examples reads embeddings instead, of all examples that are compared.
Nothing here imports torch, nor polars when it is read: every job of a cluster reads the config and the DAG again.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructmining.jobs import paths
from instructmining.jobs.errors import InputError
from instructmining.judge.settings import CALL_KEYS
from instructmining.settings import Output, Scorer, discovery, versions

if TYPE_CHECKING:
    import polars as pl


# a scorer that compares all examples makes one file for them
ONE_SHARD = "000-of-001"

_NOT_IN_PROVENANCE = {
    *("scorer", "model", "revision", "model_record", "model_path", "preference_head_path", "outputs"),
    *("device", "threads", "batch_tokens", "gpus", "token_cache", "work", "precision"),
    *("calls", "answers", "costs"),
}


def load(name: str) -> Any:
    """The scorer's module, imported now (torch comes with most of them). InputError if there is no such scorer."""
    return discovery.load("scorers", name, "scorer")


def outputs_of(scorer: str) -> Mapping[str, Output]:
    """Output -> unit, direction and description. InputError if there is no such scorer."""
    spec: Scorer = discovery.spec_of("scorers", scorer, "scorer")
    return spec.outputs


def compares_examples(scorer: str) -> bool:
    """Whether a scorer's value for one example depends on others."""
    spec: Scorer = discovery.spec_of("scorers", scorer, "scorer")
    return spec.compares_examples


def output_columns(entry: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """{output: column} of a config entry: its ``outputs``, or its only output under the entry's own name."""
    known = outputs_of(settings["scorer"])
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
        "costs": paths.JUDGE_COST.format(dataset=dataset, entry=entry, shard=shard),
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
    outputs = {column: outputs_of(name)[output] for output, column in settings["outputs"].items()}
    found["units"] = {column: output.unit for column, output in outputs.items()}
    found["directions"] = {column: output.direction for column, output in outputs.items()}
    return {**found, **counts}


def totals(paths: Iterable[str | Path]) -> dict[str, dict[str, Any]]:
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

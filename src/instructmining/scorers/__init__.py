"""Scorers compute indicators; each module with a `SPEC` in this package is one scorer.

A scorer's module has a generator ``score(parts, settings)``. It takes frames with the columns of examples.parquet and
yields one frame for each, so that memory does not grow with the dataset. ``settings`` is the config entry with its
defaults, plus ``model_path`` (a folder or hub id), ``preference_head_path``, ``outputs`` ({output: column}) and
``rows`` (the number of rows in all frames). A yielded frame has ``id``, one nullable float64 column for each requested
output, ``truncated`` (bool: the text was cut) and ``reason`` (why a value is null; null if none is), with the rows in
the order of the given frame. A scorer that compares examples takes the embeddings of all compared examples instead.
This module imports neither torch nor polars, because every job of a cluster reads the config and the DAG again.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructmining.jobs import paths
from instructmining.jobs.errors import InputError
from instructmining.settings import JUDGE_CALLS, Output, Scorer, discovery, versions

if TYPE_CHECKING:
    import polars as pl


# the shard of a scorer that compares all examples: it writes one file
ONE_SHARD = "000-of-001"

_NOT_IN_PROVENANCE = {
    *("scorer", "model", "revision", "model_record", "model_path", "preference_head_path", "outputs"),
    *("device", "threads", "batch_tokens", "gpus", "token_cache", "work", "precision"),
    *("calls", "answers", "costs"),
}


def load(name: str) -> Any:
    """Import and return the scorer's module; most of these modules import torch.

    Raises:
        InputError: there is no such scorer.
    """
    return discovery.load("scorers", name, "scorer")


def outputs_of(scorer: str) -> Mapping[str, Output]:
    """The scorer's outputs: name -> unit, direction and description.

    Raises:
        InputError: there is no such scorer.
    """
    spec: Scorer = discovery.spec_of("scorers", scorer, "scorer")
    return spec.outputs


def compares_examples(scorer: str) -> bool:
    """Whether a scorer's value for one example depends on other examples.

    Raises:
        InputError: there is no such scorer.
    """
    spec: Scorer = discovery.spec_of("scorers", scorer, "scorer")
    return spec.compares_examples


def output_columns(entry: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """{output: column} of a config entry: its ``outputs``, or its only output under the entry's own name.

    Raises:
        InputError: the entry asks for an output that its scorer does not have, or for none where there are several.
    """
    known = outputs_of(settings["scorer"])
    asked: dict[str, str] = settings.get("outputs") or {}
    if not asked and len(known) == 1:
        asked = {next(iter(known)): entry}
    if not asked or not set(asked) <= set(known):
        raise InputError(f"indicators.{entry}.outputs: expected some of {', '.join(known)}")
    return dict(asked)


def judge_settings(entries: Mapping[str, Any], dataset: str, entry: str, shard: str, pool: str = "") -> dict[str, Any]:
    """The settings that a judge's job needs besides its params: how to ask, and where to write answers and costs.

    Empty for an entry without a judge. ``work`` is None: the job keeps no scored rows for a later job, because every
    answer is recorded.
    """
    if entries[entry]["scorer"] != "judge":
        return {}
    return {
        "calls": {key: entries[entry].get(key) for key in JUDGE_CALLS},
        "answers": [entry, f"{dataset}-{shard}"],
        "costs": paths.JUDGE_COST.format(dataset=dataset, entry=entry, shard=shard),
        "work": None,
    }


def check(frame: "pl.DataFrame", columns: Iterable[str], where: str, minimum_rows: int = 8) -> dict[str, Any]:
    """Check the scores for signs of a broken scorer, and count them.

    Args:
        frame: the scored rows: ``id``, ``columns``, ``truncated``, ``reason``.
        columns: the indicator columns to check.
        where: the name of the file, for the message.
        minimum_rows: fewer rows than this may all have the same value, or none.

    Returns:
        {"rows", "truncated", "null": {column: rows}} for the provenance.

    Raises:
        InputError: a value is NaN or infinite, all values of a column are equal, or all are null.
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
    """What a shard's values depend on, with their units and directions. It holds no path of this machine.

    ``settings["model_record"]`` says which model it is: {"model", "revision"}.
    """
    name = settings["scorer"]
    record: dict[str, Any] = {"scorer": name, "version": versions.SCORERS[name]}
    record |= settings.get("model_record", {})
    if "precision" in settings:
        record["dtype"] = settings["precision"]
    record["settings"] = {key: settings[key] for key in sorted(set(settings) - _NOT_IN_PROVENANCE)}
    outputs = {column: outputs_of(name)[output] for output, column in settings["outputs"].items()}
    record["units"] = {column: output.unit for column, output in outputs.items()}
    record["directions"] = {column: output.direction for column, output in outputs.items()}
    return {**record, **counts}


def totals(paths: Iterable[str | Path]) -> dict[str, dict[str, Any]]:
    """Entry -> its counts, summed over its shards .../{entry}/{shard}.parquet: rows, truncated, null by column."""
    from instructmining.jobs.files import read_provenance

    counts_by_entry: dict[str, dict[str, Any]] = {}
    for path in paths:
        counts = read_provenance(path)
        entry = counts_by_entry.setdefault(Path(path).parent.name, {"rows": 0, "truncated": 0, "null": {}})
        entry["rows"] += counts["rows"]
        entry["truncated"] += counts["truncated"]
        for column, rows in counts["null"].items():
            entry["null"][column] = entry["null"].get(column, 0) + rows
    return counts_by_entry

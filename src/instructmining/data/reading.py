"""Reading a dataset: rows of a source become canonical examples; each row left out has a reason."""

import hashlib
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from instructmining.data import formats, item_formats
from instructmining.data.examples import DETAILS, EXAMPLE_SCHEMA, canonical, example_id, folded_prompt, prompt_text
from instructmining.data.formats import Reject, Triple
from instructmining.data.item_formats import ITEM_FORMATS
from instructmining.data.ngrams import Index
from instructmining.data.sources import Malformed, read_rows
from instructmining.jobs import files
from instructmining.jobs.errors import InputError
from instructmining.settings.versions import DATASETS

# Rows left out for these reasons are sound: they are no sign of a broken source or of a wrong format.
SOUND = {"duplicate", "excluded_pattern", "excluded_prompt", "excluded_ngram", "deleted"}
SURROGATE = re.compile("[\ud800-\udfff]")
BATCH = 100_000
_SAMPLED_SCHEMA = pl.Schema([*EXAMPLE_SCHEMA.items(), (DETAILS, pl.String()), ("draw", pl.UInt64())])

_log = logging.getLogger("instructmining")


def read_dataset(
    dataset: str,
    settings: dict[str, Any],
    archive: str | Path | None = None,
    excluded_prompts: Iterable[str] = (),
    excluded_ngrams: Index | None = None,
) -> tuple[pl.DataFrame, list[dict[str, Any]], dict[str, Any]]:
    """Examples (columns ``EXAMPLE_SCHEMA``, in source order), rejected rows, and a summary.

    Of ``ITEM_FORMATS`` the examples have ``details`` as well, and may have no output.
    ``settings`` is the dataset's validated config. ``archive`` is the package archive of a packaged source.
    ``excluded_prompts`` are folded prompts (``examples.prompts_of``), ``excluded_ngrams`` an index of texts with which
    no example may share an n-gram. A rejected row is ``{row, reason, data}``.
    Reasons are those of ``sources`` and ``formats``, and ``empty_instruction``, ``empty_output``, ``nul_byte``,
    ``lone_surrogate`` (also: not UTF-8), ``duplicate``, ``excluded_pattern``, ``excluded_prompt``, ``excluded_ngram``.

    Raises InputError if the source cannot be read, if more than ``max_bad_share`` of its rows are bad, or if no
    example is left.
    """
    start, stop = settings.get("rows") or (0, None)
    pattern = _pattern(settings.get("exclude_pattern"))
    excluded = frozenset(excluded_prompts)
    limit, seed = settings.get("limit"), settings.get("seed") or 0
    kept, batch, usable = _SAMPLED_SCHEMA.to_frame(), list[tuple[Any, ...]](), 0
    rejected: list[dict[str, Any]] = []
    notes: Counter[str] = Counter()
    seen: set[str] = set()
    rows_read = outside = bad_rows = 0
    began = time.monotonic()
    for number, row in read_rows(settings, archive):
        if number < start or (stop is not None and number >= stop):
            outside += 1
            continue
        rows_read += 1
        triples, reasons, details = _usable(row, settings, notes)
        place = 0
        for instruction, input, output in triples:
            name = example_id(instruction, input, output)
            if reason := _exclusion(name, (instruction, input, output), seen, pattern, excluded, excluded_ngrams):
                reasons.append(reason)
                continue
            seen.add(name)
            draw = _draw(number, place, seed) if limit else 0
            batch.append((name, instruction, input, output, dataset, number, details, draw))
            place += 1
        usable += place
        data = row.data if isinstance(row, Malformed) else row
        rejected += [{"row": number, "reason": reason, "data": data} for reason in reasons]
        bad_rows += any(reason not in SOUND for reason in reasons)
        if rows_read % BATCH == 0:
            _log.info("%d rows, %.0f a second", rows_read, rows_read / (time.monotonic() - began))
            kept, batch = _sample(kept, batch, limit), []
    kept = _sample(kept, batch, limit).drop("draw", *([] if settings["format"] in ITEM_FORMATS else [DETAILS]))
    bad_share = bad_rows / rows_read if rows_read else 0.0
    _check(settings, usable, rows_read, bad_share, rejected)
    reasons_found = Counter(entry["reason"] for entry in rejected)
    summary = {
        "dataset": dataset,
        "source": source_name(settings),
        "revision": _revision(settings),
        "sha256": _sha256(settings, archive),
        "format": settings["format"],
        "licence": settings.get("licence"),
        "origin": settings.get("origin"),
        "rows": settings.get("rows"),
        "outside_rows": outside,
        "rows_read": rows_read,
        "kept": len(kept),
        "not_sampled": usable - len(kept),
        "duplicates": reasons_found["duplicate"],
        "rejected": dict(sorted(reasons_found.items())),
        "bad_share": bad_share,
        "notes": {name: count for name, count in sorted(notes.items()) if count},
    }
    _log.info("%s: %d rows read, %d examples kept, %s", dataset, rows_read, len(kept), summary["rejected"])
    return kept, rejected, summary


def provenance(summary: dict[str, Any]) -> dict[str, Any]:
    """What goes into the examples file: where they come from. Not the licence: correcting it changes no example."""
    return {key: summary[key] for key in ("source", "revision", "sha256", "format")} | {"version": DATASETS}


def write_rejected(path: str | Path, rejected: Iterable[dict[str, Any]]) -> None:
    """Write rejected rows as JSON lines, in ASCII so that broken text survives.

    What JSON does not know (the dates and bytes of a Parquet file) is written as text.
    """
    with files.replacing(path) as temporary, temporary.open("w", encoding="ascii") as file:
        file.writelines(json.dumps(entry, default=str) + "\n" for entry in rejected)


def source_name(settings: dict[str, Any]) -> str:
    """``path`` as given, ``hub@revision``, or ``package==version: file``."""
    if settings.get("hub"):
        return f"{settings['hub']}@{settings['revision']}"
    if settings.get("package"):
        return f"{settings['package']}=={settings['version']}: {settings['file']}"
    return str(settings["path"])


def _usable(row: Any, settings: dict[str, Any], notes: Counter[str]) -> tuple[list[Triple], list[str], str | None]:
    """Canonical triples of a row, the reason for each that is unusable, and details (JSON) where the format has any."""
    if isinstance(row, Malformed):
        return [], [row.reason], None
    details, found_notes = None, Counter[str]()
    needs_output = settings["format"] not in ITEM_FORMATS
    try:
        if needs_output:
            found, found_notes = formats.parse(row, settings)
        else:
            triple, said = item_formats.parse(row, settings)
            found, details = [triple], json.dumps(said, ensure_ascii=False)
    except Reject as reject:
        return [], [str(reject)], None
    triples: list[Triple] = []
    reasons: list[str] = []
    for instruction, input, output in found:
        triple = canonical(instruction), canonical(input), canonical(output)
        if reason := _fault(triple, needs_output, details or ""):
            reasons.append(reason)
        else:
            triples.append(triple)
    if triples:
        notes.update(found_notes)
    return triples, reasons, details


def _fault(triple: Triple, needs_output: bool, details: str) -> str | None:
    text = "".join(triple) + details
    if "\0" in text:
        return "nul_byte"
    if SURROGATE.search(text):
        return "lone_surrogate"
    instruction, _, output = triple
    if not instruction:
        return "empty_instruction"
    return None if output or not needs_output else "empty_output"


def _exclusion(
    name: str,
    triple: Triple,
    seen: set[str],
    pattern: re.Pattern[str] | None,
    excluded: frozenset[str],
    ngrams: Index | None,
) -> str | None:
    if name in seen:
        return "duplicate"
    if pattern and any(pattern.search(text) for text in triple):
        return "excluded_pattern"
    if excluded and folded_prompt(triple[0], triple[1]) in excluded:
        return "excluded_prompt"
    if ngrams and ngrams.shared([f"{prompt_text(triple[0], triple[1])}\n{triple[2]}"]):
        return "excluded_ngram"
    return None


def _pattern(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise InputError(f"exclude_pattern {pattern!r}: not a regular expression: {error}") from error


def _check(
    settings: dict[str, Any], kept: int, rows_read: int, bad_share: float, rejected: list[dict[str, Any]]
) -> None:
    source, limit = source_name(settings), settings["max_bad_share"]
    bad = [entry for entry in rejected if entry["reason"] not in SOUND]
    if bad_share > limit:
        first = ", ".join(f"row {entry['row']} {entry['reason']}" for entry in bad[:3])
        raise InputError(
            f"{source}: {bad_share:.1%} of {rows_read} rows cannot be read as {settings['format']}, "
            f"max_bad_share is {limit:.1%}: {first}{', …' if len(bad) > 3 else ''}"
        )
    if not kept:
        reasons = ", ".join(f"{n} {reason}" for reason, n in Counter(e["reason"] for e in rejected).items())
        raise InputError(f"{source}: no example left of {rows_read} rows read ({reasons or 'nothing rejected'})")


def _sample(kept: pl.DataFrame, batch: list[tuple[Any, ...]], limit: int | None) -> pl.DataFrame:
    """``kept`` and ``batch``, in source order: all, or those with the ``limit`` smallest draws.

    A uniform random sample without replacement; what leaves it once would never have come back, so a source of any
    length needs memory for a batch and the sample.
    """
    frame = pl.concat([kept, pl.DataFrame(batch, _SAMPLED_SCHEMA, orient="row")])
    if limit is None or frame.height <= limit:
        return frame
    return frame[frame["draw"].arg_sort()[:limit].sort()]


def _draw(row: int, place: int, seed: int) -> int:
    """A keyed hash of the ``place``-th example of a source row.

    It depends on these numbers alone, so both sides of preference pairs sample the same rows, and a source that
    grows keeps most of its sample.
    """
    key = seed.to_bytes(8, "little", signed=True)
    return int.from_bytes(hashlib.blake2b(f"{row}:{place}".encode(), digest_size=8, key=key).digest(), "big")


def _revision(settings: dict[str, Any]) -> str | None:
    if settings.get("hub"):
        return "unpinned" if settings["revision"] == "main" else settings["revision"]
    return settings["version"] if settings.get("package") else None


def _sha256(settings: dict[str, Any], archive: str | Path | None) -> str | None:
    """Of the archive, of the file, or of a folder's names and hashes; the hub has only its revision."""
    if settings.get("hub"):
        return None
    path = Path(archive) if settings.get("package") and archive else Path(settings["path"])
    if path.is_file():
        return files.sha256(path)
    # `datasets` leaves caches of its own in the folder when somebody maps over it
    inside = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("cache-"))
    listing = "".join(f"{file.relative_to(path).as_posix()}\0{files.sha256(file)}\n" for file in inside)
    return hashlib.sha256(listing.encode()).hexdigest()

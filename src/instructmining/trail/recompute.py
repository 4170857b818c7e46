"""Results of a study computed again from the files they were made from, by the functions that made them.

``COMPUTED`` has them by the patterns of their rules' outputs, ``BY_CHECKSUM`` every other output and why it has no
function. Which files a result was made from is said by the crate. No model is read.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import polars as pl
from polars.exceptions import PolarsError

from instructmining.jobs.files import read_json
from instructmining.trail.archive import TEXTS, left_out
from instructmining.trail.differences import Difference, of_csv, of_data, of_frames
from instructmining.trail.recompute_data import DATA
from instructmining.trail.recompute_quality_rules import QUALITY_RULES
from instructmining.trail.recompute_tables import TABLES
from instructmining.trail.study import Absent, Computed, InPart, Study, without_provenance

# where two patterns match, the first is meant
COMPUTED: Computed = {**DATA, **QUALITY_RULES, **TABLES}
# and what lies below them
BY_CHECKSUM = {
    "results/answers": "what a judge was asked and answered",
    "results/batches": "runs in one folder, taken into their own",
    "results/costs": "what a job measured",
    "results/datasets": "read from a dataset's source",
    "results/embeddings": "what a model computed",
    "results/evaluations/{recipe}/{subset}/{benchmark}.items.parquet": "what a model gave",
    "results/figures": "drawn from the tables",
    "results/generations": "what a model gave",
    "results/indicators/{reference_set}/{entry}/{shard}.parquet": "what a scorer gave",
    "results/jobs": "with what a job ran",
    "results/models": "read from a model's source",
    "results/packages": "fetched",
    "results/preference_heads": "fitted on what a model gave",
    "results/report.html": "drawn from the tables",
    "results/runs": "what training gave, and a card of it",
    "results/surroundings": "software and machine of jobs",
    "CITATION.cff": "the software's",
    "README.md": "words",
    "config.json": "the study's own",
    "requirements.lock": "the software's",
}
UNKNOWN = "no function computes it"
# a file that was changed may be no input at all to the function that made the result
_UNUSABLE = (ArithmeticError, AttributeError, LookupError, OSError, PolarsError, TypeError, ValueError)
# as in rules/common.smk, as far as patterns are told apart by them; else anything but a /
_WILDCARDS = {"comparison": "[a-z0-9_]+", "subset": ".+", "reference_set": ".+"}


class Recomputed(NamedTuple):
    """What differs, the files that were computed again, and why others were not, or not wholly."""

    differences: list[Difference]
    computed: set[str]
    left: dict[str, str]


def recompute(study: Study) -> Recomputed:
    """Everything that ``COMPUTED`` knows of the files of an archive."""
    found = Recomputed([], set(), {})
    for patterns, compute in COMPUTED.items():
        for names in _made(study, patterns):
            files = [pattern.format(**names) for pattern in patterns]
            try:
                for file, expected in zip(files, compute(study, files[0], *names.values()), strict=True):
                    if file in study.files and expected is not None:
                        found.differences.extend(_differences(study, file, expected))
                        found.computed.add(file)
                        if isinstance(expected, InPart):
                            found.left[file] = f"{expected.as_found} as found: {_needs(expected.names)}"
            except Absent as absent:
                found.left.update({file: _needs(absent.names) for file in files if file in study.files})
            except _UNUSABLE as error:
                what = f"{type(error).__name__}: {error}".splitlines()[0].replace(f"{study.folder}/", "")
                found.differences.append(Difference(files[0], "a result that can be computed again", what))
                failed = study.files.intersection(files) - found.computed
                found.left.update(dict.fromkeys(failed, "could not be: see what differs"))
    for file in sorted(study.files - found.computed - set(found.left)):
        found.left[file] = why_by_checksum(file)
    return found


def why_by_checksum(file: str) -> str:
    """Why a file, or a rule's output, is not computed again; ``UNKNOWN`` where nobody has said it."""
    for pattern, reason in BY_CHECKSUM.items():
        if _regex(pattern).fullmatch(file) or file.startswith(f"{pattern}/"):
            return reason
    return UNKNOWN


def _made(study: Study, patterns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """What the wildcards of ``patterns`` stand for, for every job with a file in the archive."""
    known = set[tuple[str, ...]]()
    for file in sorted(study.files):
        for pattern in patterns:
            match = _regex(pattern).fullmatch(file)
            if match and pattern_of(file) == pattern and tuple(match.groupdict().values()) not in known:
                known.add(tuple(match.groupdict().values()))
                yield match.groupdict()


def pattern_of(file: str) -> str | None:
    """The pattern of ``COMPUTED`` that is meant by a file's name."""
    patterns = (pattern for several in COMPUTED for pattern in several)
    return next((pattern for pattern in patterns if _regex(pattern).fullmatch(file)), None)


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    named = [f"(?P<{name}>{_WILDCARDS.get(name, '[^/]+')})" for name in parts[1::2]]
    return re.compile("".join(map("".join, zip(map(re.escape, parts[::2]), [*named, ""], strict=True))))


def _needs(names: Sequence[str]) -> str:
    name, why = names[0], left_out(names[0], ())
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    how = " (make archive WITH=texts)" if why and left_out(name, [TEXTS]) is None else ""
    return f"needs {name}{more}: {why or 'not in the archive'}{how}"


def _differences(study: Study, file: str, expected: Any) -> Iterator[Difference]:
    path, kind = study.folder / file, file.rpartition(".")[2]
    result: Any = expected.result if isinstance(expected, InPart) else expected
    if kind == "csv":
        yield from of_csv(file, result, path)
    elif kind == "parquet":
        yield from of_frames(file, result, pl.read_parquet(path))
    elif kind == "json":
        yield from of_data(file, without_provenance(result), without_provenance(read_json(path)))
    else:
        yield from of_data(file, result, path.read_text(encoding="utf-8"))

"""What of an entry of a section a job's params hold (`instructmining.settings.params`), by the section's name."""

from collections.abc import Mapping
from typing import Any

from instructmining.config.sections import SECTIONS
from instructmining.settings import Fields
from instructmining.settings.params import as_params, completed


def entry_keys(section: str, entry: Mapping[str, Any]) -> Fields:
    """The keys that an entry of a section can have, by its kind."""
    known = SECTIONS[section]
    if known.fields is not None:
        return known.fields
    if known.kind_key is not None:
        return known.kinds[entry[known.kind_key]].fields
    marks = {next(iter(kind.fields.settings)): kind.fields for kind in known.kinds.values()}
    return next(fields for mark, fields in marks.items() if mark in entry)


def result_params(section: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a checked entry that its results depend on, in the entry's order."""
    return as_params(entry_keys(section, entry), entry)


def complete(section: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """``params``, as a job has them, with every key that `result_params` left out for being as before."""
    return completed(entry_keys(section, params), params)

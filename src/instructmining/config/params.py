"""What of an entry a job's params hold: what its result depends on, and no more.

Snakemake runs a job again when its params have changed. So a key that changes no result is left out, and so is a key
that is newer than finished studies, as long as it has the value at which everything is as it was before
(`Setting.same_as_before`): a new key runs nothing again.
"""

from collections.abc import Mapping
from typing import Any

from instructmining.config.sections import SECTIONS
from instructmining.settings import ABSENT, Fields


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
    return _params(entry_keys(section, entry), entry)


def complete(section: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """``params``, as a job has them, with every key that `result_params` left out for being as before."""
    return _completed(entry_keys(section, params), params)


def _params(fields: Fields, entry: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in entry.items():
        setting = fields.settings.get(key)
        if setting is None:
            found[key] = value
        elif setting.is_param and (setting.same_as_before is ABSENT or value != setting.same_as_before):
            inner = setting.fields is not None and isinstance(value, Mapping)
            found[key] = _params(setting.fields, value) if inner and setting.fields is not None else value
    return found


def _completed(fields: Fields, params: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(params)
    for key, setting in fields.settings.items():
        if key not in found and setting.same_as_before is not ABSENT:
            found[key] = setting.same_as_before
        elif setting.fields is not None and isinstance(found.get(key), Mapping):
            found[key] = _completed(setting.fields, found[key])
    return found

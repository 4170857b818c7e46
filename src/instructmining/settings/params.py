"""What of an entry a job's params hold: what its result depends on, and no more.

Snakemake runs a job again when its params have changed. So a key that changes no result is left out, and so is a key
that is newer than finished studies, as long as it has the value at which everything is as it was before
(`Setting.same_as_before`): a new key runs nothing again, and is not in the provenance either.
"""

from collections.abc import Mapping
from typing import Any

from instructmining.settings.setting import ABSENT, Fields


def as_params(fields: Fields, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a checked entry that its results depend on, in the entry's order; keys in mappings too."""
    params = {}
    for key, value in entry.items():
        setting = fields.settings.get(key)
        if setting is None:
            params[key] = value
        elif setting.is_param and (setting.same_as_before is ABSENT or value != setting.same_as_before):
            inner = setting.fields
            params[key] = as_params(inner, value) if inner is not None and isinstance(value, Mapping) else value
    return params


def completed(fields: Fields, params: Mapping[str, Any]) -> dict[str, Any]:
    """``params``, as a job has them, with every key that `as_params` left out for being as before."""
    entry = dict(params)
    for key, setting in fields.settings.items():
        if key not in entry and setting.same_as_before is not ABSENT:
            entry[key] = setting.same_as_before
        elif setting.fields is not None and isinstance(entry.get(key), Mapping):
            entry[key] = completed(setting.fields, entry[key])
    return entry

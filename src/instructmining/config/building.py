"""The JSON schema of the config, built from the sections' settings: the one place that turns a `Setting` into a node.

``x-exactly-one-of`` is ours (see `instructmining.config.schema`): exactly one of these keys must be there.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from instructmining.config.sections import SECTIONS, Section
from instructmining.settings import ABSENT, NAME_PATTERN, REQUIRED, Fields, Setting

Node = dict[str, Any]

# the generations of defaults that a config may ask for with `defaults:`; without it, the first
GENERATIONS = (1, 2)
_NAME: Node = {"type": "string", "pattern": NAME_PATTERN}
_NEVER: Node = {"not": {}}


def generation(raw: Mapping[str, Any]) -> int:
    """Which generation of defaults a config asks for; the first where it asks for none that there is."""
    asked = raw.get("defaults")
    return asked if asked in GENERATIONS else 1


@cache
def config_schema(generation: int = 1) -> Node:
    """The JSON schema (draft 2020-12) of a config whose defaults are those of ``generation``. Not to be changed."""
    properties: Node = {"defaults": {"enum": list(GENERATIONS), "description": "Which generation of defaults holds"}}
    for name, section in SECTIONS.items():
        properties[name] = {"description": section.description, **_section(section, generation)}
        if not section.may_be_absent:
            properties[name]["default"] = [] if section.shape == "list" else {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "instructmining configuration",
        "description": "Every section may be absent; a target that needs a missing one says which.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _section(section: Section, generation: int) -> Node:
    if section.shape == "lists":
        entry: Node = {"type": "array", "minItems": 1, "uniqueItems": True, "items": _NAME}
    else:
        entry = _entry(section, generation)
    if section.shape == "single":
        return entry
    if section.shape == "list":
        return {"type": "array", "items": entry}
    named = {"type": "object", "additionalProperties": False, "patternProperties": {NAME_PATTERN: entry}}
    return {**named, "propertyNames": {"not": {"enum": list(section.reserved)}}} if section.reserved else named


def _entry(section: Section, generation: int) -> Node:
    if section.fields is not None:
        return _fields(section.fields, generation)
    key, kinds = section.kind_key, section.kinds
    if key is None:
        marks = {next(iter(kind.fields.settings)): kind for kind in kinds.values()}
        clauses = [
            {"if": {"required": [mark]}, "then": _fields(kind.fields, generation)} for mark, kind in marks.items()
        ]
        return {"type": "object", "x-exactly-one-of": list(marks), "allOf": clauses}
    return {
        "type": "object",
        "required": [key],
        "properties": {key: {"enum": list(kinds)}},
        "allOf": [
            {
                "if": {"properties": {key: {"const": name}}, "required": [key]},
                "then": _fields(kind.fields, generation, {key: {"type": "string", "description": kind.meaning}}),
            }
            for name, kind in kinds.items()
        ],
    }


def _fields(fields: Fields, generation: int, kind: Mapping[str, Node] | None = None) -> Node:
    """An entry's node; ``kind``: the key that names its kind, which comes first unless the fields hold its place."""
    properties = {} if kind is None or set(kind) & set(fields.settings) else dict(kind)
    for key, setting in fields.settings.items():
        properties[key] = dict(kind[key]) if kind and key in kind else _node(setting, generation)
    required = [
        *(kind or {}),
        *(key for key, setting in fields.settings.items() if setting.default is REQUIRED and not setting.only_with),
    ]
    node: Node = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        node["required"] = required
    if fields.exactly_one_of:
        node["x-exactly-one-of"] = list(fields.exactly_one_of)
    clauses = [
        {"if": {"required": [key]}, "then": {"properties": {other: dict(_NEVER) for other in others}}}
        for key, others in fields.excludes.items()
    ]
    if clauses := [*_clauses(fields, generation), *clauses]:
        node["allOf"] = clauses
    return node


def _node(setting: Setting, generation: int) -> Node:
    """One key's node; the default of a key with a condition stands in that condition."""
    node = dict(setting.node) if setting.fields is None else _fields(setting.fields, generation)
    node["description"] = setting.meaning
    default = setting.default_of(generation)
    if default is not REQUIRED and default is not ABSENT and not setting.only_with:
        node["default"] = default
    return node


def _clauses(fields: Fields, generation: int) -> Iterator[Node]:
    """One if/then/else for all keys that share a condition: their defaults where it holds, none of them elsewhere."""
    conditions: dict[str, tuple[Mapping[str, Any], dict[str, Setting]]] = {}
    for key, setting in fields.settings.items():
        if setting.only_with:
            conditions.setdefault(repr(setting.only_with), (setting.only_with, {}))[1][key] = setting
    for condition, settings in conditions.values():
        defaults = {key: setting.default_of(generation) for key, setting in settings.items()}
        then: Node = {}
        if required := [key for key, default in defaults.items() if default is REQUIRED]:
            then["required"] = required
        given = {key: default for key, default in defaults.items() if default is not REQUIRED and default is not ABSENT}
        if given:
            then["properties"] = {key: {"default": default} for key, default in given.items()}
        yield {
            "if": _condition(condition, fields),
            "then": then,
            "else": {"properties": {key: dict(_NEVER) for key in settings}},
        }


def _condition(condition: Mapping[str, Any], fields: Fields) -> Node:
    """``{key: value}``; None for any value. A key at its default need not be there."""
    values = {key: {"const": value} for key, value in condition.items() if value is not None}
    there = [key for key, value in condition.items() if value is None or fields.settings[key].default != value]
    return {**({"properties": values} if values else {}), **({"required": there} if there else {})}

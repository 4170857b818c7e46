"""The tables of config/README.md, made from the settings: a row a key, a table an entry."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from instructmining.config.sections import SECTIONS, Section
from instructmining.settings import ABSENT, NOTHING, REQUIRED, Fields, Setting
from instructmining.settings.discovery import specs

_HEADER = "| key | type | default | meaning | done again when it changes |\n|---|---|---|---|---|\n"
_KINDS_HEADER = "| kind | value | better | needs |\n|---|---|---|---|\n"
# a mapping and what is done again where nothing says it: pools have no keys of their own
_WORDS = {"boolean": "`true`, `false`", "integer": "whole number", "number": "number", "string": "text"}


def with_tables(manual: str) -> str:
    """The text of the manual with every table as the settings have it.

    The table of an entry is the first of its form behind the heading ``{section}``, ``{section}: {kind}`` or
    ``{section}.{key}``. A kind without a heading gets one, with its module's first line, at the end of its section.
    """
    for title, (table, about) in tables().items():
        heading = re.search(rf"^(##+) {re.escape(title)}\n", manual, re.MULTILINE)
        if heading is None:
            manual = _appended(manual, title, about, table)
            continue
        start = heading.end()
        following = re.search(r"^##+ ", manual[start:], re.MULTILINE)
        stop = start + following.start() if following else len(manual)
        part = manual[start:stop]
        old = re.search(re.escape(_HEADER) + r"(?:\|.*\n)*", part)
        new = f"{part[: old.start()]}{table}{part[old.end() :]}" if old else f"{part.rstrip()}\n\n{table}\n"
        manual = manual[:start] + new + manual[stop:]
    return re.sub(re.escape(_KINDS_HEADER) + r"(?:\|.*\n)*", lambda _: kinds_of_benchmarks(), manual)


def tables() -> dict[str, tuple[str, str]]:
    """Title of a part of the manual -> its table, and a line about it for a part that is not there yet."""
    found: dict[str, tuple[str, str]] = {}
    for name, section in SECTIONS.items():
        for title, fields, kind in _entries(name, section):
            hidden = _hidden(section, fields)
            rows = [*kind, *(row(key, s, fields.again) for key, s in fields.settings.items() if key not in hidden)]
            found[title] = (_HEADER + "".join(rows), title)
            for key, setting in fields.settings.items():
                if setting.fields is not None and key not in hidden:
                    inner = setting.fields
                    rows = [row(one, s, inner.again) for one, s in inner.settings.items()]
                    found[inner.title or f"{title}.{key}"] = (_HEADER + "".join(rows), setting.meaning)
    return found


def kinds_of_benchmarks() -> str:
    """The overview of the kinds of benchmarks."""
    rows = [
        f"| `{name}` | {spec.value} | {spec.direction.partition('_')[0]} | {spec.needs} |\n"
        for name, spec in specs("evaluations").items()
    ]
    return _KINDS_HEADER + "".join(rows)


def row(key: str, setting: Setting, again: str | None) -> str:
    """One key's line. ``again``: what its entry says is done again."""
    conditions = " and ".join(f"`{k}`" if v is None else f"`{k}: {v}`" for k, v in setting.only_with.items())
    meaning = setting.meaning + (f" (only with {conditions})" if conditions else "")
    cells = (f"`{key}`", _type(setting), _default(setting), meaning, setting.again or again or NOTHING)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _entries(name: str, section: Section) -> Iterator[tuple[str, Fields, list[str]]]:
    """Title, keys, and the row of the key that names the kind, of every kind of entry of a section."""
    if section.fields is not None:
        yield name, section.fields, []
    for kind, entry in section.kinds.items():
        rows = []
        if section.kind_key:
            rows = [f"| `{section.kind_key}` | `{kind}` | required | {entry.meaning} | {entry.fields.again} |\n"]
        yield f"{name}: {kind}", entry.fields, rows


def _hidden(section: Section, fields: Fields) -> set[str]:
    """Keys that have no row: of a benchmark those of a dataset, which are explained there, and ``kind``."""
    if section.kind_key is None or "dataset" not in fields.settings:
        return set()
    source = SECTIONS["datasets"].fields
    return {section.kind_key, *(source.settings if source else ())}


def _type(setting: Setting) -> str:
    if setting.type_words is not None:
        return setting.type_words
    node = setting.node
    if "enum" in node:
        return ", ".join(f"`{choice}`" for choice in node["enum"])
    kinds = [node["type"]] if isinstance(node["type"], str) else [kind for kind in node["type"] if kind != "null"]
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f"{low} to {high}"
    return " or ".join(_WORDS[kind] for kind in kinds)


def _default(setting: Setting) -> str:
    if setting.default is REQUIRED:
        return "required"
    if setting.default is ABSENT:
        return "none"
    newer = [f"{_yaml(value)} with `defaults: {number}`" for number, value in sorted(setting.newer_defaults.items())]
    return "; ".join([f"`{_yaml(setting.default)}`", *newer])


def _yaml(value: Any) -> str:
    """A value as one writes it in the config."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def _appended(manual: str, title: str, about: str, table: str) -> str:
    """The manual with a part of its own for ``title``, at the end of the section that it belongs to."""
    section = re.split(r"[:.]", title)[0]
    start = re.search(rf"^## {section}\n", manual, re.MULTILINE)
    following = re.search(r"^## ", manual[start.end() :], re.MULTILINE) if start else None
    place = start.end() + following.start() if start and following else len(manual)
    return f"{manual[:place].rstrip()}\n\n### {title}\n\n{about}\n\n{table}\n{manual[place:]}"

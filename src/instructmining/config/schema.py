"""The JSON schema at work: defaults filled in, and its errors said in one plain line each."""

import math
import re
from collections.abc import Iterator
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

Node = dict[str, Any]

_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")

TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


class Problem(NamedTuple):
    """One thing wrong: where in the config, and what."""

    path: tuple[str | int, ...]
    message: str

    def __str__(self) -> str:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return f"{place.lstrip('.')}: {self.message}" if place else self.message


def similar(name: Any, known: Any) -> str:
    """``; did you mean 'x'?`` where one of ``known`` is close to ``name``, else nothing."""
    found = get_close_matches(str(name), [str(other) for other in known], n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def unknown(path: tuple[str | int, ...], what: str, names: Any, section: str, known: Any) -> Iterator[Problem]:
    """A problem for each of ``names`` (a name, or several) that is not in ``known``."""
    for name in [names] if isinstance(names, str) else names:
        if name not in known:
            yield Problem(path, f"{what} '{name}' is not in {section}{similar(name, known)}")


def plain_problems(raw: Any) -> list[Problem]:
    """What YAML allows and a schema cannot look at: a config that is no mapping, keys that are not text, NaN."""
    return list(_plain(raw, ())) if isinstance(raw, dict) else [Problem((), f"expected a mapping, got {_show(raw)}")]


def _plain(value: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if isinstance(value, float) and not math.isfinite(value):
        yield Problem(path, f"expected a finite number, got {value}")
    for key in value if isinstance(value, dict) else ():
        if not isinstance(key, str):
            yield Problem(path, f"the name {_show(key)} is not text: put it in quotes, or call it otherwise")
        yield from _plain(value[key], (*path, str(key)))
    for place, item in enumerate(value if isinstance(value, list) else ()):
        yield from _plain(item, (*path, place))


def fill_defaults(value: Any, node: Node) -> Any:
    """A copy of the valid ``value`` with every default of ``node``; 3.0 becomes 3 where a whole number is asked for.

    Keys come in the schema's order, names of the user's in theirs: Snakemake compares params as text, and a key written
    elsewhere, or a default written out, must not run anything again.
    """
    if isinstance(value, float) and "integer" in _types(node) and "number" not in _types(node):
        return int(value)
    if isinstance(value, list):
        return [fill_defaults(item, node.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    parts = [node]
    filled = dict(value)
    for part in parts:
        for key, child in part.get("properties", {}).items():
            if isinstance(child, dict) and "default" in child:
                filled.setdefault(key, deepcopy(child["default"]))
        for clause in part.get("allOf", []):
            branch = _branch(clause, filled)
            if branch is not None:
                parts.append(branch)
    children = _children(parts)
    known = [*dict.fromkeys(key for part in parts for key in part.get("properties", {}) if key in filled)]
    names = [key for key in filled if key not in known]
    return {key: fill_defaults(filled[key], children(key)) for key in [*known, *names]}


def _branch(clause: Node, value: Any) -> Node | None:
    if "if" not in clause:
        return clause
    found: Node | None = clause.get("then" if Draft202012Validator(clause["if"]).is_valid(value) else "else")
    return found


def _children(parts: list[Node]) -> Any:
    named = [part.get("properties", {}) for part in parts]
    patterns = [pattern for part in parts for pattern in part.get("patternProperties", {}).values()]

    def child(key: str) -> Node:
        found = [names[key] for names in named if isinstance(names.get(key), dict)] + patterns
        # a branch may repeat a key only to give its default: the first to name it says what it is
        return found[0] if found else {}

    return child


def _types(node: Node) -> list[str]:
    types = node.get("type", [])
    return [types] if isinstance(types, str) else types


def _exactly_one_of(_: Any, keys: list[str], instance: Any, __: Node) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and sum(key in instance for key in keys) != 1:
        found = " and ".join(key for key in keys if key in instance) or "none"
        yield ValidationError(f"expected exactly one of {', '.join(keys)}; found {found}")


_Validator = extend(Draft202012Validator, {"x-exactly-one-of": _exactly_one_of})


def with_numbers(raw: Node, schema: Node) -> Node:
    """``raw`` with text like ``2e-5`` as the number that it is, wherever ``schema`` asks for a number.

    YAML 1.1, as Snakemake reads it, takes a number with an exponent but without a point for text.
    """
    places = [
        tuple(error.absolute_path)
        for error in _Validator(schema).iter_errors(raw)
        if error.validator == "type" and isinstance(error.instance, str) and _EXPONENT.fullmatch(error.instance)
    ]
    if not places:
        return raw
    raw = deepcopy(raw)
    for *path, key in places:
        holder: Any = raw
        for step in path:
            holder = holder[step]
        if math.isfinite(number := float(holder[key])):
            holder[key] = number
    return raw


def schema_problems(raw: Node, schema: Node) -> list[Problem]:
    """Every violation of ``schema`` by ``raw``, in words."""
    found: list[Problem] = []
    for error in _Validator(schema).iter_errors(raw):
        path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            found += [Problem((*path, key), message) for key, message in _unknown_keys(error)]
        else:
            found.append(Problem(path, _words(error, schema)))
    return found


def _unknown_keys(error: ValidationError) -> Iterator[tuple[str, str]]:
    known = error.schema.get("properties", {})
    if "patternProperties" in error.schema:
        wrong = [key for key in error.instance if not key or set(key) - set("abcdefghijklmnopqrstuvwxyz0123456789_")]
        yield from ((key, "a name is made of a-z, 0-9 and _") for key in wrong)
    else:
        yield from ((key, f"unknown key{similar(key, known)}") for key in error.instance if key not in known)


def _words(error: ValidationError, schema: Node) -> str:
    value, limit = error.instance, error.validator_value
    match error.validator:
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            return f"expected {' or '.join(TYPES[name] for name in types)}, got {_show(value)}{_hint(types, value)}"
        case "enum":
            return f"expected one of {', '.join(map(str, limit))}; got {_show(value)}{similar(value, limit)}"
        case "required":
            missing = [key for key in limit if key not in value]
            keys = f"key{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}"
            return f"{keys} missing{_condition(error, schema, ', needed')}"
        case "minimum":
            return f"expected at least {limit}, got {value}"
        case "maximum":
            return f"expected at most {limit}, got {value}"
        case "exclusiveMinimum":
            return f"expected more than {limit}, got {value}"
        case "exclusiveMaximum":
            return f"expected less than {limit}, got {value}"
        case "minItems" | "minLength" | "minProperties" | "maxItems":
            return f"expected {limit} items, got {len(value)}" if limit > 1 else "is empty"
        case "uniqueItems":
            return f"names something twice: {_show(value)}"
        case "pattern":
            return f"{_show(value)} does not match {limit}"
        case "not" if limit:
            return f"{_show(value)} is a reserved name"
        case "not":
            return _condition(error, schema, "is only for an entry")
        case _:
            return error.message


def _condition(error: ValidationError, schema: Node, verb: str) -> str:
    """The ``if`` over an error in its ``then`` or ``else``, in words: ``, needed with 'format: preference'``."""
    node: Any = schema
    clause, branch = None, ""
    steps = list(error.absolute_schema_path)
    for place, step in enumerate(steps):
        if step in ("then", "else"):
            clause, branch = node["if"], step
        elif step == "properties" and place < len(steps) - (2 if error.validator == "required" else 3):
            clause = None
        node = node[step]
    if clause is None:
        return ""
    values = [f"'{key}: {child['const']}'" for key, child in clause.get("properties", {}).items()]
    condition = values or [f"'{key}'" for key in clause["required"]]
    without = (error.validator == "not") == (branch == "then")
    return f"{verb} {'without' if without else 'with'} {' and '.join(condition)}"


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str | int | float | bool) else f"{type(value).__name__} {value!r}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hint(types: list[str], value: Any) -> str:
    numeric = {"integer", "number"} & set(types)
    if numeric and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return ""
        return f" (YAML reads this as text: write {number!r})" if math.isfinite(number) else ""
    return " (put it in quotes)" if "string" in types and not isinstance(value, dict | list | None) else ""

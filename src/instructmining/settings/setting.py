"""One key of the config: its type, range, default and meaning, and what is done again when its value changes.

A `Setting` stands in the module that reads it (or in `instructmining.config.sections`). The JSON schema, the defaults,
the error messages and the tables of config/README.md are made from it. Nothing here imports anything heavy: every job
of a cluster reads the settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Node = dict[str, Any]

NAME_PATTERN = "^[a-z0-9_]+$"
# what `again` says of a key that changes no result: such a key is no param of any job
NOTHING = "nothing"


class _Mark:
    """A default that is no value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


# the key must be given
REQUIRED: Any = _Mark("REQUIRED")
# the key may be left out, and then there is no value
ABSENT: Any = _Mark("ABSENT")


@dataclass(frozen=True)
class Setting:
    """One key of an entry.

    Attributes:
        node: JSON schema of its value, without default and description.
        default: its value where it is left out; REQUIRED or ABSENT.
        meaning: one line of Markdown for the manual and the schema.
        again: what is done again when the value changes; None takes what its entry says, NOTHING that it changes no
            result and therefore is no param of a job.
        type_words: the type as the manual shows it; None derives it from ``node``.
        only_with: other keys of the entry and their values (None: any value) with which alone this key may be given.
        never_a_param: it decides how jobs are cut, not what comes out of them, although something is done again.
        same_as_before: of a key that is newer than finished studies: the value at which everything is as it was before
            the key existed. A key at this value is left out of params and provenance, so that it runs nothing again.
        newer_defaults: {generation: default} for configs that say ``defaults: {generation}`` or more.
        fields: of a mapping with keys of its own: these.
    """

    node: Node
    default: Any
    meaning: str
    again: str | None = None
    type_words: str | None = None
    only_with: Mapping[str, Any] = field(default_factory=dict)
    never_a_param: bool = False
    same_as_before: Any = ABSENT
    newer_defaults: Mapping[int, Any] = field(default_factory=dict)
    fields: "Fields | None" = None

    @property
    def is_param(self) -> bool:
        """Whether results depend on it, so that jobs have it among their params."""
        return self.again != NOTHING and not self.never_a_param

    def default_of(self, generation: int) -> Any:
        """The default for a config of this generation (``defaults:``)."""
        newest = max((number for number in self.newer_defaults if number <= generation), default=None)
        return self.default if newest is None else self.newer_defaults[newest]

    def but(self, **changes: Any) -> "Setting":
        """A copy with other attributes: the same key with another default, meaning or condition."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Fields:
    """The keys of an entry, in the order in which they stand in params.

    Attributes:
        settings: key -> Setting.
        exactly_one_of: keys of which exactly one must be given.
        again: what is done again when a key changes whose setting does not say it.
        excludes: key -> keys that cannot be given with it.
        title: where the manual explains the keys; None for its usual place.
    """

    settings: Mapping[str, Setting]
    exactly_one_of: Sequence[str] = ()
    again: str | None = None
    excludes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    title: str | None = None


def whole(
    default: Any,
    meaning: str,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    or_null: bool = False,
    **more: Any,
) -> Setting:
    """A whole number; ``None`` as default, or ``or_null``, allows null."""
    return Setting(_limited("integer", default, or_null, minimum=minimum, maximum=maximum), default, meaning, **more)


def number(
    default: Any,
    meaning: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    or_null: bool = False,
    **more: Any,
) -> Setting:
    """A number within [minimum, maximum] or (above, below); ``None`` as default, or ``or_null``, allows null."""
    limits = {"minimum": minimum, "exclusiveMinimum": above, "maximum": maximum, "exclusiveMaximum": below}
    return Setting(_limited("number", default, or_null, **limits), default, meaning, **more)


def text(default: Any, meaning: str, *, pattern: str | None = None, or_null: bool = False, **more: Any) -> Setting:
    """Text that is not empty, and matches ``pattern`` where one is given."""
    length = {} if pattern else {"minLength": 1}
    return Setting(_limited("string", default, or_null, pattern=pattern, **length), default, meaning, **more)


def label(meaning: str, **more: Any) -> Setting:
    """Text for people, which may be empty; null where it is left out."""
    return Setting({"type": ["string", "null"]}, None, meaning, **{"type_words": "text", **more})


def flag(default: bool, meaning: str, **more: Any) -> Setting:
    """true or false."""
    return Setting({"type": "boolean"}, default, meaning, **more)


def one_of(choices: Sequence[Any], default: Any, meaning: str, **more: Any) -> Setting:
    """One of a few values."""
    return Setting({"enum": list(choices)}, default, meaning, **more)


def name(what: str, default: Any, meaning: str, **more: Any) -> Setting:
    """A name of the config; ``what`` it names stands in the manual: ``a dataset``, ``a column``."""
    return Setting({"type": "string", "pattern": NAME_PATTERN}, default, meaning, **{"type_words": what, **more})


def names(what: str, default: Any, meaning: str, **more: Any) -> Setting:
    """A list of names, none twice; ``what`` they name stands in the manual: ``datasets``."""
    items = {"type": "string", "pattern": NAME_PATTERN}
    node: Node = {"type": ["array", "null"] if default is None else "array", "uniqueItems": True, "items": items}
    if default != []:
        node["minItems"] = 1
    return Setting(node, default, meaning, **{"type_words": f"list of {what}", **more})


def mapping(fields: Fields, default: Any, meaning: str, **more: Any) -> Setting:
    """A mapping with keys of its own."""
    return Setting({}, default, meaning, **{"type_words": "mapping", "fields": fields, **more})


def anything(node: Node, type_words: str, default: Any, meaning: str, **more: Any) -> Setting:
    """A value of a type that no other function here makes: ``node`` is its JSON schema."""
    return Setting(node, default, meaning, **{"type_words": type_words, **more})


def _limited(kind: str, default: Any, or_null: bool, **limits: Any) -> Node:
    given = {key: limit for key, limit in limits.items() if limit is not None}
    return {"type": [kind, "null"] if or_null or default is None else kind, **given}

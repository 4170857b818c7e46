"""Finding specs: the modules of a room, each with ``SPEC = …`` at its top, read without importing them.

Every job of a cluster reads the config and the DAG, and must not import torch for it. So the expression behind
``SPEC =`` is taken from the module's source and evaluated with the names of `instructmining.settings` alone.
"""

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import Any

from instructmining.jobs.errors import InputError

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def specs(room: str) -> dict[str, Any]:
    """Module -> its SPEC, for every module of a room (``scorers``, ``report/pages``) that has one, by ``order``.

    Raises:
        InputError: a SPEC that uses other names than those of instructmining.settings; file and line are named.
    """
    found = {path.stem: _read(path) for path in sorted((_PACKAGE / room).glob("*.py")) if path.stem != "__init__"}
    known = {name: spec for name, spec in found.items() if spec is not None}
    return dict(sorted(known.items(), key=lambda item: (item[1].order, item[0])))


def spec_of(room: str, name: str, what: str) -> Any:
    """The SPEC of one module. InputError, ``{what} '{name}': expected one of …``, if there is none."""
    known = specs(room)
    if name not in known:
        raise InputError(f"{what} {name!r}: expected one of {', '.join(known)}")
    return known[name]


def load(room: str, name: str, what: str) -> Any:
    """The module itself, imported now, with everything that it needs. InputError if there is no such module."""
    spec_of(room, name, what)
    return importlib.import_module(f"instructmining.{room.replace('/', '.')}.{name}")


def _read(path: Path) -> Any:
    source = path.read_text(encoding="utf-8")
    if "SPEC = " not in source:
        return None
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["SPEC"]:
            expression = ast.Expression(statement.value)
            try:
                return eval(compile(expression, str(path), "eval"), dict(_names()))
            except NameError as error:
                raise InputError(
                    f"{path.name}:{statement.lineno}: SPEC: {error}: it is read without importing the module, "
                    "and may use the names of instructmining.settings alone"
                ) from error
    return None


@cache
def _names() -> dict[str, Any]:
    settings = importlib.import_module("instructmining.settings")
    return {name: getattr(settings, name) for name in settings.__all__}

"""Config files as their authors wrote them: with the lines of their mistakes, which a loaded mapping no longer has.

Snakemake loads ``--configfile`` before our Snakefile runs, and of a key that is written twice it keeps the last in
silence. So the files are read here as well: by ``make`` before Snakemake starts, and by the Snakefile.
"""

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from instructmining.config import load_defaults_and_check
from instructmining.jobs.errors import InputError

_MAPPING = "tag:yaml.org,2002:map"
_TEXT = "tag:yaml.org,2002:str"


class _Twice(yaml.YAMLError):
    """A key that cannot be: written twice, or no text."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        if key.tag != _TEXT:
            name = key.value if isinstance(key, yaml.ScalarNode) else "of a list or a mapping"
            raise _Twice(f"line {line}: the name {name} is not text: put it in quotes, or use another name")
        if key.value in lines:
            raise _Twice(f"line {line}: key '{key.value}' is written twice, first in line {lines[key.value]}")
        lines[key.value] = line
    loader.flatten_mapping(node)
    return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}


def _loader(base: Any) -> Any:
    """YAML as ``base`` reads it, but for keys that are written twice or are no text, which are errors."""
    loader: Any = type("Loader", (base,), {})
    loader.add_constructor(_MAPPING, _mapping)
    return loader


# Snakemake's parser, which refuses tabs that libyaml takes
_STRICT = _loader(yaml.SafeLoader)
# libyaml where PyYAML has it: a tenth of the time, and every job of a cluster reads the config
_FAST = _loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _is_json(text: str) -> bool:
    """Whether Snakemake takes a file for JSON, in which tabs are white space."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def load_config(path: Path) -> Any:
    """The content of one config file.

    Raises:
        InputError: ``{path}: line {line}: …`` for a key that is written twice (both lines), for a key that YAML does
            not read as text (``yes``), and for what is no YAML (a tab, an open bracket); ``{path}: …`` for a file that
            cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.load(text, _STRICT if "\t" in text and not _is_json(text) else _FAST)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected UTF-8: {error.reason} at byte {error.start}") from error
    except _Twice as error:
        raise InputError(f"{path}: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(f"{path}: {where}expected YAML: {_problem(path, mark, error)}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: expected YAML: {' '.join(str(error).split())}") from error


def _problem(path: Path, mark: Any, error: yaml.MarkedYAMLError) -> str:
    """What is wrong, in words; a tab is named, since nobody sees it."""
    lines = path.read_text(encoding="utf-8").split("\n")
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "the line begins with a tab: indent it with spaces"
    if mark and line[mark.column : mark.column + 1] == "\t":
        return "here stands a tab: use spaces"
    return " ".join(filter(None, (error.problem, error.context))) or "it cannot be read"


def checked_config(paths: Sequence[Path]) -> dict[str, Any]:
    """The config with every default, as the workflow takes it: several files are laid over one another.

    Raises:
        InputError: one line for what `load_config` or `load_defaults_and_check` finds wrong.
    """
    return load_defaults_and_check(reduce(laid_over, map(load_config, paths)), ", ".join(map(str, paths)))


def laid_over(under: Any, over: Any) -> Any:
    """As Snakemake lays one config over another: mappings are merged, all else is replaced."""
    if not isinstance(over, Mapping):
        return over
    if not over:
        return under
    base = under if isinstance(under, Mapping) else {}
    return {**base, **{key: laid_over(base.get(key, {}), value) for key, value in over.items()}}

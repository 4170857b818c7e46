"""What must not leave this machine in an archive: secrets, absolute paths, the names of its user and of the machine."""

import base64
import getpass
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from instructmining.jobs.errors import InputError
from instructmining.jobs.files import PROVENANCE_KEY, write_parquet

TEXT = (".cff", ".csv", ".html", ".json", ".jsonl", ".lock", ".md", ".svg", ".tex", ".tsv", ".txt", ".yaml")
# texts of examples and answers stand in these: a path in them is somebody's text, unless it is one of this machine's
_FREE = (".html", ".jsonl", ".svg")
_EXAMPLES = "results/tables/examples/"
# where files outside the study's folder are said to lie
OUTSIDE = "outside"
_SECRETS = {
    "an API key": r"\b(?:sk-(?=[\w-]*\d)[\w-]{20,}|hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{36,}|AKIA[0-9A-Z]{16}\b|"
    r"github_pat_\w{40,}|glpat-[\w-]{20}|AIza[\w-]{35}|xox[abeoprs]-(?=[\w-]*\d)[\w-]{20,})",
    "a web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a bearer token": r"\bBearer [A-Za-z0-9._~+/-]{20,}",
    "an address with a password": r"\w://[^/\s:@\"'<>]+:[^/\s@\"'<>]{3,}@",
}
_ABSOLUTE = re.compile(r"""(?:^|["'])(~?/[^\s"'/]+/[^"'\n]*|file://[^\s"']+|[A-Za-z]:\\[^"'\n]+)(?:$|["'])""")
# within a sentence of JSON, which the config's and the datasets' summaries are: /two/parts or more
_WITHIN = re.compile(r"(?<=[\s=(])(?:~?/[\w.-]+){2,}/?")
_DATA_URI = re.compile(r"(data:text/[\w+.-]+;[^,\"']*?base64,)([A-Za-z0-9+/=]+)")
# accounts and machines that tell nothing, and whose names are ordinary words
_ANYBODY = {"root", "user", "admin", "runner", "ubuntu", "nobody", "localhost"}
_SHORTEST = 4


class Places:
    """Absolute paths and what is written for them: the study's folder goes, what is outside it keeps its name.

    ``outside``: absolute paths that the config names; two of one name are told apart by a number.
    """

    def __init__(self, root: Path, outside: Iterable[str]) -> None:
        self.names = {f"{root}/": "", str(root): "."}
        taken: set[str] = set()
        for path in sorted(set(outside)):
            if path.startswith(f"{root}/"):
                continue
            name, number = f"{OUTSIDE}/{Path(path).name}", 1
            while name in taken:
                number += 1
                name = f"{OUTSIDE}/{number}/{Path(path).name}"
            taken.add(name)
            self.names[path] = name
        longest = sorted(self.names, key=len, reverse=True)
        # whole names alone: /data is neither in my/data nor in /data2
        ends = [re.escape(name) + ("" if name.endswith("/") else r"(?![\w-])") for name in longest]
        self.pattern = re.compile(r"(?<![\w.~-])(?:" + "|".join(ends) + ")")

    def relative(self, text: str) -> str:
        """``text`` with every such path replaced, inside pages that it embeds too."""
        return _in_pages(self.pattern.sub(lambda found: self.names[found[0]], text), self.relative)


def config_paths(config: Any) -> list[str]:
    """Values of a config that are absolute paths."""
    return [text for text in _strings(config) if Path(text).is_absolute()]


def key_variables(config: Mapping[str, Any]) -> list[str]:
    """Values of the environment variables that the config names for keys and endpoints, and of the hub's token."""
    names = {
        value
        for entry in _mappings(config)
        for key, value in entry.items()
        if key in ("key_env", "base_url_env") and isinstance(value, str)
    }
    return [os.environ[name] for name in sorted({*names, "HF_TOKEN"}) if os.environ.get(name)]


def copy_without_places(source: Path, target: Path, places: Places) -> None:
    """Copy a file, its absolute paths made relative: in text, and in a Parquet file's provenance."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".parquet":
        written = pl.read_parquet_metadata(source).get(PROVENANCE_KEY, "{}")
        if (told := places.relative(written)) != written:
            write_parquet(pl.read_parquet(source), target, json.loads(told))
            return
    elif source.suffix in TEXT:
        text = source.read_bytes().decode("utf-8")
        if (told := places.relative(text)) != text:
            target.write_bytes(told.encode("utf-8"))
            return
    shutil.copyfile(source, target)


class Machine(NamedTuple):
    """What is private here: texts that stand for somebody or something, and what they are."""

    texts: dict[str, str]
    words: dict[str, str]


def this_machine(root: Path, secrets: Iterable[str]) -> Machine:
    """The names of this machine and its user, their folders, and ``secrets`` themselves."""
    user, host = _user(), socket.gethostname().partition(".")[0]
    texts = {str(root): "the path of the study", **dict.fromkeys(secrets, "the value of an environment variable")}
    home = str(Path.home())
    texts |= {f"{home}/": "the path of the home folder"} if home.count("/") > 1 else {}
    if user:
        texts |= {f"{place}/{user}": "the user's name" for place in ("/home", "/Users")}
        texts |= {f"{user}@{host}": "the names of user and machine"}
    told = {user: "the user's name", host: "the name of this machine"}
    words = {name: what for name, what in told.items() if len(name) >= _SHORTEST and name not in _ANYBODY}
    return Machine(texts, words)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in many containers
        return ""


def refuse(path: Path, name: str, machine: Machine, allowed: Iterable[str] = ()) -> None:
    """InputError if the file at ``path``, called ``name`` in the archive, holds something private.

    Texts of ``allowed`` are looked at by the user, and public.
    """
    if path.suffix not in (*TEXT, ".parquet"):
        return
    public = set(allowed)
    for what, text in _private(path, name, machine):
        if text not in public:
            shown = text if "path" in what else f"{text[:4]}…"
            raise InputError(f"{name}: holds {what}: {shown}; take it out, or allow it (--allow) if it is public")


def _private(path: Path, name: str, machine: Machine) -> Iterator[tuple[str, str]]:
    free = path.suffix in _FREE or name.startswith(_EXAMPLES)
    for text, structured in _texts(path, free):
        for what, pattern in _SECRETS.items():
            yield from ((what, found[0]) for found in re.finditer(pattern, text))
        yield from ((what, private) for private, what in machine.texts.items() if private in text)
        for word, what in machine.words.items():
            if re.search(rf"\b{re.escape(word)}\b", text):
                yield what, word
        if structured:
            yield from (("an absolute path", found[1]) for found in _ABSOLUTE.finditer(text))
        if path.suffix == ".json":
            yield from (("an absolute path", found[0]) for found in _WITHIN.finditer(text))


def _texts(path: Path, free: bool) -> Iterator[tuple[str, bool]]:
    """Pieces of text of a file, and whether each is a value that somebody wrote down, not prose."""
    if path.suffix == ".parquet":
        for value in pl.read_parquet_metadata(path).values():
            yield from ((text, True) for text in _strings(_parsed(value)))
        frame = pl.read_parquet(path)
        for column in (name for name, kind in frame.schema.items() if kind == pl.String and name != "id"):
            yield "\n".join(frame[column].drop_nulls().unique().to_list()), False
        return
    text = path.read_bytes().decode("utf-8")
    if free:
        yield text, False
        yield from ((page, False) for page in _pages(text))
    elif path.suffix == ".json":
        yield from ((value, True) for value in _strings(_parsed(text)))
    else:
        yield from ((value, True) for value in re.split(r"[\n,\t]", text))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _mappings(inner)


def _pages(text: str) -> Iterator[str]:
    yield from (base64.b64decode(code).decode("utf-8") for _, code in _DATA_URI.findall(text))


def _in_pages(text: str, change: Callable[[str], str]) -> str:
    def changed(found: re.Match[str]) -> str:
        page = base64.b64decode(found[2]).decode("utf-8")
        return found[0] if (told := change(page)) == page else found[1] + base64.b64encode(told.encode()).decode()

    return _DATA_URI.sub(changed, text)

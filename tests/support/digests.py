"""What a version stands for: the modules behind it, found by their imports, and a digest of their code."""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/instructmining"

# modules that change no number, with the reason: a change in them is behind no version
NO_NUMBER = {
    "jobs/errors.py": "one exception class",
    "jobs/locks.py": "who waits for whom",
    "jobs/log.py": "what a job says",
    "jobs/disk.py": "which error a full disk becomes",
    "jobs/paths.py": "names of files",
    "jobs/records.py": "what Snakemake has on record",
    "jobs/software.py": "what a job ran with, for the record",
    "jobs/surroundings.py": "what a job ran with, for the record",
    "settings/__init__.py": "keys and specs: their values are params of the jobs",
    "settings/discovery.py": "how specs are found",
    "settings/setting.py": "keys: their values are params of the jobs",
    "settings/shared.py": "keys: their values are params of the jobs",
    "settings/specs.py": "specs: what they hold is in the params of the jobs",
    "settings/versions.py": "the versions themselves",
    "judge/costs.py": "what a judge's answers cost",
}


def module_name(path: Path) -> str:
    """``scorers/knn.py`` of a file of the package, ``workflow/scripts/score.py`` of another file of the checkout."""
    return (path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path.relative_to(ROOT)).as_posix()


@cache
def bare(source: str) -> str:
    """The source without comments, docstrings, white space and ``SPEC = …``: the same on every Python."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    text = bytearray(source.encode())

    def blank(node: ast.AST) -> None:
        start, stop = (
            starts[row - 1] + column
            for row, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        )
        text[start:stop] = b" " * (stop - start)

    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            blank(node.body[0])
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["SPEC"]:
            blank(node)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            start = starts[row - 1] + len(lines[row - 1][:column].encode())
            text[start : start + len(token.string.encode())] = b" " * len(token.string.encode())
    return "".join(text.decode().split())


@cache
def imports(path: Path) -> frozenset[Path]:
    """Files of the package that a file imports, wherever in it the import stands."""
    found: set[Path] = set()
    if path.suffix != ".py":
        return frozenset()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "instructmining":
            for alias in node.names:
                # a module, or a name inside one
                found |= _file(f"{node.module}.{alias.name}") or _file(str(node.module))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found |= _file(alias.name)
    return frozenset(found)


def _file(module: str) -> set[Path]:
    parts = module.split(".")
    if parts[0] != "instructmining":
        return set()
    place = PACKAGE.joinpath(*parts[1:])
    return {path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()}


def closure(roots: Iterable[Path]) -> list[Path]:
    """The roots, what they import, and what that imports, without the modules of ``NO_NUMBER``; sorted."""
    return _closure(tuple(roots))


@cache
def _closure(roots: tuple[Path, ...]) -> list[Path]:
    found: set[Path] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path not in found and module_name(path) not in NO_NUMBER:
            found.add(path)
            waiting += imports(path)
    return sorted(found)


def digest(path: Path, changed: dict[str, str] | None = None) -> str:
    """Of one file's code; ``changed``: name of a module -> source to take instead of its own."""
    source = (changed or {}).get(module_name(path))
    return _digest(path, path.read_text(encoding="utf-8") if source is None else source)


@cache
def _digest(path: Path, source: str) -> str:
    text = bare(source) if path.suffix == ".py" else "".join(source.split())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def closure_digest(roots: Iterable[Path], changed: dict[str, str] | None = None) -> str:
    """Of all code behind the roots. Where a module lies counts as little as its name: only its code does."""
    return hashlib.sha256("".join(sorted(digest(path, changed) for path in closure(roots))).encode()).hexdigest()[:16]

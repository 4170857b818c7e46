"""Imports between the rooms of the package run one way: a room imports only rooms that its docstring lists above it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import instructmining

SOURCE = Path(__file__).parents[2] / "src/instructmining"
ROOMS = re.findall(r"^- (\w+): ", instructmining.__doc__ or "", re.MULTILINE)


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Line and room of every import of the package, also of imports inside functions."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module == "instructmining":
            names = [f"instructmining.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from ((node.lineno, name.split(".")[1]) for name in names if name.startswith("instructmining."))


def backwards(room: str, source: str) -> list[tuple[int, str]]:
    """Imports of rooms that are not above ``room``."""
    above = ROOMS[: ROOMS.index(room)]
    return [(line, other) for line, other in imported(source) if other not in (room, *above)]


def test_the_package_holds_the_rooms_of_its_docstring_and_no_other_module():
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ROOMS)
    assert [path.name for path in SOURCE.glob("*.py")] == ["__init__.py"]


def test_imports_run_one_way():
    wrong = [
        f"{path.relative_to(SOURCE)}:{line}: imports {other}, which comes later: a room imports rooms above it"
        for path in sorted(SOURCE.rglob("*.py"))
        if (room := path.relative_to(SOURCE).parts[0]) in ROOMS
        for line, other in backwards(room, path.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


def test_an_import_against_the_order_is_found_wherever_it_stands():
    source = "def f():\n    from instructmining.trail import archive\n    import instructmining.report.html\n"
    assert backwards("data", source) == [(2, "trail"), (3, "report")]
    assert backwards("data", "from instructmining import models, jobs\n") == [(1, "models")]
    assert backwards("trail", source) == []

"""The rooms import downwards only, and each heavy library stays in its room."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "auditor"
HOMES = {
    "click": ("cli",),
    "jinja2": ("report",),
    "pandas": ("report",),
    "boto3": ("collectors", "demo"),
    "botocore": ("collectors", "demo"),
    "moto": ("demo",),
}
TYPES_ONLY = {("audit", "pandas")}
"""Rooms that name a library in annotations alone, under TYPE_CHECKING."""


@cache
def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("library", HOMES)
def test_library_stays_in_its_room(library: str) -> None:
    strays = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if library in imports(path) and room not in HOMES[library] and (room, library) not in TYPES_ONLY:
            strays.append(str(path))
    assert strays == []


def test_layers_contract_holds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from importlinter.cli import lint_imports

    monkeypatch.chdir(PACKAGE.parent)
    code = lint_imports(no_cache=True)
    assert code == 0, capsys.readouterr().out

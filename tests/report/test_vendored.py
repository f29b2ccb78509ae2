"""Vendored files are the ones that were recorded, with their licence beside them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent / "vendor"
TEMPLATES = Path(__file__).parents[2] / "templates" / "vendor"
RECORDED = [
    (folder / name, expected)
    for folder in (TESTS, TEMPLATES)
    for name, expected in re.findall(
        r"^\| (\S+\.js(?:on)?) \|.*\| ([0-9a-f]{64}) \|$", (folder / "README.md").read_text(), re.MULTILINE
    )
]


@pytest.mark.parametrize("folder", [TESTS, TEMPLATES], ids=["tests", "templates"])
def test_every_file_is_recorded(folder: Path) -> None:
    here = {path for path in folder.iterdir() if path.suffix in (".js", ".json", ".css")}
    assert {path for path, _ in RECORDED if path.parent == folder} == here


@pytest.mark.parametrize(("path", "expected"), RECORDED, ids=lambda value: getattr(value, "name", ""))
def test_file_has_the_recorded_hash(path: Path, expected: str) -> None:
    assert hashlib.sha256(path.read_bytes()).hexdigest() == expected


def test_the_library_in_the_page_carries_its_licence() -> None:
    assert "MIT" in (TEMPLATES / "dataTables-LICENSE.txt").read_text()
    assert "SpryMedia" in (TEMPLATES / "dataTables.min.js").read_text(encoding="utf-8")[:200]

"""Vendored files are the ones that were recorded."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

VENDOR = Path(__file__).parent / "vendor"
RECORDED = re.findall(r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)


def test_every_file_is_recorded() -> None:
    assert {name for name, _ in RECORDED} == {path.name for path in VENDOR.glob("*.js")}


@pytest.mark.parametrize(("name", "expected"), RECORDED)
def test_file_has_the_recorded_hash(name: str, expected: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == expected

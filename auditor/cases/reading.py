"""From paths to plain data: finds case files in folders and reads JSON or YAML without trusting either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from auditor.errors import CaseFileError
from auditor.userfiles import as_json, as_yaml, read_text

SUFFIXES = (".json", ".yaml", ".yml")


def find_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The case files that ``paths`` name, folders searched to the bottom, each file once, folders in sorted order.

    Raises CaseFileError for a path that does not exist, a folder without case files, and an unknown suffix.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _files_at(path):
            found.setdefault(file.resolve(), file)
    return tuple(found.values())


def _files_at(path: Path) -> Iterator[Path]:
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        if not inside:
            raise CaseFileError(f"{path}: no case file (.json, .yaml, .yml) in this folder.")
        yield from inside
    elif not path.exists():
        raise CaseFileError(f"{path}: no such file or folder.")
    elif path.suffix not in SUFFIXES:
        raise CaseFileError(f"{path}: not a case file.", "Case files end in .json, .yaml or .yml.")
    else:
        yield path


def read_data(path: Path) -> Any:
    """The plain data of one file. Raises CaseFileError when it cannot be read as JSON or YAML within the limits."""
    text = read_text(path, CaseFileError)
    return as_json(text, path, CaseFileError) if path.suffix == ".json" else as_yaml(text, path, CaseFileError)

"""From paths to plain data: finds case files in folders and reads JSON or YAML without trusting either.

YAML scalars stay text but for true, false and null, so that an account id such as 012345678901 keeps its zero and a
policy Version never becomes a date. Names that occur twice, recursive anchors and absurd nesting are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import CaseFileError

if TYPE_CHECKING:
    import yaml

SUFFIXES = (".json", ".yaml", ".yml")
MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 3_000_000
"""Counted with every YAML alias written out: a small file may stand for an enormous one."""


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
    text = _text(path)
    try:
        data = _json(text) if path.suffix == ".json" else _yaml(text)
    except RecursionError:
        raise CaseFileError(f"{path}: nested too deeply.", f"The limit is {MAX_DEPTH} levels.") from None
    except ValueError as error:
        language = "JSON" if path.suffix == ".json" else "YAML"
        raise CaseFileError(f"{path}: not readable as {language}: {error}") from None
    _check_size(path, data)
    return data


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CaseFileError(f"{path}: larger than {MAX_BYTES // 1024**2} MiB.", "Split it into several files.")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseFileError(f"{path}: not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise CaseFileError(f"{path}: cannot be read: {error.strerror or error}.") from None


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse_constant)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f"the name {name!r} occurs twice in one object")
        result[name] = value
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _yaml(text: str) -> Any:
    import yaml

    from auditor.cases.yaml_text import load

    try:
        return load(text, MAX_DEPTH)
    except yaml.YAMLError as error:
        raise ValueError(_one_line(error)) from None


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})" if mark else str(problem)


def _check_size(path: Path, data: Any) -> None:
    """Refuses data that is too deep or, with every shared node written out, too large; shared nodes cost nothing.

    YAML tags such as ``!!set`` or ``!!timestamp`` make values that JSON does not have: they are refused as well.
    """
    sizes: dict[int, int] = {}

    def size(node: Any, depth: int) -> int:
        if not isinstance(node, dict | list):
            if isinstance(node, str):
                _check_text(path, node)
            if node is None or isinstance(node, str | int | float):
                return 1
            raise CaseFileError(f"{path}: a value of type {type(node).__name__} has no place in a case file.")
        if depth > MAX_DEPTH:
            raise CaseFileError(f"{path}: nested too deeply.", f"The limit is {MAX_DEPTH} levels.")
        if isinstance(node, dict) and not all(isinstance(name, str) for name in node):
            raise CaseFileError(
                f"{path}: a name is no text.", "Put true, false and null in quotes where they are names."
            )
        if isinstance(node, dict):
            for name in node:
                _check_text(path, name)
        known = sizes.get(id(node))
        if known is None:
            children = node.values() if isinstance(node, dict) else node
            known = sizes[id(node)] = 1 + sum(size(child, depth + 1) for child in children)
        return known

    if size(data, 0) > MAX_NODES:
        raise CaseFileError(f"{path}: more than {MAX_NODES} values once its YAML aliases are written out.")


def _check_text(path: Path, text: str) -> None:
    """Refuses half a surrogate pair, which JSON can spell and no output can write."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise CaseFileError(f"{path}: a text holds half a surrogate pair: {text[:40]!r}.") from None

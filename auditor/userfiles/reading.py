"""From a path to text, and from text to plain JSON or YAML data, within limits; mistakes name the file and the line.

Every function takes the class of error to raise, so that a caller's mistakes stay of one kind.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auditor.errors import UsageError, no_kind, reading_trouble

MEBI = 1024 * 1024
MAX_BYTES = 32 * MEBI
MAX_DEPTH = 64
MAX_BITS = 10_000
"""YAML has numbers of other bases, which no limit of Python's keeps short; longer ones it does not print."""
MAX_NODES = 3_000_000
"""Counted with every YAML alias written out: a small file may stand for an enormous one."""


def as_path(given: object, error: type[UsageError] = UsageError) -> Path:
    """What names a file or folder as a path. Raises ``error`` for anything else than a text or a path."""
    if not isinstance(given, str | Path):
        raise error(no_kind(given, "path"), "Give a text or a pathlib.Path.")
    if "\0" in str(given):
        raise error("A path has no character NUL.")
    return Path(given)


def read_text(path: Path, error: type[UsageError] = UsageError, *, limit: int = MAX_BYTES, remedy: str = "") -> str:
    """The UTF-8 text of a file of at most ``limit`` bytes; a byte order mark does not count. Pipes are read once."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise error(f"{path}: larger than {limit // MEBI} MiB.", remedy)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise error(f"{path}: not UTF-8 text (byte {wrong.start}).", remedy or "Save it as UTF-8.") from None
    except OSError as wrong:
        raise error(f"{path}: cannot be read: {wrong.strerror or wrong}.", remedy) from None
    except ValueError as wrong:  # a name with the character NUL, which no file can have
        raise error(f"{path}: cannot be read: {wrong}.", remedy) from None


def as_json(text: str, source: object, error: type[UsageError] = UsageError, *, remedy: str = "") -> Any:
    """The plain data of a JSON text. A name twice in one object and values that JSON does not have are refused."""
    try:
        data = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep(source, error) from None
    except ValueError as wrong:
        raise error(f"{source}: not readable as JSON: {reading_trouble(wrong)}.", remedy) from None
    check_plain(data, source, error)
    return data


def as_yaml(
    text: str, source: object, error: type[UsageError] = UsageError, *, typed: bool = False, remedy: str = ""
) -> Any:
    """The plain data of one YAML document. Scalars stay text but for true, false and null; ``typed``: numbers, too."""
    import yaml

    from auditor.userfiles.yaml_text import load

    try:
        data = load(text, MAX_DEPTH, typed=typed)
    except RecursionError:
        raise _too_deep(source, error) from None
    except (yaml.YAMLError, ValueError) as wrong:
        if "nesting depth" in str(wrong):  # libyaml's own limit, which it may meet while it reads ahead
            raise _too_deep(source, error) from None
        raise error(f"{source}: not readable as YAML: {_one_line(wrong, text)}.", remedy) from None
    check_plain(data, source, error)
    return data


def check_plain(data: Any, source: object, error: type[UsageError]) -> None:
    """Refuses data that is too deep or, with every shared node written out, too large; shared nodes cost nothing.

    YAML tags such as ``!!set`` or ``!!timestamp`` make values that JSON does not have: they are refused as well.
    """
    sizes: dict[int, int] = {}

    def size(node: Any, depth: int) -> int:
        if not isinstance(node, (dict, list)):
            _check_scalar(node, source, error)
            return 1
        if depth > MAX_DEPTH:
            raise _too_deep(source, error)
        known = sizes.get(id(node))
        if known is not None:
            return known
        if isinstance(node, dict):
            _check_names(node, source, error)
        children = node.values() if isinstance(node, dict) else node
        known = sizes[id(node)] = 1 + sum([size(child, depth + 1) for child in children])
        return known

    if size(data, 0) > MAX_NODES:
        raise error(f"{source}: more than {MAX_NODES} values once its YAML aliases are written out.")


def _check_names(node: dict[Any, Any], source: object, error: type[UsageError]) -> None:
    for name in node:
        if not isinstance(name, str):
            raise error(f"{source}: a name is no text: {name!r}.", "Put names that look like values in quotes.")
        _check_scalar(name, source, error)


def _check_scalar(value: Any, source: object, error: type[UsageError]) -> None:
    """Refuses what is no JSON value, and half a surrogate pair, which JSON can spell and no output can write."""
    if not isinstance(value, str):
        if value is not None and not isinstance(value, (int, float)):
            raise error(f"{source}: a value of type {type(value).__name__} has no place here.")
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise error(f"{source}: a number in it has too many digits.")
        return
    if value.isascii():
        return
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise error(f"{source}: a text holds half a surrogate pair: {value[:40]!r}.") from None


def _too_deep(source: object, error: type[UsageError]) -> UsageError:
    return error(f"{source}: nested too deeply.", f"The limit is {MAX_DEPTH} levels.")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f"the name {name!r} occurs twice in one object")
        result[name] = value
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _one_line(wrong: Exception, text: str) -> str:
    mark = getattr(wrong, "problem_mark", None)
    problem = getattr(wrong, "problem", None) or getattr(wrong, "reason", None) or reading_trouble(wrong)
    if mark is None:
        return str(problem)
    if "".join(text.split("\n")[mark.line : mark.line + 1])[mark.column :].startswith("\t"):
        problem = "a tab, where YAML takes only spaces"
    return f"{problem} (line {mark.line + 1}, column {mark.column + 1})"

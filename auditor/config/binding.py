"""Plain data → a dataclass, by the types of its fields; every mistake names its place and the nearest valid name.

Understands str, int, float, bool, enums, nested dataclasses, ``tuple[X, ...]`` (a list) and
``tuple[tuple[str, X], ...]`` (a map).
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from auditor.errors import ConfigError

LARGEST = 1_000_000


def bind(kind: Any, data: Any, place: str) -> Any:
    """``data`` as a value of type ``kind``. Raises ConfigError that begins with ``place``."""
    if is_dataclass(kind):
        return _bind_section(kind, data, place)
    if get_origin(kind) is tuple:
        return _bind_tuple(get_args(kind)[0], data, place)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _bind_choice(kind, data, place)
    return _bind_scalar(kind, data, place)


def mapping_value(kind: Any) -> Any | None:
    """The X of an item type ``tuple[str, X]``, which YAML writes as a map; None for other item types."""
    return get_args(kind)[1] if get_origin(kind) is tuple else None


def _bind_section(kind: Any, data: Any, place: str) -> Any:
    if data is None and place:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{place or 'the file'}: expected a map, found {_named(data)}.")
    hints = get_type_hints(kind)
    for name in data:
        if name not in hints:
            raise ConfigError(f"{_join(place, name)}: unknown option.", _suggestion(str(name), hints))
    required = [item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING]
    for name in required:
        if name not in data:
            raise ConfigError(f"{place}: “{name}” is missing.", "Add it; it has no default.")
    return kind(**{name: bind(hints[name], value, _join(place, name)) for name, value in data.items()})


def _bind_tuple(item: Any, data: Any, place: str) -> tuple[Any, ...]:
    value_kind = mapping_value(item)
    if value_kind is not None:
        if not isinstance(data, dict):
            raise ConfigError(f"{place}: expected a map, found {_named(data)}.")
        return tuple((str(name), bind(value_kind, value, _join(place, name))) for name, value in data.items())
    if data is None:
        return ()
    if not isinstance(data, list):
        raise ConfigError(f"{place}: expected a list, found {_named(data)}.", "Write each entry on a line with “- ”.")
    return tuple(bind(item, value, f"{place}[{index}]") for index, value in enumerate(data))


def _bind_choice(kind: type[StrEnum], data: Any, place: str) -> StrEnum:
    try:
        return kind(str(data))
    except ValueError:
        choices = ", ".join(kind)
        raise ConfigError(f"{place}: “{data}” is not possible.", f"Choose one of {choices}.") from None


def _bind_scalar(kind: Any, data: Any, place: str) -> Any:
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        data = _bounded(data, place) + 0.0
    if isinstance(data, kind) and (kind is bool or not isinstance(data, bool)):
        return _bounded(data, place) if kind in (int, float) else _writable(data, place)
    words = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    hint = "Put it in quotes." if kind is str and isinstance(data, int | float) else ""
    raise ConfigError(f"{place}: expected {words[kind]}, found {_named(data)}.", hint)


def _bounded(number: Any, place: str) -> Any:
    """No setting is negative, endless or no number at all, and none needs more than this."""
    if not 0 <= number <= LARGEST:
        raise ConfigError(f"{place}: {str(number)[:40]} is not between 0 and {LARGEST:,}.")
    return number


def _writable(value: Any, place: str) -> Any:
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{place}: holds the character NUL.", "Remove it.")
    return value


def _join(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)


def _named(data: Any) -> str:
    match data:
        case None:
            return "nothing"
        case bool():
            return str(data).lower()
        case dict():
            return "a map"
        case list():
            return "a list"
        case str():
            return f"the text “{data[:40]}”"
    return str(data)[:40]


def _suggestion(name: str, known: dict[str, Any]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean “{near[0]}”?" if near else f"Known here: {', '.join(sorted(known))}."

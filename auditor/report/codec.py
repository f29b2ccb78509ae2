"""Dataclasses of the model ↔ JSON-compatible values, driven by their annotations.

Fields that hold their default are left out; policies become positions in a table of texts. Judges nothing.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from auditor.model.policy import Policy
from auditor.model.policy_document import parse_policy

SCALARS: dict[Any, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (float, int)}
"""What JSON may hold for a declared type."""


class Texts:
    """A table of texts, each stored once: ``put`` gives the position, ``listed`` the table."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._places: dict[str, int] = {}

    def put(self, text: str) -> int:
        """The position of ``text``, which is added when it is new."""
        place = self._places.setdefault(text, len(self.listed))
        if place == len(self.listed):
            self.listed.append(text)
        return place


Encoder = Callable[[Any, Texts], Any]


def encode(value: Any, policies: Texts) -> Any:
    """``value`` as JSON-compatible data; the same value gives the same data."""
    kind: Any = type(value)
    return _encoder(kind)(value, policies)


@cache
def _encoder(kind: Any) -> Encoder:
    if kind is str or issubclass(kind, int | float | types.NoneType):
        return lambda value, _: value
    if issubclass(kind, Policy):
        return lambda value, policies: policies.put(value.text)
    if issubclass(kind, frozenset):
        return lambda value, policies: sorted((encode(item, policies) for item in value), key=str)
    if issubclass(kind, tuple | list):
        return lambda value, policies: [encode(item, policies) for item in value]
    if issubclass(kind, dict):
        return lambda value, policies: {str(key): encode(value[key], policies) for key in sorted(value)}
    if is_dataclass(kind):
        return _fields_of(kind)
    return lambda value, _: str(value)


def _fields_of(kind: Any) -> Encoder:
    defaults = [(item.name, _default(item)) for item in fields(kind)]

    def encode_fields(value: Any, policies: Texts) -> dict[str, Any]:
        given = {}
        for name, default in defaults:
            found = getattr(value, name)
            if found != default:
                given[name] = encode(found, policies)
        return given

    return encode_fields


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    return MISSING


def decode(kind: Any, data: Any, policies: list[str]) -> Any:
    """The value of type ``kind`` that ``encode`` made ``data`` from. Raises ValueError that begins with the place."""
    return _decoder(kind)(data, policies)


@cache
def _decoder(kind: Any) -> Callable[[Any, list[str]], Any]:
    if kind is Policy:
        return _policy
    if get_origin(kind) in (Union, types.UnionType):
        return _optional(kind)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind))
    if get_origin(kind) is frozenset:
        many = _tuple((get_args(kind)[0], ...))
        return lambda data, policies: frozenset(many(data, policies))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return lambda data, _: kind(data)
    if is_dataclass(kind):
        return _record(kind)
    return _scalar(kind) if kind in SCALARS else lambda data, _: _frozen(data)


def _scalar(kind: type) -> Callable[[Any, list[str]], Any]:
    accepted = SCALARS[kind]

    def check(data: Any, _: list[str]) -> Any:
        if type(data) not in accepted:
            raise ValueError(f"expected {kind.__name__}, found {type(data).__name__}")
        if kind is float and not math.isfinite(data):
            raise ValueError(f"expected a number, found {data}")
        return data

    return check


def _policy(data: Any, policies: list[str]) -> Policy:
    if type(data) is not int or not 0 <= data < len(policies):
        raise ValueError("there is no policy of this number")
    return parse_policy(policies[data])


def _frozen(data: Any) -> Any:
    """JSON data without a declared shape, lists as tuples."""
    return tuple(_frozen(item) for item in data) if isinstance(data, list) else data


def _optional(kind: Any) -> Callable[[Any, list[str]], Any]:
    inner = _decoder(next(part for part in get_args(kind) if part is not type(None)))
    return lambda data, policies: None if data is None else inner(data, policies)


def _tuple(parts: tuple[Any, ...]) -> Callable[[Any, list[str]], Any]:
    if len(parts) == 2 and parts[1] is Ellipsis:
        item = _decoder(parts[0])
        return lambda data, policies: tuple(item(entry, policies) for entry in _listed(data))
    each = [_decoder(part) for part in parts]
    return lambda data, policies: tuple(one(entry, policies) for one, entry in zip(each, _listed(data), strict=True))


def _listed(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise ValueError(f"expected a list, found {type(data).__name__}")
    return data


def _record(kind: Any) -> Callable[[Any, list[str]], Any]:
    hints = get_type_hints(kind)
    needed = {item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING}
    decoders: dict[str, Callable[[Any, list[str]], Any]] = {}

    def build(data: Any, policies: list[str]) -> Any:
        if not isinstance(data, dict):
            raise ValueError(f"expected an object, found {type(data).__name__}")
        if not needed <= data.keys():
            raise ValueError(f"{min(needed - data.keys())} is missing")
        values = {}
        for name, entry in data.items():
            if name not in decoders:
                if name not in hints:
                    raise ValueError(f"{name[:40]} is unknown")
                decoders[name] = _decoder(hints[name])
            try:
                values[name] = decoders[name](entry, policies)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return kind(**values)

    return build

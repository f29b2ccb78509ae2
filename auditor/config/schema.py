"""The JSON Schema of the configuration file, made from the same types that read it."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from auditor.config.binding import mapping_value
from auditor.config.sections import Config

SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def config_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``config.yaml``; editors complete and check with it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kms-audit configuration",
        **_schema(Config),
    }


def _schema(kind: Any) -> dict[str, Any]:
    if is_dataclass(kind):
        return _section(kind)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        value = mapping_value(item)
        if value is not None:
            return {"type": "object", "additionalProperties": _schema(value)}
        return {"type": "array", "items": _schema(item)}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"enum": [str(choice) for choice in kind]}
    return {"type": SCALARS[kind]}


def _section(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for item in fields(kind):
        properties[item.name] = {**_schema(hints[item.name]), **_default(item)}
        if item.default is MISSING and item.default_factory is MISSING:
            required.append(item.name)
    summary = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    described: dict[str, Any] = {"type": "object", "description": summary, "properties": properties}
    return described | ({"required": required} if required else {}) | {"additionalProperties": False}


def _default(item: Field[Any]) -> dict[str, Any]:
    value = item.default
    if value is MISSING:
        return {}
    if isinstance(value, tuple):
        pairs = bool(value) and all(isinstance(entry, tuple) for entry in value)
        return {"default": dict(value) if pairs else list(value)}
    return {"default": str(value) if isinstance(value, StrEnum) else value}

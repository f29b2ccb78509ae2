"""Values of a plan's JSON: whatever is not of the expected kind counts as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]


def items(value: Any) -> list[Any]:
    """A list of the plan; anything else has no items."""
    return value if isinstance(value, list) else []


def mapping(value: Any) -> Values:
    """An object of the plan; anything else has no members."""
    return value if isinstance(value, Mapping) else {}


def is_unknown(value: Any) -> bool:
    """``after_unknown`` mirrors the shape of the value and holds true where it is not known."""
    if isinstance(value, Mapping):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    return value is True

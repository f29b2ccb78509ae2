"""Reading JSON members leniently: an endpoint may leave out, or mistype, any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from auditor.model.key import Tags
from auditor.model.policy import Policy, parse_policy

Data = Mapping[str, Any]


def text(data: Data, name: str, default: str = "") -> str:
    """A member as text."""
    value = data.get(name)
    return default if value is None else str(value)


def maybe(data: Data, name: str) -> str | None:
    """A member as text, or None when it is absent or empty."""
    value = data.get(name)
    return None if value in (None, "") else str(value)


def texts(data: Data, name: str) -> tuple[str, ...]:
    """A list member as texts, in its order."""
    value = data.get(name)
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def items(data: Data, name: str) -> tuple[Data, ...]:
    """A list member's objects."""
    value = data.get(name)
    return tuple(item for item in value if isinstance(item, Mapping)) if isinstance(value, list | tuple) else ()


def inner(data: Data, name: str) -> Data:
    """An object member, or an empty one."""
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def number(data: Data, name: str) -> int | None:
    """A whole number, or None."""
    value = data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def tags(data: Data, name: str = "Tags") -> Tags:
    """Tags, which KMS spells TagKey and the others Key, sorted."""
    pairs = [
        (str(item.get("TagKey", item.get("Key", ""))), str(item.get("TagValue", item.get("Value", ""))))
        for item in items(data, name)
    ]
    return tuple(sorted(pairs))


def iam_policy(document: Any) -> Policy:
    """A document as IAM sends it: URL-encoded JSON; an already decoded one is taken as it is."""
    if isinstance(document, Mapping):
        return parse_policy(document)
    written = str(document or "")
    return parse_policy(written if written.lstrip().startswith("{") else unquote(written))

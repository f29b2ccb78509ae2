"""Reading JSON members leniently: an endpoint may leave out, or mistype, any of them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from auditor.model.key import Tags
from auditor.model.policy import Policy
from auditor.model.policy_document import parse_policy

Data = Mapping[str, Any]
_PUNCTUATION = tuple((quote(mark, safe=""), mark) for mark in " \n\r\t" + string.punctuation if mark not in "%-._~")
"""Escapes, and what they stand for: no percent sign and no hexadecimal digit, so that undoing one makes no other."""


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
    if not value or not isinstance(value, list | tuple):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def inner(data: Data, name: str) -> Data:
    """An object member, or an empty one."""
    value = data.get(name)
    return value if value is not None and isinstance(value, Mapping) else {}


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


class IamDocuments:
    """Documents as IAM sends them: URL-encoded JSON, each text decoded once; a decoded one is taken as it is."""

    def __init__(self) -> None:
        self._known: dict[str, Policy] = {}

    def policy(self, document: Any) -> Policy:
        """The document as a Policy; never raises."""
        if isinstance(document, str):
            known = self._known.get(document)
            if known is None:
                known = self._known[document] = _policy(document)
            return known
        return parse_policy(document) if isinstance(document, Mapping) else _policy(str(document or ""))


def _policy(written: str) -> Policy:
    return parse_policy(written if written.lstrip().startswith("{") else unquoted(written))


def unquoted(written: str) -> str:
    """As ``urllib.parse.unquote``, several times as fast for a text in which only ASCII punctuation is escaped."""
    text = written
    for escape, mark in _PUNCTUATION:
        text = text.replace(escape, mark)
    return unquote(written) if "%" in text else text

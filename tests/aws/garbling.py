"""Ways in which an answer can be broken: one place of one body changed, or the body as a whole."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

Place = tuple[str | int, ...]
GONE = object()
ITEMS = ("member", "item", "entry", "Bucket", "DBInstance", "DBCluster", "Tag")
"""What an item of a list is called in XML."""
DIGITS = "9" * 5000
LONG = "x" * 300_000

WRONG: dict[str, Any] = {
    "gone": GONE,
    "null": None,
    "number": 5,
    "true": True,
    "object": {},
    "list": [],
    "nulls": [None],
    "texts": ["x"],
    "objects": [{}],
    "deep": {"a": {"b": []}},
}
"""In place of a value of another type."""
ODD = {
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "escape": "a\n\x1b[31mb\u202e",
    "path": "../../../tmp/x",
    "long": LONG,
}
"""Texts in place of a text: nothing tells that they are wrong, but nothing may break of them."""
TIMES: dict[str, Any] = {
    "far": 253402300800,
    "milliseconds": 1735787045000,
    "before": -62135596801,
    "endless": 1e300,
    "nan": float("nan"),
    "edge": "0001-01-01T00:00:00+14:00",
}
"""In place of a number, which may be a time."""
BODIES = {
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"text"',
    "html": b"<html><body>Sign in</body></html>",
    "page": b"<!DOCTYPE html><p>Blocked by the proxy",
    "no utf-8": b'{"a": "\xff\xfe"}',
    "error": b'{"__type": "AccessDeniedException", "message": "no"}',
    "xml error": b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
    "brackets": b"[" * 100_000,
    "digits": b'{"a": ' + DIGITS.encode() + b"}",
}
PLAUSIBLE = frozenset({*ODD, "word", "odd", "digits", "far", "milliseconds", "before", "filled", "text added"})
"""How a place is told otherwise and not wrongly: only whoever knows the truth could tell."""
_XML_TEXTS = {"odd": "../x\n\u202e", "long": LONG, "digits": DIGITS, "far": "9999999"}


@dataclass(frozen=True)
class Way:
    """One way to break a body: where, how, and the broken one."""

    where: Place
    how: str
    make: Callable[[], bytes]

    @property
    def absent(self) -> bool:
        """Whether something is not there that was, without a trace."""
        return self.how in ("gone", "null", "empty", "emptied", "renamed")

    @property
    def unlisted(self) -> bool:
        """Whether an item of a list, or all of them, is not there."""
        return self.how == "emptied" or (self.absent and bool(self.where) and self.where[-1] in (0, 1, 2, *ITEMS))

    @property
    def plausible(self) -> bool:
        """Whether only whoever knows the truth could tell: a name for another."""
        return self.how in PLAUSIBLE

    @property
    def member(self) -> str:
        """The innermost name of the place."""
        return next((str(step) for step in reversed(self.where) if isinstance(step, str)), "")

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.where))}: {self.how}"


def ways(body: bytes) -> list[Way]:
    """Every way to break ``body`` that this module knows, always in the same order."""
    found = [Way((), kind, lambda content=content: content) for kind, content in BODIES.items()]  # type: ignore[misc]
    found.append(Way((), "half", lambda: body[: len(body) // 2]))
    return [*found, *(_xml(body) if body.startswith(b"<") else _json(body))]


def _json(body: bytes) -> Iterator[Way]:
    tree = json.loads(body)
    for place, value in _places(tree):
        for how, other in _others(value).items():
            yield Way(place, how, lambda place=place, other=other: json.dumps(_changed(tree, place, other)).encode())  # type: ignore[misc]


def _others(value: Any) -> dict[str, Any]:
    found = {how: other for how, other in WRONG.items() if other is GONE or type(other) is not type(value)}
    if isinstance(value, str):
        return {**found, "empty": "", **ODD}
    found["word"] = "text"
    if isinstance(value, list):
        more = {"null": None, "text": "x", "number": 5, "object": {}, "list": []}
        found |= {f"{how} added": [*value, item] for how, item in more.items()}
        found |= {"emptied": [], "twice": [*value, *value]} if value else {}
        found |= {"alike": [*value, *_alike(value[0])]} if value and isinstance(value[0], dict) else {}
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = {how: other for how, other in found.items() if how != "number"} | TIMES
    return found


def _alike(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The same thing, told differently in its last member that is a list or a text."""
    for name in reversed(item):
        if isinstance(item[name], list | str):
            return [{**item, name: ["Sign"] if isinstance(item[name], list) else "other"}]
    return []


def _places(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if place:
        yield place, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inside:
        yield from _places(item, (*place, step))


def _changed(tree: Any, place: Place, other: Any) -> Any:
    found = copy.deepcopy(tree)
    holder = found
    for step in place[:-1]:
        holder = holder[step]
    if other is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = other
    return found


def _xml(body: bytes) -> Iterator[Way]:
    tree = ElementTree.fromstring(body)
    for number, element in enumerate(tree.iter()):
        place = (number, element.tag)
        for how in ("gone", "emptied", "twice", "renamed", "filled", "misplaced") if number else ():
            yield Way(place, how, lambda number=number, how=how: _broken(tree, number, how))  # type: ignore[misc]
        for how in () if len(element) else _XML_TEXTS:
            yield Way(place, how, lambda number=number, how=how: _broken(tree, number, how))  # type: ignore[misc]


def _broken(tree: ElementTree.Element, number: int, how: str) -> bytes:
    changed = copy.deepcopy(tree)
    element = list(changed.iter())[number]
    holder = next(item for item in changed.iter() if element in list(item))
    if how == "gone":
        holder.remove(element)
    elif how == "twice":
        holder.insert(list(holder).index(element), copy.deepcopy(element))
    elif how == "renamed":
        element.tag = "Renamed"
    elif how == "misplaced":
        holder.append(ElementTree.Element("surprise"))
    else:
        element[:] = []
        element.text = {**_XML_TEXTS, "filled": "text"}.get(how)
    return ElementTree.tostring(changed)

"""Wildcard matching as IAM does it: ``*`` any run, ``?`` one character, everything else literal.

A policy variable that was replaced by its value, and the literals ``${*}`` and ``${?}``, must not act as wildcards:
they travel as private-use characters (``LITERAL_STAR``, ``LITERAL_MARK``) until the comparison.
"""

from __future__ import annotations

import re
from functools import lru_cache

from auditor.model.wildcards import expression

LITERAL_STAR = "\ue000"
LITERAL_MARK = "\ue001"
NAME_RUN = "\ue002"
"""In ``overlap`` only: any run of characters without a colon, such as the rest of an alias name."""


def literal(text: str) -> str:
    """``text`` with its wildcards made inactive."""
    return text.replace("*", LITERAL_STAR).replace("?", LITERAL_MARK)


def plain(text: str) -> str:
    """``text`` with inactive wildcards turned back into the characters they stand for."""
    return text.replace(LITERAL_STAR, "*").replace(LITERAL_MARK, "?")


def spelled(text: str) -> str:
    """``text`` with inactive wildcards as a policy writes them, so that they are not taken for wildcards."""
    return text.replace(LITERAL_STAR, "${*}").replace(LITERAL_MARK, "${?}")


def has_wildcard(pattern: str) -> bool:
    """Whether ``pattern`` holds an active wildcard."""
    return "*" in pattern or "?" in pattern


@lru_cache(maxsize=65536)
def _compiled(pattern: str) -> re.Pattern[str]:
    return expression(pattern, plain)


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` matches ``pattern``, case-sensitively, in time that hostile patterns cannot blow up."""
    if pattern == "*":
        return True
    if not has_wildcard(pattern):
        return plain(pattern) == text
    return _compiled(pattern).fullmatch(text) is not None


def covers(outer: str, inner: str) -> bool:
    """Whether every text that ``inner`` matches is matched by ``outer``; a no may be wrong where ``?`` takes part."""
    if outer == inner:
        return True
    if "?" in outer and has_wildcard(inner):
        return False
    return matches(outer, plain(inner.replace("*", NAME_RUN).replace("?", NAME_RUN)))


@lru_cache(maxsize=16384)
def overlap(left: str, right: str) -> bool:
    """Whether some text matches both patterns."""
    reached = {(0, 0)}
    queue = [(0, 0)]
    while queue:
        i, j = queue.pop()
        if i == len(left) and j == len(right):
            return True
        for step in _overlap_steps(left, right, i, j):
            if step not in reached:
                reached.add(step)
                queue.append(step)
    return False


def _overlap_steps(left: str, right: str, i: int, j: int) -> list[tuple[int, int]]:
    steps = []
    a = left[i] if i < len(left) else ""
    b = right[j] if j < len(right) else ""
    if a == "*":
        steps.append((i + 1, j))
        if b and b not in ("*", NAME_RUN):
            steps.append((i, j + 1))
    if b in ("*", NAME_RUN):
        steps.append((i, j + 1))
        if a and a != "*" and not (b == NAME_RUN and a == ":"):
            steps.append((i + 1, j))
    if a and b and a != "*" and b not in ("*", NAME_RUN) and (a == "?" or b == "?" or plain(a) == plain(b)):
        steps.append((i + 1, j + 1))
    return steps


def common_text(left: str, right: str) -> str:
    """A shortest text that both patterns match, ``x`` where any character will do; empty when there is none."""
    before: dict[tuple[int, int], tuple[tuple[int, int], str]] = {}
    queue = [(0, 0)]
    for place in queue:
        if place == (len(left), len(right)):
            return _told(before, place)
        for step in _overlap_steps(left, right, *place):
            if step != (0, 0) and step not in before:
                before[step] = (place, _taken(left, right, place, step))
                queue.append(step)
    return ""


def _told(before: dict[tuple[int, int], tuple[tuple[int, int], str]], place: tuple[int, int]) -> str:
    """The characters on the way to a place, from the first to the last."""
    found = []
    while place in before:
        place, character = before[place]
        found.append(character)
    return "".join(reversed(found))


def _taken(left: str, right: str, place: tuple[int, int], step: tuple[int, int]) -> str:
    """The character that a step of both patterns reads; none where a ``*`` only ends."""
    (i, j), (to_i, to_j) = place, step
    a, b = left[i] if to_i > i else "*", right[j] if to_j > j else "*"
    fixed = [plain(one) for one in (a, b) if one not in ("*", "?")]
    if fixed:
        return fixed[0]
    return "x" if "?" in (a, b) else ""

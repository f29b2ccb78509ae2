"""The wildcards of IAM as a regular expression whose time does not explode, however many there are."""

from __future__ import annotations

import re
from collections.abc import Callable


def expression(pattern: str, spelled: Callable[[str], str] = str) -> re.Pattern[str]:
    """What matches a whole text: ``*`` any run, ``?`` one character, everything else as ``spelled`` tells.

    What stands between two stars is taken where it first occurs, which never rules a match out: atomic groups say so,
    and nothing is tried twice.
    """
    first, *rest = (
        "".join("." if char == "?" else re.escape(spelled(char)) for char in part) for part in pattern.split("*")
    )
    if not rest:
        return re.compile(first, re.DOTALL)
    *between, last = rest
    inner = "".join(f"(?>.*?{part})" for part in between if part)
    return re.compile(f"{first}{inner}.*{last}", re.DOTALL)

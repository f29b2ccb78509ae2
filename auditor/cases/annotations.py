"""Names beside the fields of a file or a case: annotations of somebody else, or fields in the wrong spelling or place.

An annotation plays no part and is named to the reader. A name that may have been meant for a field that decides the
answer is refused: a case that leaves out a policy by mistake would pass for the wrong reason. Inside the key, the
principal, the organization and the expectation nothing is an annotation; there every unknown name is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from auditor.cases.fields import Field

OF_CASE = (
    "key",
    "key_policies",
    "grants",
    "principal",
    "organization",
    "action",
    "context",
    "unread",
    "as_of",
    "expect",
)
"""Fields of a case that decide its answer or what is expected of it."""
OF_FRAME = ("cases", "defaults", "default_key", "default_principal")
MISPLACED = (
    "identity_policies",
    "groups",
    "permissions_boundary",
    "session_policies",
    "trust_policy",
    "scps",
    "rcps",
    "paths",
    "management_account",
    "decision",
    "reason",
    "residual",
    "flags",
)
"""Fields of a principal, an organization or an expectation that a case may hold one level too high."""
_ALIKE = 0.75
"""How alike (0 to 1) two names are that may have been meant to be one."""


def annotations_of(
    spot: Field, known: tuple[str, ...], deciding: tuple[str, ...], misplaced: tuple[str, ...]
) -> Iterator[Field]:
    """The entries of ``spot`` that are not among ``known`` and play no part.

    Raises CaseFileError for one that looks like a field of ``deciding`` misspelt, or of ``misplaced``.
    """
    for name in spot.mapping():
        if name in known:
            continue
        if get_close_matches(name, deciding, 1, _ALIKE):
            spot.refuse(name, known)
        if close := get_close_matches(name, misplaced, 1, _ALIKE):
            spot[name].fail(f"does not belong here; {close[0]} is a field of something else.")
        yield spot[name]


def sentences(ignored: Iterable[Field]) -> tuple[str, ...]:
    """One sentence for each file and name, with the cases that have it."""
    places: dict[tuple[str, str], list[str]] = {}
    for entry in ignored:
        places.setdefault((entry.file, entry.path), []).append(entry.case)
    return tuple(
        f"{file}: {_of(cases)}field {name} is not known and plays no part." for (file, name), cases in places.items()
    )


def _of(cases: list[str]) -> str:
    if not cases[0]:
        return ""
    rest = f" and {len(cases) - 1} more" if len(cases) > 1 else ""
    return f"case {cases[0]}{rest}: "

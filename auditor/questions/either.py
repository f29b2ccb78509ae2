"""Names that may mean keys or principals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.errors import UnknownNameError
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.questions.keys import find_keys
from auditor.questions.principals import find_principals
from auditor.questions.unknown_names import quoted

KEYLIKE = re.compile(r"alias/.*|.*:alias/.*|arn:[^:]*:kms:.*|mrk-[0-9a-f*?]+|[0-9a-f]{8}-[0-9a-f*?-]+")


@dataclass(frozen=True, slots=True)
class _Known:
    """Where principals are looked up."""

    snapshot: Snapshot
    principals: tuple[Principal, ...]


def keys_and_principals(
    snapshot: Snapshot, principals: tuple[Principal, ...], names: Iterable[str]
) -> tuple[tuple[Key, ...], tuple[Principal, ...]]:
    """The keys and the principals that ``names`` mean, each once; ``principals`` are all callers that are known.

    Raises UnknownNameError for a name that means neither, or both.
    """
    known = _Known(snapshot, principals)
    keys: dict[str, Key] = {}
    who: dict[str, Principal] = {}
    for text in names:
        found = _meant(known, text)
        keys |= {key.arn: key for key in found[0]}
        who |= {one.arn: one for one in found[1]}
    return tuple(keys.values()), tuple(who.values())


def _meant(known: _Known, text: str) -> tuple[tuple[Key, ...], tuple[Principal, ...]]:
    if KEYLIKE.fullmatch(text):
        return find_keys(known.snapshot, text), ()
    try:
        callers = find_principals(known, text)
    except UnknownNameError as error:
        return _keys_at_least(known, text, error), ()
    try:
        keys = find_keys(known.snapshot, text)
    except UnknownNameError:
        return (), callers
    raise UnknownNameError(
        f"{quoted(text)} means {_one_or_many(keys, 'key')} and {_one_or_many(callers, 'principal')}.",
        "Name a key as alias/NAME, a principal as role/NAME; 'alias/*' and 'role/*' are all of them.",
    )


def _one_or_many(found: Sequence[Key | Principal], noun: str) -> str:
    return f"the {noun} {found[0].arn}" if len(found) == 1 else f"{len(found)} {noun}s"


def _keys_at_least(known: _Known, text: str, no_principal: UnknownNameError) -> tuple[Key, ...]:
    """The keys of a name that no principal has, or both errors as one."""
    if ":" in text or "/" in text:
        raise no_principal
    try:
        return find_keys(known.snapshot, text)
    except UnknownNameError as error:
        raise UnknownNameError(
            f"{no_principal.message} {error.message}", f"{no_principal.remedy} {error.remedy}"
        ) from error

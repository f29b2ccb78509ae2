"""Which keys somebody means by an id, an ARN, an alias or a pattern."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from auditor.errors import UnknownNameError
from auditor.evaluator.glob import matches
from auditor.model.key import Key
from auditor.model.snapshot import Snapshot
from auditor.questions.unknown_names import key_may_exist, quoted

SHOWN = 10


def find_keys(snapshot: Snapshot, text: str, *, several: bool = True) -> tuple[Key, ...]:
    """The keys called ``text``: key id, key ARN, ``alias/name``, alias ARN, a bare alias name, or a pattern with ``*``.

    A plain name that fits keys of several accounts or Regions (an alias, the id of a multi-Region key) is ambiguous; a
    pattern names all that match, unless ``several`` is False. Raises UnknownNameError that lists candidates.
    """
    pattern = "*" in text or "?" in text
    found = tuple(key for key in snapshot.keys if any(_fits(name, text, pattern) for name in names_of(key)))
    if not found:
        near = _nearest(snapshot, text) + key_may_exist(snapshot, text)
        raise UnknownNameError(f"No key is called {quoted(text)}.", near)
    if len(found) > 1 and not (several and pattern):
        all_of_them = f" (or all of them: '*:{text}')" if several and text.startswith("alias/") else ""
        raise UnknownNameError(
            f"{quoted(text)} means {len(found)} keys.", f"Choose one: {candidates(found)}{all_of_them}."
        )
    return found


def find_all_keys(snapshot: Snapshot, names: Iterable[str]) -> tuple[Key, ...]:
    """The keys that ``names`` mean, each once, in their order. Raises UnknownNameError as ``find_keys`` does."""
    return tuple({key.arn: key for text in names for key in find_keys(snapshot, text)}.values())


def names_of(key: Key) -> tuple[str, ...]:
    """Everything that a key is called."""
    names = [key.arn, key.key_id]
    for alias in key.aliases:
        names += [alias.name, alias.arn, alias.name.removeprefix("alias/")]
    return tuple(names)


def candidates(keys: Iterable[Key]) -> str:
    """The keys' ARNs with their labels, the first few of them."""
    listed = [f"{key.arn} ({key.label})" for key in keys]
    more = f", and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def _fits(name: str, text: str, pattern: bool) -> bool:
    return matches(text, name) if pattern else name == text


def _nearest(snapshot: Snapshot, text: str) -> str:
    if text.startswith(("role/", "user/", "group/")) or ":iam::" in text:
        return "That is the name of a principal; what-can asks what it can do."
    names = {name for key in snapshot.keys for name in (key.key_id, *(alias.name for alias in key.aliases))}
    near = get_close_matches(text, names, n=5, cutoff=0.5)
    if near:
        return f"Did you mean {', '.join(near)}?"
    shown = sorted({key.label for key in snapshot.keys if key.customer_managed})[:SHOWN]
    return (
        f"The snapshot's keys ({len(snapshot.keys)}) are such as {', '.join(shown)}."
        if shown
        else "The snapshot has no keys."
    )

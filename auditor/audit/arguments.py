"""Arguments of the Python API that are of the wrong kind: refused in a sentence, before anything is done with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

from auditor.errors import UsageError, no_kind
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot

T = TypeVar("T")
LOAD = "Load one with Auditor.load."
JUDGE = "Make one with Auditor.judge."
OBJECTS = "Give the objects themselves, in a list; Evaluation.who_can and what_can take names."


def check_snapshots(*given: object) -> None:
    """Raises UsageError for anything that is no snapshot."""
    for one in given:
        check(one, Snapshot, "snapshot", LOAD)


def check_report(given: object, noun: str = "report") -> None:
    """Raises UsageError for anything that is no report."""
    check(given, Report, noun, JUDGE)


def check(given: object, kind: type[object], noun: str, remedy: str) -> None:
    """Raises UsageError unless ``given`` is of its kind."""
    if not isinstance(given, kind):
        raise UsageError(no_kind(given, noun), remedy)


def several(given: object, noun: str) -> tuple[object, ...]:
    """The items of a list. Raises UsageError for what is none, and for a text, which would be taken for its letters."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise UsageError(no_kind(given, f"list of {noun}s"), f"Give the {noun}s in a list.")
    return tuple(given)


def texts(given: object, noun: str) -> tuple[str, ...]:
    """One text, or the texts of a list. Raises UsageError for anything else."""
    found = (given,) if isinstance(given, str) else several(given, noun)
    for one in found:
        check(one, str, noun, "It is a text.")
    return tuple(map(str, found))


def objects(given: Sequence[T], kind: type[T], noun: str) -> tuple[T, ...]:
    """The keys or principals in a sequence. Raises UsageError for names, and for one that stands alone."""
    found = several(given, noun)
    for one in found:
        check(one, kind, noun, OBJECTS)
    return cast("tuple[T, ...]", found)


def named(given: Iterable[object], kind: str, example: str) -> tuple[str, ...]:
    """The names in ``given``, of keys and principals their ARNs. Raises UsageError where there are none."""
    names = tuple(item.arn if isinstance(item, Key | Principal) else item for item in given)
    for name in names:
        if not isinstance(name, str):
            told = f"Give names such as {example}, each as an argument of its own."
            raise UsageError(no_kind(name, f"name of a {kind}"), told)
    if not names:
        raise UsageError(f"No {kind} was named.", f"Give {example}, an ARN or a pattern.")
    return tuple(str(name) for name in names)

"""What a rule hands back: the bare fact and which severity clauses apply. ``judge.py`` makes the finding of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from auditor.model.arn import account_of
from auditor.model.finding import Confidence, Evidence
from auditor.model.policy import Statement, StatementRef

MOST_NAMES = 200
"""So many names a piece of evidence carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One fact that a rule found.

    ``raised`` / ``lowered``: words that pick a clause of the rule's catalogue entry. ``identity`` are the parts of the
    fingerprint besides rule and subject: canonical principal, statement meanings, grant id. ``fix`` are ``(placeholder,
    value)`` pairs for the remediation example; ``remedy`` replaces the example's body (corrected statements as JSON, or
    commands, then ``remedy_kind`` is ``cli``; it may also name a sort of policy) and ``advice`` its summary; ``bare``:
    there is neither policy nor command to show.
    """

    subject: str
    kind: str
    summary: str
    account: str = ""
    region: str = ""
    keys: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    raised: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()
    confidence: Confidence = Confidence.CONFIRMED
    latent: bool = False
    identity: tuple[str, ...] = ()
    fix: tuple[tuple[str, str], ...] = ()
    advice: str = ""
    remedy: str = ""
    remedy_kind: str = ""
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Located:
    """A statement in its place: ``key`` is the ARN of the key whose policy it stands in, or empty."""

    ref: StatementRef
    statement: Statement
    variables: bool
    key: str = ""


def given(*pairs: tuple[object, str]) -> tuple[str, ...]:
    """The words of the clauses whose fact holds: ``given((tier == "T1", "T1 key"), …)``."""
    return tuple(words for fact, words in pairs if fact)


def titled(statement: Statement) -> str:
    """How a summary begins that is about a statement: ``Statement “Sid”`` or ``Statement 2``."""
    return f"Statement “{statement.sid}”" if statement.sid else f"Statement {statement.index + 1}"


def listing(items: Iterable[str], limit: int = 8) -> str:
    """A sorted, comma-separated listing that says how many more there are."""
    found = sorted(set(items))
    if len(found) <= limit:
        return ", ".join(found)
    return ", ".join(found[:limit]) + f" and {len(found) - limit} more"


def naming(label: str, names: Iterable[str], *, nobody: str = "") -> Evidence:
    """Evidence that lists names which the finding has in no other field, and carries all of them; of more than
    ``MOST_NAMES`` the accounts that they are in. ``nobody`` is its value without any."""
    found = tuple(sorted(set(names)))
    carried = found if len(found) <= MOST_NAMES else tuple(sorted({account_of(name) or name for name in found}))
    return Evidence(label, listing(found) or nobody, names=carried)


def first_of(items: Sequence[Evidence], limit: int = 10) -> tuple[Evidence, ...]:
    """The first pieces of evidence of one sort, and one that counts the others and carries their names."""
    if len(items) <= limit:
        return tuple(items)
    names = {name for item in items[limit:] for name in item.names}
    return (*items[:limit], replace(naming(items[0].label, names), value=f"and {len(items) - limit} more"))


def count(number: int, noun: str) -> str:
    """``1 key``, ``2 keys``; nouns in -y become -ies."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{number} {plural}"

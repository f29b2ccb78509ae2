"""The grants of a snapshot: on which key, to whom, how old, under which constraint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from auditor.evaluator.glob import matches
from auditor.model.arn import is_unique_id, parse_arn
from auditor.model.grant import Grant, Pairs
from auditor.model.inventory import Inventory
from auditor.model.key import Key
from auditor.model.moments import instant
from auditor.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One grant. ``age_days`` is None when AWS gave no date.

    ``grantee_missing``: the grantee belongs to an account whose identities were read, and is not among them; None
    where its account was not looked into.
    """

    key: Key
    grant: Grant
    age_days: int | None
    grantee_missing: bool | None

    @property
    def grantee(self) -> str:
        """Who holds it, as AWS shows it."""
        return self.grant.grantee or self.grant.grantee_service or "nobody"

    def held_by(self, pattern: str) -> bool:
        """Whether the grantee is called so: by ARN, ``role/NAME``, name, account or a pattern with ``*``."""
        arn = parse_arn(self.grantee)
        names = [self.grantee]
        if arn is not None:
            names += [arn.resource, arn.name, arn.account, f"{arn.resource.partition('/')[0]}/{arn.name}"]
        return any(matches(pattern, name) for name in names)

    @property
    def constraint(self) -> str:
        """The constraint in words; empty without one."""
        parts = []
        if self.grant.context_equals:
            parts.append(f"encryption context is {_pairs(self.grant.context_equals)}")
        if self.grant.context_subset:
            parts.append(f"encryption context contains {_pairs(self.grant.context_subset)}")
        if self.grant.source_arn:
            parts.append(f"on behalf of {self.grant.source_arn}")
        return " and ".join(parts)


def grant_list(
    snapshot: Snapshot, as_of: str, *, keys: Iterable[Key] | None = None, stale_days: int | None = None
) -> tuple[GrantRow, ...]:
    """The grants of ``keys`` (default: all), oldest first; ``stale_days`` keeps those that may be that old."""
    moment = instant(as_of)
    known = _inventory(snapshot)
    inventory = Inventory(snapshot)
    rows = [
        GrantRow(key, grant, _age(grant, moment), _missing(grant, known, inventory))
        for key in (snapshot.keys if keys is None else keys)
        for grant in key.grants
    ]
    if stale_days is not None:
        rows = [row for row in rows if row.age_days is None or row.age_days >= stale_days]
    return tuple(sorted(rows, key=lambda row: (-(row.age_days or 0), row.key.arn, row.grant.grant_id)))


def _inventory(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(name for item in snapshot.principals for name in (item.arn, item.unique_id) if name)


def _missing(grant: Grant, known: frozenset[str], inventory: Inventory) -> bool | None:
    holder = grant.grantee
    if holder is not None and is_unique_id(holder):
        return holder not in known  # AWS shows a deleted principal by its unique id
    if holder is None or grant.service is not None or holder in known:
        return False
    if not inventory.identities_read(holder):
        return None
    return ":role/" in holder or ":user/" in holder


def _age(grant: Grant, moment: datetime | None) -> int | None:
    created = instant(grant.created)
    return None if moment is None or created is None else (moment - created).days


def _pairs(pairs: Pairs) -> str:
    return ", ".join(f"{name}={value}" for name, value in pairs)

"""What a difference of facts can reach: the rows and columns of the access table whose inputs differ.

A decision rests on its principal, its key and the surroundings, on nothing else. Where all three are equal on both
sides the decision is, so it need not be made at all. Of the surroundings, a pair sees the organization as a whole and
the levels above the two accounts: their SCPs count for the caller, their RCPs for the key. The time counts only where a
policy asks how long a key has not been used.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from auditor.evaluator import Surroundings, surroundings_of
from auditor.evaluator.mentions import rows
from auditor.model.access import AccessTable
from auditor.model.key import Fact, Key
from auditor.model.organization import Organization, OrgTarget
from auditor.model.policy import AttachedPolicy, Policy
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot

Described = TypeVar("Described", Key, Principal)
AGE = "kms:trailingdayswithoutkeyusage"


class Facts(Protocol):
    """Facts with the world around them, all callers that they know, and what has been decided of them."""

    @property
    def snapshot(self) -> Snapshot:
        """What was collected."""

    @property
    def surroundings(self) -> Surroundings:
        """The organization and the time."""

    @property
    def principals(self) -> tuple[Principal, ...]:
        """The rows: collected and mentioned callers, by ARN."""

    @property
    def tables(self) -> tuple[AccessTable, ...]:
        """Access of some callers to some keys, where that has been decided already."""


@dataclass(frozen=True, slots=True)
class World:
    """Facts that are not evaluated, or only in part (``tables``)."""

    snapshot: Snapshot
    surroundings: Surroundings
    principals: tuple[Principal, ...]
    tables: tuple[AccessTable, ...] = ()


def world_of(snapshot: Snapshot, *, as_of: str) -> World:
    """The facts of a snapshot at ``as_of`` (ISO 8601 UTC)."""
    return World(snapshot, surroundings_of(snapshot, as_of=as_of), rows(snapshot))


@dataclass(frozen=True, slots=True)
class Affected:
    """ARNs of the callers and keys whose decisions may differ; every pair without one of them is as it was."""

    principals: frozenset[str]
    keys: frozenset[str]


def affected(old: Facts, new: Facts, was: Iterable[Principal], now: Iterable[Principal]) -> Affected:
    """What differs between the rows ``was`` and ``now`` and between the keys of both sides."""
    worlds = (old.surroundings, new.surroundings)
    callers, keys = _Sides(_by_arn(was), _by_arn(now)), _Sides(_by_arn(old.snapshot.keys), _by_arn(new.snapshot.keys))
    times = (old.surroundings.as_of, new.surroundings.as_of)
    if (times[0] == times[1] and keys.are_the_same()) or not time_counts(old, new):
        times = ("", "")
    aging = _seen_with_age(times[0])
    return Affected(
        callers.differing(_SEEN_OF_PRINCIPAL, _SEEN_OF_PRINCIPAL, _Levels(*worlds, _seen_of_caller)),
        keys.differing(
            aging, aging if times[0] == times[1] else _seen_with_age(times[1]), _Levels(*worlds, _seen_of_key)
        ),
    )


def time_counts(*sides: Facts) -> bool:
    """Whether the time plays a part in any decision about these facts."""
    return any(_asks_for_age(side.snapshot) for side in sides)


def _by_arn(items: Iterable[Described]) -> dict[str, Described]:
    return {item.arn: item for item in items}


@dataclass(frozen=True, slots=True)
class _Sides(Generic[Described]):
    """The callers or the keys of both sides, by ARN."""

    was: dict[str, Described]
    now: dict[str, Described]

    def are_the_same(self) -> bool:
        """Whether both sides have the very same objects."""
        return self.was.keys() == self.now.keys() and all(self.was[arn] is self.now[arn] for arn in self.was)

    def differing(
        self, before: Callable[[Described], object], after: Callable[[Described], object], levels: _Levels
    ) -> frozenset[str]:
        """ARNs whose decisions may differ; ``before`` and ``after`` tell what a decision sees of an item on each side.

        Most items are the same object on both sides: those are alike wherever both sides look the same way.
        """
        found = self.was.keys() ^ self.now.keys()
        for arn in self.was.keys() & self.now.keys():
            was, now = self.was[arn], self.now[arn]
            same = before is after and was is now
            if (not same and before(was) != after(now)) or levels.differ(was.account):
                found.add(arn)
        return frozenset(found)


def _but(kind: type[Key | Principal], *ignored: str) -> Callable[[object], object]:
    """What is left of an object without some fields, as something to compare."""
    return attrgetter(*(item.name for item in fields(kind) if item.name not in ignored))


_SEEN_OF_PRINCIPAL = _but(
    Principal, "created", "last_used", "credentials", "last_accessed", "instance_profiles", "groups"
)
"""Without what rules alone look at: when and how somebody was active."""
_SEEN_OF_KEY = _but(
    Key,
    "description",
    "created",
    "deletion_date",
    "pending_window_days",
    "valid_to",
    "expiration_model",
    "custom_key_store_id",
    "primary_arn",
    "replica_arns",
    "rotation",
    "last_usage",
)
"""Without what rules alone look at."""


def _seen_with_age(as_of: str) -> Callable[[Key], object]:
    """As ``_SEEN_OF_KEY``; the age of a key's last use counts where a policy asks for it (``as_of``)."""
    return (lambda key: (_SEEN_OF_KEY(key), key.created, key.last_usage, as_of)) if as_of else _SEEN_OF_KEY


def _asks_for_age(snapshot: Snapshot) -> bool:
    distinct = {id(attached.policy): attached.policy for attached in policies_of(snapshot)}
    return any(_by_age(policy) for policy in distinct.values())


def _by_age(policy: Policy) -> bool:
    tests = (test for statement in policy.statements for test in statement.conditions)
    return any(test.key.lower() == AGE for test in tests) or (policy.has_variables and AGE in policy.text.lower())


def policies_of(snapshot: Snapshot) -> Iterator[AttachedPolicy]:
    """Every policy of every layer, as often as it is attached."""
    for key in snapshot.keys:
        yield from key.policies
    for principal in snapshot.principals:
        yield from principal.identity_policies
        yield from principal.session_policies or ()
        yield from (principal.boundary,) if principal.boundary else ()
    for target in snapshot.organization.targets if snapshot.organization else ():
        yield from (*(target.scps or ()), *(target.rcps or ()))


def _seen_of_caller(level: OrgTarget) -> Hashable:
    """What the caller's side sees of a level: who stands there, and its SCPs."""
    return (level.id, level.name, level.kind, level.scps, Fact.SCP in level.unread)


def _seen_of_key(level: OrgTarget) -> Hashable:
    """What the key's side sees of a level: who stands there, and its RCPs."""
    return (level.id, level.name, level.kind, level.rcps, Fact.RCP in level.unread)


class _Levels:
    """Tells whether two surroundings differ for an account, as one of its sides sees it; asked once per account."""

    def __init__(self, old: Surroundings, new: Surroundings, seen: Callable[[OrgTarget], Hashable]) -> None:
        self._seen = seen
        self._everywhere = _frame(old) != _frame(new)
        self._old, self._new = _Tree(old.organization), _Tree(new.organization)
        self._known: dict[str, bool] = {}

    def differ(self, account: str | None) -> bool:
        if self._everywhere or account is None:
            return self._everywhere
        if account not in self._known:
            self._known[account] = self._levels(self._old, account) != self._levels(self._new, account)
        return self._known[account]

    def _levels(self, tree: _Tree, account: str) -> Hashable:
        found = tree.levels(account)
        return None if found is None else tuple(map(self._seen, found))


def _frame(world: Surroundings) -> Hashable:
    """What every pair sees of its surroundings."""
    organization = world.organization
    known = (
        (organization.id, organization.management_account, organization.tree_read, organization.unseen)
        if organization
        else None
    )
    return (known, world.organization_unread)


class _Tree:
    def __init__(self, organization: Organization | None) -> None:
        self._targets = {target.id: target for target in organization.targets} if organization else {}

    def levels(self, account: str) -> tuple[OrgTarget, ...] | None:
        """As ``Organization.levels``, without building its index again for each account."""
        current = self._targets.get(account)
        if current is None or current.kind != "account":
            return None
        path = [current]
        while current.parent is not None and current.parent in self._targets and len(path) <= len(self._targets):
            current = self._targets[current.parent]
            path.append(current)
        return tuple(path)

"""What a difference of facts can reach: the rows and columns of the access table whose inputs differ.

A decision rests on its principal, its key and the surroundings, on nothing else. Where all three are equal on both
sides the decision is, so it need not be made at all. Of the surroundings, a pair sees the organization as a whole and
the levels above the two accounts: their SCPs count for the caller, their RCPs for the key. The time counts only where a
policy asks how long a key has not been used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import reduce
from operator import attrgetter, or_
from typing import Generic, Protocol, TypeVar

from auditor.evaluator import Surroundings, surroundings_of
from auditor.evaluator.mentions import rows
from auditor.model.access import AccessTable
from auditor.model.actions import ALL
from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy, Policy
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.questions.levels import Levels, seen_of_caller, seen_of_key

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
    """ARNs of the callers and keys whose decisions may differ; every pair without one of them is as it was.

    ``actions`` is the mask of those whose decisions may differ at all: not all where nothing but SCPs and RCPs does.
    """

    principals: frozenset[str]
    keys: frozenset[str]
    actions: int = ALL


def affected(old: Facts, new: Facts, was: Iterable[Principal], now: Iterable[Principal]) -> Affected:
    """What differs between the rows ``was`` and ``now`` and between the keys of both sides."""
    worlds = (old.surroundings, new.surroundings)
    callers, keys = _Sides(_by_arn(was), _by_arn(now)), _Sides(_by_arn(old.snapshot.keys), _by_arn(new.snapshot.keys))
    times = (old.surroundings.as_of, new.surroundings.as_of)
    if (times[0] == times[1] and keys.are_the_same()) or not time_counts(old, new):
        times = ("", "")
    aging = _seen_with_age(times[0])
    who = callers.differing(_SEEN_OF_PRINCIPAL, _SEEN_OF_PRINCIPAL)
    what = keys.differing(aging, aging if times[0] == times[1] else _seen_with_age(times[1]))
    bound, by_scps = callers.under(Levels(*worlds, seen_of_caller))
    guarded, by_rcps = keys.under(Levels(*worlds, seen_of_key))
    return Affected(who | bound, what | guarded, ALL if who or what else by_scps | by_rcps)


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

    def differing(self, before: Callable[[Described], object], after: Callable[[Described], object]) -> frozenset[str]:
        """ARNs of items that differ; ``before`` and ``after`` tell what a decision sees of an item on each side.

        Most items are the same object on both sides: those are alike wherever both sides look the same way.
        """
        found = self.was.keys() ^ self.now.keys()
        for arn in self.was.keys() & self.now.keys():
            was, now = self.was[arn], self.now[arn]
            same = before is after and was is now
            if not same and before(was) != after(now):
                found.add(arn)
        return frozenset(found)

    def under(self, levels: Levels) -> tuple[frozenset[str], int]:
        """ARNs of items of both sides under levels that differ, and the mask of the actions for which they do."""
        masks = {arn: levels.actions(self.was[arn].account) for arn in self.was.keys() & self.now.keys()}
        return frozenset(arn for arn, mask in masks.items() if mask), reduce(or_, set(masks.values()), 0)


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

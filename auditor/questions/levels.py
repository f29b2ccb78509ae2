"""How the levels above an account differ between two sides of a comparison, and for which actions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from auditor.evaluator import Surroundings
from auditor.evaluator.statements import action_mask
from auditor.model.actions import ALL
from auditor.model.key import Fact
from auditor.model.organization import OrgTarget
from auditor.model.policy import AttachedPolicy, Statement

Policies = tuple[AttachedPolicy, ...] | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one side of a decision sees of a level: who stands there, and its policies of one type."""

    place: Hashable
    policies: Policies


def seen_of_caller(level: OrgTarget) -> Seen:
    """What the caller's side sees: the SCPs."""
    return Seen((level.id, level.name, level.kind, Fact.SCP in level.unread), level.scps)


def seen_of_key(level: OrgTarget) -> Seen:
    """What the key's side sees: the RCPs."""
    return Seen((level.id, level.name, level.kind, Fact.RCP in level.unread), level.rcps)


class Levels:
    """Tells for which actions two surroundings may differ for an account, as one of its sides sees it; worked out once
    per account."""

    def __init__(self, old: Surroundings, new: Surroundings, seen: Callable[[OrgTarget], Seen]) -> None:
        self._seen = seen
        self._everywhere = _frame(old) != _frame(new)
        self._old, self._new = old.organization, new.organization
        self._known: dict[str | None, int] = {None: 0}
        self._between: dict[tuple[int, int], int] = {}

    def actions(self, account: str | None) -> int:
        """The mask of the actions whose decisions may differ for callers or keys of the account; 0 for none."""
        if self._everywhere:
            return ALL
        if account not in self._known:
            self._known[account] = self._differing(account or "")
        return self._known[account]

    def _differing(self, account: str) -> int:
        was, now = (side.levels(account) if side else None for side in (self._old, self._new))
        if was is None or now is None or len(was) != len(now):
            return 0 if was == now else ALL
        mask = 0
        for one, other in zip(was, now, strict=True):
            mask |= self._of_level(one, other)
        return mask

    def _of_level(self, was: OrgTarget, now: OrgTarget) -> int:
        """Many accounts share a level."""
        if was is now:
            return 0
        place = (id(was), id(now))
        if place not in self._between:
            self._between[place] = differing_actions(self._seen(was), self._seen(now))
        return self._between[place]


def differing_actions(was: Seen, now: Seen) -> int:
    """The mask of the actions about which the policies of a level say something else, or say it elsewhere."""
    if was == now:
        return 0
    if was.place != now.place or was.policies is None or now.policies is None:
        return ALL
    changed = set(was.policies) ^ set(now.policies)
    if not all(attached.policy.readable for attached in changed):
        return ALL
    before, after = _statements(was.policies), _statements(now.policies)
    if [one for one in before if one in after] != [one for one in after if one in before]:
        return ALL  # decisions cite statements in the order of the policies
    return reduce(or_, (action_mask(statement) for *_, statement in before.keys() ^ after.keys()), 0)


def _statements(policies: Iterable[AttachedPolicy]) -> dict[tuple[str, str, bool, Statement], None]:
    """Everything that a decision may read of a statement, and where it is cited from; in order, each once."""
    found = (
        (attached.name, attached.owner, attached.policy.has_variables, statement)
        for attached in policies
        for statement in attached.policy.statements
    )
    return dict.fromkeys(found)


def _frame(world: Surroundings) -> Hashable:
    """What every pair sees of its surroundings."""
    organization = world.organization
    known = (
        (
            organization.id,
            organization.management_account,
            (organization.tree_read, organization.branches_missing),
            organization.unseen,
        )
        if organization
        else None
    )
    return (known, world.organization_unread)

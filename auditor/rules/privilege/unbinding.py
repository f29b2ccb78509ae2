"""Taking SCPs and RCPs away: by leaving the organization, or from the management account, whom no SCP binds.

Nothing is guessed: access is decided again as it would be then, for those whom some layer stops today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from auditor.model.arn import account_of
from auditor.model.key import Fact
from auditor.model.organization import Organization
from auditor.model.principal import Principal
from auditor.rules.iam_side import may
from auditor.rules.privilege.central import DISABLES, LEAVES, MOVES, REMOVES, REWRITES
from auditor.rules.privilege.opened import held_by_each
from auditor.rules.privilege.path import UNBOUND, Path
from auditor.rules.view import View

STANDALONE = ("the account must have the contact and payment data of a standalone account",)
RCPS = "resource_control_policy"
OF_RCPS = (("organizations:policytype", RCPS.upper()),)
Stopped = tuple[Principal, frozenset[str], frozenset[str]]
"""An identity, what its policies speak of, and the keys (ARNs) over which another layer takes its power away."""


@dataclass(frozen=True, slots=True)
class Lifting:
    """A call that takes guardrails away, and what is left then; ``account`` is the one it is about, empty for all."""

    action: str
    left: str
    account: str


def by_unbinding(view: View, stopped: Iterable[Stopped]) -> Iterator[tuple[Principal, Path]]:
    """The paths of those who may take away what stops them, where nothing but SCPs and RCPs does."""
    organization = view.snapshot.organization
    if organization is None:
        return
    found: dict[Lifting, list[tuple[Principal, frozenset[str]]]] = {}
    for who, verbs, own in stopped:
        for lifting in _liftings(view, organization, who, verbs, own):
            found.setdefault(lifting, []).append((who, own))
    for lifting, able in found.items():
        callers = tuple(who for who, _ in able)
        asked = frozenset[str]().union(*(own for _, own in able))
        keys = tuple(key for key in view.reach.keys if key.arn in asked)
        world = replace(view.evaluation.surroundings, organization=_without(organization, lifting))
        needs = STANDALONE if lifting.action in (LEAVES, REMOVES) else ()
        for (who, own), each in zip(able, held_by_each(view, callers, keys, world), strict=True):
            for certain, opened in each:
                words = f"{who.arn} → {lifting.action} → {lifting.left}"
                sure = certain and _forbids_nothing_unread(organization, who)
                yield who, Path(words, 1, needs, opened & own, certain=sure)


def _liftings(
    view: View, organization: Organization, who: Principal, verbs: frozenset[str], keys: frozenset[str]
) -> Iterator[Lifting]:
    """How the identity takes guardrails away from itself or the keys: for each account the easiest first."""
    account = who.account or ""
    if account == organization.management_account:
        members = sorted({account_of(arn) or "" for arn in keys} - {account})
        found = (next(_from_management(view, organization, who, verbs, member), None) for member in members)
        yield from (lifting for lifting in dict.fromkeys(found) if lifting is not None)
    elif keys and LEAVES in verbs and organization.levels(account) and may(view, who, LEAVES, None):
        yield Lifting(LEAVES, f"{UNBOUND} the SCPs and RCPs of the organization", account)


def _from_management(
    view: View, organization: Organization, who: Principal, verbs: frozenset[str], member: str
) -> Iterator[Lifting]:
    levels = organization.levels(member)
    if levels is None:
        return
    place = f"arn:{who.arn.split(':')[1]}:organizations::{organization.management_account}"
    root, policies = f"{place}:root/{organization.id}/{levels[0].id}", f"{place}:policy/{organization.id}/{RCPS}/*"
    for action, resource in ((DISABLES, root), *((one, policies) for one in REWRITES)):
        if action in verbs and may(view, who, action, resource, known=OF_RCPS):
            yield Lifting(action, f"{UNBOUND} RCPs", "")
    for action, left in ((REMOVES, f"the RCPs of account {member}"), (MOVES, f"the RCPs of the units of {member}")):
        if action in verbs and may(view, who, action, f"{place}:account/{organization.id}/{member}"):
            yield Lifting(action, f"{UNBOUND} {left}", member)


def _without(organization: Organization, lifting: Lifting) -> Organization:
    """The organization as it would be: without the account, with it directly below the root, or without any RCP."""
    targets = organization.targets
    if lifting.action in (LEAVES, REMOVES):
        left = (one for one in targets if one.id != lifting.account)
    elif lifting.action == MOVES:
        top = next(one.id for one in targets if one.parent is None)
        left = (replace(one, parent=top) if one.id == lifting.account else one for one in targets)
    else:
        left = (replace(one, rcps=None, unread=one.unread - {Fact.RCP}) for one in targets)
    return replace(organization, targets=tuple(left))


def _forbids_nothing_unread(organization: Organization, who: Principal) -> bool:
    """Whether every SCP that might keep the identity from the call could be read; none binds the management account."""
    bound = who.account != organization.management_account
    return not bound or not any(Fact.SCP in level.unread for level in organization.levels(who.account or "") or ())

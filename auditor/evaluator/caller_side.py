"""The caller's side of a decision: identity policies, permissions boundary, session policies and SCPs.

Source: IAM user guide, policy evaluation logic (groups, boundaries, session policies); Organizations user guide, SCP
evaluation (levels, who is exempt).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from auditor.evaluator.asking import Pair
from auditor.evaluator.contributions import ALIAS_PART, CallerSide, Contribution, Slot
from auditor.evaluator.expressions import unsettled
from auditor.evaluator.resources import every_alias_reached, some_alias_reached
from auditor.evaluator.statements import Compiled, compile_policy
from auditor.evaluator.vocabulary import RESOURCE_KEYS, family_of
from auditor.model.actions import ALIAS_ACTIONS, actions_in
from auditor.model.key import Fact
from auditor.model.organization import OrgTarget
from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import TRUE

_NOT_BOUND = (PrincipalKind.SERVICE, PrincipalKind.EVERYONE)
_WITHOUT_IDENTITY = (PrincipalKind.ROOT, PrincipalKind.SERVICE, PrincipalKind.EVERYONE)


def caller_side(pair: Pair) -> CallerSide:
    """Everything that the caller's own account contributes."""
    return joined(pair.principal, own_part(pair), scp_part(pair))


@dataclass(frozen=True, slots=True)
class ScpPart:
    """The SCP contributions, and the names of the levels that bind the caller (None: SCPs do not bind it)."""

    contributions: tuple[Contribution, ...] = ()
    levels: tuple[str, ...] | None = None


def own_part(pair: Pair) -> tuple[Contribution, ...]:
    """What the caller's identity policies, boundary and session policies contribute."""
    return (*_identity(pair), *_boundary(pair), *_session(pair))


def joined(principal: Principal, own: tuple[Contribution, ...], scps: ScpPart) -> CallerSide:
    """The caller side of its two parts."""
    session = principal.session_policies is not None or principal.kind is PrincipalKind.FEDERATED_USER
    return CallerSide((*own, *scps.contributions), is_bounded(principal), session, scps.levels)


def is_bounded(principal: Principal) -> bool:
    """Whether the caller has, or may have, a permissions boundary, read or not."""
    return principal.boundary is not None or Fact.BOUNDARY in principal.unread


def certainly_bounded(principal: Principal) -> bool:
    """Whether the caller has a permissions boundary for certain; one that was collected is known to have it, whether
    the document could be read or not."""
    return is_bounded(principal) and (principal.boundary is not None or Fact.IDENTITIES not in principal.unread)


def cited_owner(attached: AttachedPolicy, principal: Principal) -> str:
    """The owner for citations; empty for the principal's own policies, so that equal principals share decisions."""
    return "" if attached.owner in (principal.arn, principal.iam_arn) else attached.owner


def _identity(pair: Pair) -> Iterator[Contribution]:
    principal = pair.principal
    if principal.assume_allowed:
        yield Contribution(Slot.IDENTITY_ALLOW, pair.mask, TRUE)
        yield Contribution(Slot.IDENTITY_ALIAS, pair.mask & ALIAS_ACTIONS, TRUE)
    if principal.kind in _WITHOUT_IDENTITY:
        return
    for attached in principal.identity_policies:
        owner = cited_owner(attached, principal)
        if not attached.policy.readable:
            yield from _gap(pair, Slot.IDENTITY_ALLOW, Slot.IDENTITY_DENY, f"identity policy {attached.name}")
        yield from _statements(pair, attached, owner, Slot.IDENTITY_ALLOW, Slot.IDENTITY_DENY)
    if _only_named(principal):
        yield from _possible(pair, Slot.IDENTITY_ALLOW, "identity policies")
    elif principal.unread & {Fact.IDENTITIES, Fact.IDENTITY_POLICY}:
        yield from _gap(pair, Slot.IDENTITY_ALLOW, Slot.IDENTITY_DENY, "identity policies")


def _statements(
    pair: Pair, attached: AttachedPolicy, owner: str, allow: Slot, deny: Slot, level: int = 0
) -> Iterator[Contribution]:
    for compiled in compile_policy(attached, owner):
        yield from pair.recall(compiled, (allow, level), partial(_statement, pair, compiled, allow, deny, level))


def _statement(pair: Pair, compiled: Compiled, allow: Slot, deny: Slot, level: int) -> Iterator[Contribution]:
    if not compiled.allows:
        yield from denials(pair, compiled, deny, level)
        return
    yield from pair.contributions(compiled, allow, level=level)
    on_aliases = compiled.mask & pair.mask & ALIAS_ACTIONS
    if on_aliases and compiled.universal:
        yield Contribution(ALIAS_PART[allow], on_aliases, TRUE, compiled.ref, None, level)
    elif on_aliases:
        for on_alias in _as_asked_of_alias(pair, compiled):
            yield from on_alias.contributions(compiled, ALIAS_PART[allow], level=level, reach=some_alias_reached)


def denials(pair: Pair, compiled: Compiled, slot: Slot, level: int = 0) -> Iterator[Contribution]:
    """A deny that reaches the key; for alias actions also one that reaches every alias they could be about."""
    found = list(pair.contributions(compiled, slot, level=level))
    yield from found
    open_actions = compiled.mask & pair.mask & ALIAS_ACTIONS
    for contribution in found:
        open_actions &= ~contribution.mask
    for on_alias in _as_asked_of_alias(pair.about(open_actions), compiled) if open_actions else ():
        yield from on_alias.contributions(compiled, slot, level=level, reach=every_alias_reached)


def _as_asked_of_alias(pair: Pair, compiled: Compiled) -> Iterator[Pair]:
    """The same pair, action by action, when the resource is an alias: the key's own condition keys are not there."""
    hidden = {name: None for name in compiled.keys if name in RESOURCE_KEYS or family_of(name) == "aws:resourcetag/"}
    for action in actions_in(pair.mask & compiled.mask & ALIAS_ACTIONS):
        yield replace(pair, mask=1 << action.bit, context={**pair.context, **hidden})


def _gap(pair: Pair, allow: Slot, deny: Slot, what: str, level: int = 0) -> Iterator[Contribution]:
    yield from _possible(pair, allow, what, level)
    yield Contribution(deny, pair.mask, unsettled(what, "deny"), level=level)


def _only_named(principal: Principal) -> bool:
    """Whether it is a federated user of whom nothing but the name is known. Its user's policies and the session policy
    may allow anything; that they deny something is assumed as little as it is of other sessions."""
    return principal.kind is PrincipalKind.FEDERATED_USER and Fact.IDENTITIES in principal.unread


def _possible(pair: Pair, allow: Slot, what: str, level: int = 0) -> Iterator[Contribution]:
    missing = unsettled(what)
    yield Contribution(allow, pair.mask, missing, level=level)
    if pair.mask & ALIAS_ACTIONS:
        yield Contribution(ALIAS_PART[allow], pair.mask & ALIAS_ACTIONS, missing, level=level)


def _boundary(pair: Pair) -> Iterator[Contribution]:
    boundary = pair.principal.boundary
    if Fact.BOUNDARY in pair.principal.unread or (boundary is not None and not boundary.policy.readable):
        yield from _gap(pair, Slot.BOUNDARY_ALLOW, Slot.BOUNDARY_DENY, "permissions boundary")
    elif boundary is not None:
        yield from _limit(pair, boundary, Slot.BOUNDARY_ALLOW, Slot.BOUNDARY_DENY)


def _session(pair: Pair) -> Iterator[Contribution]:
    if _only_named(pair.principal):
        yield from _possible(pair, Slot.SESSION_ALLOW, "session policy")
    for attached in pair.principal.session_policies or ():
        if not attached.policy.readable:
            yield from _gap(pair, Slot.SESSION_ALLOW, Slot.SESSION_DENY, "session policy")
        yield from _limit(pair, attached, Slot.SESSION_ALLOW, Slot.SESSION_DENY)


def _limit(pair: Pair, attached: AttachedPolicy, allow: Slot, deny: Slot, level: int = 0) -> Iterator[Contribution]:
    """The contributions of a policy that only limits; a boundary belongs to its principal, so it has no owner."""
    yield from _statements(pair, attached, cited_owner(attached, pair.principal), allow, deny, level)


def scp_part(pair: Pair) -> ScpPart:
    """What the service control policies of the caller's account contribute."""
    principal, world = pair.principal, pair.surroundings
    organization = world.organization
    if principal.kind in _NOT_BOUND or principal.service_linked or principal.account is None:
        return ScpPart()
    if organization is not None and principal.account == organization.management_account:
        return ScpPart()
    if world.organization_unread or (organization is not None and organization.unread(principal.account)):
        gap = _gap(pair, Slot.SCP_ALLOW, Slot.SCP_DENY, "service control policies")
        return ScpPart(tuple(gap), ("organization",))
    levels = organization.levels(principal.account) if organization is not None else None
    if levels is None or any(level.scps is None for level in levels):
        return ScpPart()
    found = tuple(one for number, level in enumerate(levels) for one in _scp_level(pair, level, number))
    return ScpPart(found, _names(levels))


def _names(levels: tuple[OrgTarget, ...]) -> tuple[str, ...]:
    """What the levels are called; those of the same name, such as a unit and its account, are told by their ids."""
    names = [level.name or level.id for level in levels]
    return tuple(
        f"{name} ({level.id})" if names.count(name) > 1 else name for name, level in zip(names, levels, strict=True)
    )


def _scp_level(pair: Pair, level: OrgTarget, number: int) -> Iterator[Contribution]:
    for attached in level.scps or ():
        if not attached.policy.readable:
            yield from _gap(pair, Slot.SCP_ALLOW, Slot.SCP_DENY, f"SCP {attached.name}", number)
        yield from _limit(pair, attached, Slot.SCP_ALLOW, Slot.SCP_DENY, number)
    if Fact.SCP in level.unread:
        yield from _gap(pair, Slot.SCP_ALLOW, Slot.SCP_DENY, f"SCPs of {level.name or level.id}", number)

"""The key's side of a decision: all key policies of the key, RCPs and grants.

Source: KMS developer guide, key policies, grants and resource control policies. How the policy named AWS_RAM is
evaluated is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial

from auditor.evaluator import naming
from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import certainly_bounded, denials, is_bounded
from auditor.evaluator.contributions import Contribution, KeySide, Slot
from auditor.evaluator.expressions import all_of, unsettled
from auditor.evaluator.grants import grant_contributions
from auditor.evaluator.statements import Compiled, compile_policy
from auditor.model.actions import KEY_POLICY_EFFECTIVE, ON_KEY, RCP_APPLIES
from auditor.model.arn import is_unique_id
from auditor.model.key import RAM_POLICY, Fact
from auditor.model.policy import PrincipalValue
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal
from auditor.model.residual import TRUE, Residual

NOT_PRINCIPAL_ALLOW = "notprincipal_allow"
RAM_FLAG = "ram_policy"
ORPHAN = "orphaned_principal"
_KEY_ALLOWS = (Slot.KEY_USER, Slot.KEY_ROLE, Slot.KEY_SESSION, Slot.KEY_STAR, Slot.KEY_ACCOUNT, Slot.KEY_SERVICE)


def key_side(pair: Pair) -> KeySide:
    """Everything that the key and its account contribute."""
    found = [*_policies(pair), *_rcps(pair), *grant_contributions(pair)]
    orphaned = any(_names_deleted(attached.policy.text) for attached in pair.key.policies)
    return KeySide(tuple(found), (ORPHAN,) if orphaned else ())


@lru_cache(maxsize=8192)
def _names_deleted(text: str) -> bool:
    """Whether a document names a principal by the unique id that is left of a deleted one."""
    statements = parse_policy(text).statements
    return any(is_unique_id(entry.value) for statement in statements for entry in statement.principals or ())


def _policies(pair: Pair) -> Iterator[Contribution]:
    effective = pair.mask & ON_KEY & KEY_POLICY_EFFECTIVE
    unread = Fact.KEY_POLICY in pair.key.unread
    # Account-level actions stay in: that the key policy names them to no effect is the reason of their denial.
    limited = pair.about(_reach(pair.mask))
    for attached in pair.key.policies:
        unread = unread or not attached.policy.readable
        # The key is the one asked about, so its own policies are cited without an owner.
        for compiled in compile_policy(attached, ""):
            yield from _statement(limited, compiled, RAM_FLAG if attached.name == RAM_POLICY else "")
    if unread and effective:
        yield Contribution(Slot.KEY_STAR, effective, unsettled("key policy"))
        yield Contribution(Slot.KEY_DENY, effective, unsettled("key policy", "deny"))


def _statement(pair: Pair, compiled: Compiled, flag: str) -> Iterator[Contribution]:
    if compiled.allows:
        forms = _allowed_forms(compiled, pair)
        for slot in _KEY_ALLOWS:
            if slot in forms:
                place = (slot, forms[slot])
                yield from pair.recall(compiled, place, partial(_allows, pair, compiled, flag, *place))
        return
    for contribution in _denies(pair.about(pair.mask & ON_KEY), compiled):
        yield _flagged(contribution, flag)


def _allows(pair: Pair, compiled: Compiled, flag: str, slot: Slot, match: Residual) -> Iterator[Contribution]:
    for contribution in pair.contributions(compiled, slot, match=match):
        yield _flagged(contribution, flag, NOT_PRINCIPAL_ALLOW if compiled.statement.not_principals else "")


def _denies(pair: Pair, compiled: Compiled) -> Iterator[Contribution]:
    found: list[Residual]
    if compiled.statement.not_principals is not None:
        found = _not_spared(compiled.spared.about(pair.principal), pair.principal)
    else:
        found = list(_named(compiled, pair.principal).values())
    for match in found:
        denied = partial(pair.contributions, compiled, Slot.KEY_DENY, match=match)
        yield from pair.recall(compiled, (Slot.KEY_DENY, match), denied)


def _not_spared(exempt: tuple[PrincipalValue, ...], principal: Principal) -> list[Residual]:
    """Under what a Deny with NotPrincipal hits the caller: a boundary, whatever it says, undoes every exemption."""
    if not naming.exempted(exempt, principal, bounded=certainly_bounded(principal)):
        return [TRUE]
    return [unsettled("permissions boundary", "deny")] if is_bounded(principal) else []


def _reach(mask: int) -> int:
    return mask & (KEY_POLICY_EFFECTIVE | ~ON_KEY)


def _allowed_forms(compiled: Compiled, pair: Pair) -> dict[Slot, Residual]:
    if compiled.statement.not_principals is None:
        return _named(compiled, pair.principal)
    listed = naming.matches(compiled.spared.about(pair.principal), pair.principal)
    # Unsupported by IAM; counted as an allow for everybody who is not listed, so that nothing is under-reported.
    return {} if listed else {Slot.KEY_STAR: TRUE}


def _named(compiled: Compiled, principal: Principal) -> dict[Slot, Residual]:
    """The forms in which the Principal element names the caller."""
    accounts = compiled.accounts
    if accounts is not None and principal.account not in accounts:
        return {}
    return naming.matches(compiled.named.about(principal), principal)


def _flagged(contribution: Contribution, *flags: str) -> Contribution:
    added = tuple(flag for flag in flags if flag)
    if not added:
        return contribution
    return Contribution(
        contribution.slot,
        contribution.mask,
        contribution.residual,
        contribution.source,
        contribution.grant,
        contribution.level,
        (*contribution.flags, *added),
    )


def _rcps(pair: Pair) -> Iterator[Contribution]:
    """What RCPs deny; of a key whose manager is not known it is not known either, because keys of AWS are not bound."""
    if Fact.KEY_METADATA not in pair.key.unread:
        yield from _binding_rcps(pair)
    elif not any(alias.name.startswith("alias/aws/") for alias in pair.key.aliases):
        missing = unsettled("key metadata", "deny")
        yield from (replace(one, residual=all_of((one.residual, missing))) for one in _binding_rcps(pair))


def _binding_rcps(pair: Pair) -> Iterator[Contribution]:
    world, key = pair.surroundings, pair.key
    mask = pair.mask & RCP_APPLIES
    if not mask or not key.customer_managed or pair.principal.service_linked:
        return
    organization = world.organization
    if organization is not None and key.account == organization.management_account:
        return
    if world.organization_unread or (organization is not None and organization.unread(key.account)):
        yield Contribution(Slot.RCP_DENY, mask, unsettled("resource control policies"))
        return
    levels = organization.levels(key.account) if organization is not None else None
    limited = pair.about(mask)
    for number, level in enumerate(levels or ()):
        for attached in level.rcps or ():
            if not attached.policy.readable:
                yield Contribution(Slot.RCP_DENY, mask, unsettled(f"RCP {attached.name}"), level=number)
            for compiled in compile_policy(attached, attached.owner):
                if not compiled.allows and _binds_everyone(compiled):
                    denied = partial(denials, limited, compiled, Slot.RCP_DENY, number)
                    yield from limited.recall(compiled, (Slot.RCP_DENY, number), denied)
        if Fact.RCP in level.unread:
            yield Contribution(Slot.RCP_DENY, mask, unsettled(f"RCPs of {level.name or level.id}"), level=number)


def _binds_everyone(compiled: Compiled) -> bool:
    """An RCP names no principal but ``*``; a document without the element is read the same way."""
    principals = compiled.statement.principals
    return principals is None or any(entry.value == "*" for entry in principals)

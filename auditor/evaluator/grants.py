"""Grants: grantees, operations, constraints, and who may retire them (KMS developer guide, grants)."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator import naming
from auditor.evaluator.asking import Pair
from auditor.evaluator.consistency import GRANT_SOURCE
from auditor.evaluator.contributions import Contribution, Slot
from auditor.evaluator.expressions import all_of, unsettled
from auditor.evaluator.facts import grantable_on
from auditor.evaluator.statements import split
from auditor.evaluator.values import Known, RunTime
from auditor.model.actions import (
    ACTIONS,
    CREATE_GRANT,
    GRANTABLE,
    RETIRE_GRANT,
    find_action,
    key_type,
    mask_of,
    state_blocks,
)
from auditor.model.grant import Grant, Pairs
from auditor.model.key import Fact, Key
from auditor.model.policy import Layer
from auditor.model.principal import PrincipalKind
from auditor.model.residual import FALSE, TRUE, Leaf, Residual

CONTEXT = "kms:EncryptionContext"
SOURCE = "aws:SourceArn"
ANY_GRANT = "any grant issued by the account"
"""Cited instead of a grant id where each grant of the key would do."""
_CONTEXT_IGNORED = mask_of(["DescribeKey", "RetireGrant"])
_MAKING = ACTIONS[CREATE_GRANT.bit_length() - 1]
_RETIRING = {
    Slot.GRANT: Slot.RETIRE,
    Slot.GRANT_OF_USER: Slot.RETIRE_OF_USER,
    Slot.GRANT_ACCOUNT: Slot.RETIRE_ACCOUNT,
}
_DECRYPT = mask_of(["Decrypt"]).bit_length() - 1
"""The action whose request keys the constraints are read by: the same for every action that they bind."""


def grant_contributions(pair: Pair) -> Iterator[Contribution]:
    """What the key's grants give to the caller."""
    if not pair.mask & GRANTABLE:
        return
    index = pair.grants
    for grant in index.about(pair.principal):
        yield from _operations(grant, pair)
        if pair.mask & RETIRE_GRANT:
            yield from _retirement(grant, pair)
    if pair.mask & RETIRE_GRANT and pair.principal.account in index.issuers:
        # the account that issued a grant may retire it as a fallback
        yield Contribution(Slot.RETIRE_ISSUER, RETIRE_GRANT, TRUE, None, ANY_GRANT)
    if Fact.GRANTS in pair.key.unread and (possible := pair.mask & grantable_on(pair.key)):
        yield Contribution(Slot.GRANT, possible, unsettled("grants"))


def grantable_now(key: Key) -> int:
    """The operations that a new grant on the key could have: none while its state lets nobody create one."""
    return 0 if state_blocks(_MAKING, key.state) else grantable_on(key)


def operations_mask(grant: Grant) -> int:
    """The granted operations as actions; a name that is none is ignored."""
    mask = 0
    for operation in grant.operations:
        action = find_action(operation)
        mask |= 1 << action.bit if action else 0
    return mask & GRANTABLE


def _operations(grant: Grant, pair: Pair) -> Iterator[Contribution]:
    slot, match = _holder(grant.grantee, grant.service, pair)
    mask = operations_mask(grant) & pair.mask
    if slot is None or not mask:
        return
    for part in split([mask], [_CONTEXT_IGNORED, RETIRE_GRANT] if _constrained(grant) else []):
        residual = all_of((match, _constraints(grant, pair, part)))
        if residual != FALSE:
            yield Contribution(slot, part, residual, None, grant.grant_id)


def out_of_reach(pair: Pair) -> Iterator[Grant]:
    """Grants that would give the caller one of the actions if its request could meet their constraints."""
    for grant in pair.grants.about(pair.principal):
        slot, match = _holder(grant.grantee, grant.service, pair)
        mask = operations_mask(grant) & pair.mask
        if slot is not None and match != FALSE and mask and not any(_operations(grant, pair)):
            yield grant


def _constrained(grant: Grant) -> bool:
    return any(one is not None for one in (grant.context_equals, grant.context_subset, grant.source_arn))


def _holder(grantee: str | None, service: str | None, pair: Pair) -> tuple[Slot | None, Residual]:
    """Whether the caller is the grantee, and how: by itself, or as a member of the grantee account."""
    if pair.principal.kind is PrincipalKind.SERVICE:
        return (Slot.GRANT, TRUE) if service == pair.principal.arn else (None, FALSE)
    if grantee is None or service is not None or pair.principal.kind is PrincipalKind.EVERYONE:
        return None, FALSE
    if naming.is_account_principal(grantee):
        return (Slot.GRANT_ACCOUNT, TRUE) if naming.in_account(grantee, pair.principal) else (None, FALSE)
    slot, match = naming.identity_match(grantee, pair.principal)
    if slot is Slot.KEY_USER and pair.principal.kind is PrincipalKind.FEDERATED_USER:
        return Slot.GRANT_OF_USER, match
    return (None if slot is None else Slot.GRANT), match


def _constraints(grant: Grant, pair: Pair, mask: int) -> Residual:
    parts: list[Residual] = []
    if not mask & _CONTEXT_IGNORED and _takes_context(pair.key):
        if grant.context_equals is not None:
            parts.append(_context("GrantEncryptionContextEquals", grant.context_equals, pair))
        if grant.context_subset is not None:
            parts.append(_context("GrantEncryptionContextSubset", grant.context_subset, pair))
    if grant.source_arn is not None and not mask & RETIRE_GRANT:
        parts.append(_source(grant.source_arn, pair))
    return all_of(parts)


def _takes_context(key: Key) -> bool:
    """Whether operations with the key support an encryption context; elsewhere its constraints are not applied."""
    return Fact.KEY_METADATA in key.unread or key_type(key.spec, key.usage) == "symmetric_encryption"


def _context(operator: str, wanted: Pairs, pair: Pair) -> Residual:
    """A context constraint; pair names are compared without regard to case."""
    question = pair.question(_DECRYPT, Layer.GRANT)
    given = {name.lower(): question.value(f"{CONTEXT}:{name}") for name, _ in wanted}
    if any(isinstance(found := given[name.lower()], Known) and value not in found.values for name, value in wanted):
        return FALSE
    unseen = {name for name, found in given.items() if not isinstance(found, Known)}
    settled = not unseen
    names = question.value("kms:EncryptionContextKeys")
    exact = operator.endswith("Equals")
    if exact and isinstance(names, RunTime) and not {name.lower() for name in names.includes} <= set(given):
        return FALSE
    if isinstance(names, Known):
        present = {name.lower() for name in names.values}
        if unseen - present or (exact and present != set(given)):
            return FALSE
    elif exact:
        settled = False
    return TRUE if settled else Leaf(operator, CONTEXT, tuple(sorted(f"{name}={value}" for name, value in wanted)))


def _source(wanted: str, pair: Pair) -> Residual:
    """A SourceArn constraint: as good as a condition on aws:SourceArn, which only service principals' requests have."""
    given = pair.question(_DECRYPT, Layer.GRANT).value(SOURCE)
    if isinstance(given, Known):
        return TRUE if wanted in given.values else FALSE
    return Leaf(GRANT_SOURCE, SOURCE, (wanted,))


def _retirement(grant: Grant, pair: Pair) -> Iterator[Contribution]:
    """Retiring principal and retiring account."""
    slot, match = _holder(grant.retiring, grant.retiring_by, pair)
    if slot is not None:
        yield Contribution(_RETIRING[slot], RETIRE_GRANT, match, None, grant.grant_id)

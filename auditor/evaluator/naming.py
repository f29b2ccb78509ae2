"""How a Principal element names a caller (IAM user guide, policy elements: Principal).

The form matters: boundaries and session policies limit what is given to a role, not what is given to a user, a session
or everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from auditor.evaluator.callers import ROLES
from auditor.evaluator.contributions import Slot
from auditor.evaluator.expressions import any_of
from auditor.model.arn import account_of, is_account_id, is_root, is_unique_id, parse_arn, session_role_name
from auditor.model.policy import PrincipalValue
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import FALSE, TRUE, Leaf, Residual

SESSION_NAME = "sts:RoleSessionName"
"""Pseudo condition key: the role matches for one session name only."""
_WITH_SESSIONS = (*ROLES, PrincipalKind.EXTERNAL_PRINCIPAL)


@lru_cache(maxsize=65536)
def is_account_principal(value: str) -> bool:
    """Whether the value names a whole account: a bare id or its ``:root`` ARN."""
    return is_account_id(value) or is_root(value)


def matches(values: Iterable[PrincipalValue], principal: Principal) -> dict[Slot, Residual]:
    """The forms in which the element names the caller, each with what a request must still show (a session name)."""
    found: dict[Slot, Residual] = {}
    for entry in values:
        slot, residual = _one(entry, principal)
        if slot is not None:
            found[slot] = any_of((found.get(slot, FALSE), residual))
    return found


def _one(entry: PrincipalValue, principal: Principal) -> tuple[Slot | None, Residual]:
    if entry.kind == "Service":
        is_it = principal.kind is PrincipalKind.SERVICE and entry.value == principal.arn
        return (Slot.KEY_SERVICE, TRUE) if is_it else (None, FALSE)
    if entry.kind != "AWS":
        return None, FALSE  # Federated and CanonicalUser never match in a key policy
    if entry.value == "*":
        return Slot.KEY_STAR, TRUE
    if principal.kind in (PrincipalKind.SERVICE, PrincipalKind.EVERYONE):
        return None, FALSE
    if is_account_principal(entry.value):
        return (Slot.KEY_ACCOUNT, TRUE) if in_account(entry.value, principal) else (None, FALSE)
    return identity_match(entry.value, principal)


def in_account(value: str, principal: Principal) -> bool:
    """Whether a value is of the caller's account and, where both are ARNs, of its partition, as an account principal
    has to be."""
    if account_of(value) != principal.account:
        return False
    named, caller = parse_arn(value), parse_arn(principal.arn)
    return named is None or caller is None or named.partition == caller.partition


def identity_match(value: str, principal: Principal) -> tuple[Slot | None, Residual]:
    """Whether ``value``, an ARN of a user, role or session or a unique id, is this caller."""
    if is_unique_id(value):
        slot = Slot.KEY_USER if principal.kind is PrincipalKind.USER else Slot.KEY_ROLE
        return (slot, TRUE) if value == principal.unique_id else (None, FALSE)
    if principal.may_be_session_of(value):
        return Slot.KEY_ROLE, TRUE
    if principal.kind is PrincipalKind.EXTERNAL_PRINCIPAL and value in (principal.arn, principal.iam_arn):
        return _form_of(value), TRUE
    if principal.kind is PrincipalKind.EXTERNAL_ACCOUNT:
        return None, FALSE
    if value == principal.arn and principal.kind in (PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER):
        return Slot.KEY_SESSION, TRUE
    if value == principal.iam_arn and principal.kind is not PrincipalKind.ROOT:
        return (Slot.KEY_ROLE if principal.kind in ROLES else Slot.KEY_USER), TRUE
    return _named_session(value, principal)


def _form_of(arn: str) -> Slot:
    if session_role_name(arn) is not None or ":federated-user/" in arn:
        return Slot.KEY_SESSION
    return Slot.KEY_USER if ":user/" in arn else Slot.KEY_ROLE


def _named_session(value: str, principal: Principal) -> tuple[Slot | None, Residual]:
    """A role-level caller where the element names one session of the role; a session caller matched by name."""
    named = session_role_name(value)
    if named is None or not in_account(value, principal) or principal.kind not in _WITH_SESSIONS:
        return None, FALSE
    role = parse_arn(principal.iam_arn)
    if role is None or role.name != named[0] or not role.resource.startswith("role/"):
        return None, FALSE
    if session_role_name(principal.arn) is not None:
        mine = session_role_name(principal.arn)
        return (Slot.KEY_SESSION, TRUE) if mine == named else (None, FALSE)
    return Slot.KEY_SESSION, Leaf("StringEquals", SESSION_NAME, (named[1],))


def exempted(values: tuple[PrincipalValue, ...], principal: Principal, *, bounded: bool) -> bool:
    """Whether a Deny with NotPrincipal spares the caller: it and its account are both listed and it has no permissions
    boundary, whatever the values. A role counts as listed by its role ARN; naming one of its sessions alone does not
    list it (IAM user guide, policy elements: NotPrincipal)."""
    if bounded:
        return False
    forms = matches(values, principal)
    if Slot.KEY_STAR in forms or Slot.KEY_SERVICE in forms:
        return True
    names = (Slot.KEY_ROLE,) if principal.kind in ROLES else (Slot.KEY_USER, Slot.KEY_ROLE, Slot.KEY_SESSION)
    itself = any(forms.get(slot) == TRUE for slot in names)
    whole = principal.kind in (PrincipalKind.ROOT, PrincipalKind.EXTERNAL_ACCOUNT)
    return Slot.KEY_ACCOUNT in forms and (itself or whole)

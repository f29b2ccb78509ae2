"""Edits that add a grant, and what CreateGrant refuses.

Source: API reference, CreateGrant and GrantConstraints; KMS developer guide, creating grants.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, count

from auditor.errors import UnknownNameError, UsageError
from auditor.evaluator.facts import grantable_on
from auditor.evaluator.grants import grantable_now, operations_mask
from auditor.model.actions import CRYPTO, GRANTABLE, actions_in, find_action, key_type
from auditor.model.arn import is_caller
from auditor.model.grant import Grant
from auditor.model.inventory import Inventory
from auditor.model.key import Fact, Key
from auditor.model.snapshot import Snapshot
from auditor.questions.edits.kinds import Edit
from auditor.questions.keys import find_keys

NAME = re.compile(r"[a-zA-Z0-9:/_-]{1,256}")
SERVICE = re.compile(r"(?=.{1,128}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+){2,}")
"""What the model of CreateGrant takes for a service principal."""
MAX_PAIRS, MAX_VALUE = 8, 384


def grant(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Adds a grant. Raises UsageError for one that AWS would not make."""
    new = edit.grant
    if new is None or not new.operations or not (new.grantee or new.grantee_service):
        raise UsageError("A new grant needs its grantee and operations.")
    for check in (_check_operations, _check_form, _check_service):
        check(new)
    for role, principal in (("GranteePrincipal", new.grantee), ("RetiringPrincipal", new.retiring)):
        if principal is not None:
            _check_principal(snapshot, role, principal)
    wanted = {key.arn for key in find_keys(snapshot, edit.target)}
    make = _maker(new)
    return replace(snapshot, keys=tuple(make(key) if key.arn in wanted else key for key in snapshot.keys))


def _maker(new: Grant) -> Callable[[Key], Key]:
    def make(key: Key) -> Key:
        _check_key(new, key)
        name = _free_id(key, new.grant_id)
        made = replace(new, grant_id=name, key_arn=key.arn, issuing_account=new.issuing_account or key.account)
        return replace(key, grants=tuple(sorted((*key.grants, made), key=lambda item: item.grant_id)))

    return make


def _check_operations(new: Grant) -> None:
    wrong = [name for name in new.operations if not _grantable(name)]
    if wrong:
        raise UsageError(f"A grant cannot give {', '.join(wrong)}.", "`Operations` are names such as Decrypt.")


def _grantable(name: str) -> bool:
    """Whether CreateGrant takes an operation; unlike policies, it tells capital letters from small ones."""
    action = find_action(f"kms:{name}")
    return action is not None and action.short == name and bool(GRANTABLE >> action.bit & 1)


def _check_form(new: Grant) -> None:
    """The limits of the request."""
    if new.name is not None and not NAME.fullmatch(new.name):
        raise UsageError(f"“{new.name[:80]}” cannot be the Name of a grant.", "It has letters, digits and :/_-.")
    for constraint in (new.context_equals or (), new.context_subset or ()):
        if len(constraint) > MAX_PAIRS:
            raise UsageError(f"A constraint of a grant has {MAX_PAIRS} pairs at most, not {len(constraint)}.")
        if any(len(value) > MAX_VALUE for _, value in constraint):
            raise UsageError(f"A value in a constraint of a grant has {MAX_VALUE} characters at most.")


def _check_service(new: Grant) -> None:
    """A principal or a service in each role, and what a service as grantee has to come with."""
    if new.grantee and new.grantee_service:
        raise UsageError("A grant has one grantee: a GranteePrincipal, or a GranteeServicePrincipal.")
    if new.retiring and new.retiring_service:
        raise UsageError("A grant has one RetiringPrincipal or RetiringServicePrincipal, not both.")
    for name in (new.grantee_service, new.retiring_service):
        if name is not None and not SERVICE.fullmatch(name):
            raise UsageError(f"“{name}” is no service principal.", "Write it like rds.amazonaws.com.")
    if new.grantee_service and not (new.source_arn and (new.retiring or new.retiring_service)):
        raise UsageError(
            f"AWS makes no such grant to the service {new.grantee_service}.",
            "It takes a SourceArn constraint, and a RetiringPrincipal or RetiringServicePrincipal.",
        )


def _check_principal(snapshot: Snapshot, role: str, principal: str) -> None:
    """Raises UsageError for a principal that AWS would refuse in a grant: no ARN of a caller, or nobody."""
    if not is_caller(principal):
        allowed = "It is the ARN of an account, a user, a role or a session."
        raise UsageError(f"“{principal}” cannot be a {role}.", allowed)
    made = ":role/" in principal or ":user/" in principal
    known = any(item.arn == principal for item in snapshot.principals)
    if made and not known and Inventory(snapshot).identities_read(principal):
        raise UnknownNameError(f"The {role} {principal} does not exist.", "Add it first (add-principal).")


def _check_key(new: Grant, key: Key) -> None:
    """Raises UsageError where the key's type or state does not take the grant."""
    wrong = operations_mask(new) & ~grantable_on(key)
    where = f"{key.arn} ({key.label})"
    if wrong:
        names = ", ".join(action.short for action in actions_in(wrong))
        raise UsageError(f"No grant can give {names} on {where}.", f"It is a key of {key.spec} for {key.usage}.")
    if not grantable_now(key):
        raise UsageError(f"{where} is {key.state}: AWS makes no grant on it.", "Set its state first (key-state).")
    constrained = new.context_equals is not None or new.context_subset is not None
    asymmetric = Fact.KEY_METADATA not in key.unread and key_type(key.spec, key.usage) != "symmetric_encryption"
    if constrained and asymmetric and operations_mask(new) & CRYPTO:
        raise UsageError(f"A key of {key.spec} takes no encryption context: {where}.", "Leave the constraint out.")


def _free_id(key: Key, wanted: str) -> str:
    """An id that no grant of the key has."""
    taken = {item.grant_id for item in key.grants}
    numbered = (f"{wanted} ({number})" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name not in taken)

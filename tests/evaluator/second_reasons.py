"""The reasons that the second reading accepts for a decision."""

from __future__ import annotations

from dataclasses import replace

from tests.evaluator.second_decision import (
    as_member,
    fits,
    hits,
    holds,
    identity,
    key_statements,
    limits,
    of_alias,
    rcps,
    scp_levels,
)
from tests.evaluator.second_reading import CROSS_ACCOUNT, RETIRE, WITH_ALIAS, Reading


def reasons(reading: Reading, outcome: str) -> set[str]:
    """The codes that may stand beside the outcome."""
    foreign = reading.on_key and not reading.service and reading.account != reading.key["account"]
    if foreign and reading.action not in CROSS_ACCOUNT:
        return {"action_not_cross_account"}
    if outcome == "explicitly-denied":
        return {denying_layers(reading)[0]}
    found = paths(reading, foreign=foreign)
    if outcome == "allowed":
        return found
    if found:
        return {"scp_no_allow"}
    return stopped(reading, foreign=foreign) or missing(reading, foreign=foreign)


def denying_layers(reading: Reading) -> list[str]:
    """The layers that deny, in the order in which the procedure asks them."""
    caller = reading.principal
    boundary = caller.get("permissions_boundary")
    documents = {
        "identity": caller.get("identity_policies", []),
        "boundary": [boundary] if boundary else [],
        "session": caller.get("session_policies") or [],
        "scp": [document for level in scp_levels(reading) for document in level],
        "rcp": rcps(reading),
    }
    found = [f"explicit_deny_{layer}" for layer, own in documents.items() if any(map(reading.denies, own))]
    if any(one["Effect"] == "Deny" and hits(reading, one) for one in key_statements(reading)):
        found.append("explicit_deny_key_policy")
    return found


def forms_allowed(reading: Reading) -> set[str]:
    allows = [one for one in key_statements(reading) if one["Effect"] == "Allow"]
    return {form for one in allows for form in reading.forms(one["Principal"])}


def paths(reading: Reading, *, foreign: bool) -> set[str]:
    """The codes of all paths that hold."""
    if not reading.on_key:
        return {"identity_policy_only"} if not reading.service and as_member(reading) else set()
    return by_key_policy(reading, foreign=foreign) | by_grant(reading)


def by_key_policy(reading: Reading, *, foreign: bool) -> set[str]:
    forms = forms_allowed(reading)
    if reading.service:
        if reading.action in WITH_ALIAS:
            return set()
        named = {"service": "service_principal_key_policy", "everybody": "key_policy_direct"}
        return {named[form] for form in forms}
    if foreign:
        return {"cross_account_both_sides"} if forms and as_member(reading) else set()
    if reading.action in WITH_ALIAS and not of_alias(reading):
        return set()
    capped = {"role", "user"} if reading.kind == "federated_user" else {"role"}
    free = {"everybody", "session", "user", "role"} - capped
    found = {"key_policy_direct"} if forms & free or (forms & capped and limits(reading)) else set()
    if "account" in forms and as_member(reading):
        found.add("root_user_account_principal" if reading.root else "iam_via_key_policy_delegation")
    return found


def by_grant(reading: Reading) -> set[str]:
    found: set[str] = set()
    for grant in reading.case["grants"]:
        if reading.action in grant["Operations"] and holds(reading, grant["GranteePrincipal"]) and fits(reading, grant):
            found.add("grant")
        if reading.action != RETIRE:
            continue
        if holds(reading, grant.get("RetiringPrincipal")):
            found.add("grant_retiring_principal")
        if grant["IssuingAccount"] == f"arn:aws:iam::{reading.account}:root" and as_member(reading):
            found.add("root_user_account_principal" if reading.root else "identity_policy_only")
    return found


def without(reading: Reading, *policies: str) -> Reading:
    """The same request of a caller that lacks some of its policies that only limit."""
    kept = {name: value for name, value in reading.principal.items() if name not in policies}
    if "session_policies" in policies and reading.kind == "federated_user":
        kept["session_policies"] = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
    return replace(reading, case={**reading.case, "principal": kept})


def stopped(reading: Reading, *, foreign: bool) -> set[str]:
    """The limit whose absence would open a path, or either of two that both have to go."""
    limited = {"permissions_boundary": "boundary_no_allow", "session_policies": "session_no_allow"}
    alone = {code for name, code in limited.items() if paths(without(reading, name), foreign=foreign)}
    both = set(limited.values()) if paths(without(reading, *limited), foreign=foreign) else set()
    return alone or both


def missing(reading: Reading, *, foreign: bool) -> set[str]:
    """The half of an access that is not there, or both."""
    if not reading.on_key:
        return {"no_identity_allow", "action_not_authorized_by_key_policy"}
    if reading.service or (reading.root and not foreign):
        return {"no_identity_allow" if forms_allowed(reading) and reading.action in WITH_ALIAS else "no_allow"}
    lacking = "cross_account_no_identity_allow" if foreign else "no_identity_allow"
    if reading.action == RETIRE:
        return {"no_allow", lacking}
    if forms_allowed(reading):
        return {lacking}
    if identity(reading):
        return {"cross_account_no_key_policy_allow" if foreign else "no_delegation"}
    return {"no_allow", lacking}

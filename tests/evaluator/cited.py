"""Cases with some of their statements and grants taken away: by what a decision cites, or does not cite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from auditor.cases import Case
from auditor.evaluator.deciding import decide
from auditor.evaluator.grants import ANY_GRANT
from auditor.model.access import Cause, Decision, Role
from auditor.model.organization import Organization, OrgTarget
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy

Place = tuple[str, str, int]
"""Layer, name and index of a statement: enough within a case."""
Keep = Callable[[Place, str], bool]
"""Whether the statement in a place, with this effect, stays."""
SOURCES = (Layer.KEY_POLICY, Layer.IDENTITY)
"""The layers whose allows give access; what the others let through without conditions is not cited."""
FULL: Any = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def decided(case: Case) -> Decision:
    return decide(case.surroundings, case.principal, case.key, case.action, case.context)


def statements(causes: Iterable[Cause], role: Role) -> set[Place]:
    """The statements cited in a role."""
    found = [cause.statement for cause in causes if cause.role is role and cause.statement is not None]
    return {(str(one.layer), one.policy, one.index) for one in found}


def grants(causes: Iterable[Cause]) -> set[str]:
    return {cause.grant for cause in causes if cause.grant is not None}


def without(case: Case, gone: set[Place]) -> Case:
    return with_statements(case, lambda place, _: place not in gone)


def denied_by(case: Case, denies: set[Place]) -> Case:
    """The case without any other Deny."""
    return with_statements(case, lambda place, effect: effect != "Deny" or place in denies)


def allowed_by(case: Case, allows: set[Place], given: set[str]) -> Case:
    """The case without anything else that gives access."""
    left = with_statements(case, lambda place, effect: effect == "Deny" or place[0] not in SOURCES or place in allows)
    return _with_grants(left, lambda grant: grant in given or ANY_GRANT in given)


def without_grants(case: Case, gone: set[str]) -> Case:
    return _with_grants(case, lambda grant: grant not in gone and ANY_GRANT not in gone)


def _with_grants(case: Case, keep: Callable[[str], bool]) -> Case:
    return replace(case, key=replace(case.key, grants=tuple(one for one in case.key.grants if keep(one.grant_id))))


def with_statements(case: Case, keep: Keep) -> Case:
    """The case without the statements that ``keep`` refuses; the others stay in their places."""

    def some(documents: tuple[AttachedPolicy, ...]) -> tuple[AttachedPolicy, ...]:
        return tuple(_document(one, keep) for one in documents)

    who, organization = case.principal, case.surroundings.organization
    principal = replace(
        who,
        identity_policies=some(who.identity_policies),
        boundary=None if who.boundary is None else _document(who.boundary, keep),
        session_policies=None if who.session_policies is None else some(who.session_policies),
    )
    surroundings = replace(case.surroundings, organization=organization and _organization(organization, some))
    key = replace(case.key, policies=some(case.key.policies))
    return replace(case, principal=principal, key=key, surroundings=surroundings)


def with_full_access(case: Case, levels: set[str]) -> Case:
    """The case where an SCP of these levels allows everything."""
    organization = case.surroundings.organization
    assert organization is not None
    full = AttachedPolicy(Layer.SCP, "full", "", parse_policy(FULL))
    targets = tuple(
        replace(one, scps=(*(one.scps or ()), full)) if one.name in levels else one for one in organization.targets
    )
    surroundings = replace(case.surroundings, organization=replace(organization, targets=targets))
    return replace(case, surroundings=surroundings)


def _document(attached: AttachedPolicy, keep: Keep) -> AttachedPolicy:
    if not attached.policy.readable:
        return attached
    document = json.loads(attached.policy.text)
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    inert: Any = {"Effect": "Allow"}  # a statement without an action does nothing
    kept = [
        one if keep((str(attached.layer), attached.name, index), one.get("Effect", "")) else inert
        for index, one in enumerate(listed)
    ]
    return replace(attached, policy=parse_policy({**document, "Statement": kept}))


def _organization(
    organization: Organization, some: Callable[[tuple[AttachedPolicy, ...]], tuple[AttachedPolicy, ...]]
) -> Organization:
    def limited(target: OrgTarget) -> OrgTarget:
        return replace(target, scps=target.scps and some(target.scps), rcps=target.rcps and some(target.rcps))

    return replace(organization, targets=tuple(map(limited, organization.targets)))

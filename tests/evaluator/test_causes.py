"""The evidence of decisions: what is cited decides, and which layer is named for what is missing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from auditor.cases import Case
from auditor.evaluator.deciding import STATE_FLAG
from auditor.evaluator.expressions import leaves
from auditor.evaluator.key_side import NOT_PRINCIPAL_ALLOW, ORPHAN, RAM_FLAG
from auditor.evaluator.verdict import BOUNDARY_FLAG
from auditor.model.access import CONTRADICTED, NOT_ON_ALIAS, NOT_ON_KEY, Cause, Decision, Outcome, Role
from auditor.model.actions import find_action
from auditor.model.arn import is_unique_id
from auditor.model.key import RAM_POLICY
from auditor.model.policy import Layer
from auditor.model.policy_document import parse_policy
from tests.evaluator.cited import (
    FULL,
    allowed_by,
    decided,
    denied_by,
    grants,
    statements,
    with_full_access,
    without,
    without_grants,
)
from tests.test_cases import CASES

WANTED = {
    "no_identity_allow": Layer.IDENTITY,
    "cross_account_no_identity_allow": Layer.IDENTITY,
    "action_not_authorized_by_key_policy": Layer.IDENTITY,
    "no_delegation": Layer.KEY_POLICY,
    "cross_account_no_key_policy_allow": Layer.KEY_POLICY,
    "boundary_no_allow": Layer.BOUNDARY,
    "session_no_allow": Layer.SESSION,
    "scp_no_allow": Layer.SCP,
}
"""Reason of an implicit denial → the layer in which an allow is missing; the other reasons name none."""
LAYERS = {
    Layer.KEY_POLICY: "key_policy",
    Layer.IDENTITY: "identity",
    Layer.BOUNDARY: "boundary",
    Layer.SESSION: "session",
    Layer.SCP: "scp",
    Layer.RCP: "rcp",
}


Decided = list[tuple[Case, Decision]]


@cache
def every() -> Decided:
    return [(case, decided(case)) for case in CASES]


def with_outcome(*outcomes: Outcome) -> Decided:
    return [(case, one) for case, one in every() if one.outcome in outcomes]


def open_ones() -> Decided:
    return with_outcome(Outcome.ALLOWED, Outcome.CONDITIONAL)


def case_of(title: str) -> Case:
    return next(case for case in CASES if case.title == title)


def same(case: Case, decision: Decision) -> bool:
    again = decided(case)
    return (again.outcome, again.reason, again.residual) == (decision.outcome, decision.reason, decision.residual)


def test_what_allows_is_cited_in_full_and_is_enough() -> None:
    assert len(open_ones()) > 800
    for case, decision in open_ones()[::3]:
        allows, given = statements(decision.causes, Role.ALLOWS), grants(decision.causes)
        assert not statements(decision.causes, Role.DENIES), case.id
        assert same(allowed_by(case, allows, given), decision), case.id
        if decision.path == "identity" and case.principal.kind == "root":
            continue  # needs no policy at all
        assert allows or given, case.id
        closed = decided(without_grants(without(case, allows), given)).outcome
        assert closed.denied or closed is Outcome.UNKNOWN, case.id


def test_what_limits_under_conditions_is_cited() -> None:
    for case, decision in open_ones()[1::3]:
        assert same(denied_by(case, statements(decision.causes, Role.LIMITS)), decision), case.id
        sources = {leaf.source for leaf in leaves(decision.residual)} if decision.residual else set()
        assert sources - {None} <= {cause.statement for cause in decision.causes}, case.id


def test_what_denies_is_cited_in_full_and_is_enough() -> None:
    explicit = with_outcome(Outcome.EXPLICITLY_DENIED)
    assert len(explicit) > 200
    for case, decision in explicit[::2]:
        denies = statements(decision.causes, Role.DENIES)
        assert decision.reason == f"explicit_deny_{LAYERS[decision.causes[0].layer]}", case.id
        assert decided(without(case, denies)).outcome is not Outcome.EXPLICITLY_DENIED, case.id
        assert same(denied_by(case, denies), decision), case.id
        allows = allowed_by(case, statements(decision.causes, Role.ALLOWS), grants(decision.causes))
        assert same(allows, decision), case.id
        assert not decision.latent or not decided(denied_by(case, set())).outcome.denied, case.id


def test_the_layer_that_lacks_an_allow_is_named() -> None:
    for case, decision in with_outcome(Outcome.IMPLICITLY_DENIED):
        missing = [cause for cause in decision.causes if cause.role is Role.MISSING]
        wanted = WANTED.get(decision.reason)
        assert {cause.layer for cause in missing} == ({wanted} if wanted else set()), case.id
        assert all(cause.note for cause in missing), case.id
        assert {cause.role for cause in decision.causes} <= {Role.MISSING, Role.ALLOWS, Role.LIMITS, Role.UNREAD}


def test_the_levels_whose_scps_allow_nothing_are_named_one_and_all() -> None:
    stopped = [(case, one) for case, one in with_outcome(Outcome.IMPLICITLY_DENIED) if one.reason == "scp_no_allow"]
    assert len(stopped) > 20
    for case, decision in stopped:
        missing = [cause for cause in decision.causes if cause.role is Role.MISSING]
        names = {cause.owner for cause in missing}
        assert decided(with_full_access(case, names)).reason != "scp_no_allow", case.id
        if missing[0].note != CONTRADICTED:
            assert all(decided(with_full_access(case, names - {one})).reason == "scp_no_allow" for one in names), (
                case.id
            )
        assert decision.latent or any(cause.role is Role.UNREAD for cause in decision.causes), case.id


def test_only_access_by_a_grant_is_flagged_for_a_boundary_that_does_not_allow_it() -> None:
    case = case_of("A grant to a role under a boundary without KMS")
    assert BOUNDARY_FLAG in decided(case).flags
    boundary = case.principal.boundary
    assert boundary is not None
    wide = replace(case.principal, boundary=replace(boundary, policy=parse_policy(FULL)))
    assert BOUNDARY_FLAG not in decided(replace(case, principal=wide)).flags
    assert {one.path for _, one in every() if BOUNDARY_FLAG in one.flags} == {"grant"}


def test_conditions_that_no_request_meets_together_are_cited() -> None:
    stopped = [
        (case, one)
        for case, one in with_outcome(Outcome.IMPLICITLY_DENIED)
        if any(cause.note == CONTRADICTED for cause in one.causes)
    ]
    reasons = {"boundary_no_allow", "scp_no_allow", "no_identity_allow", "cross_account_no_identity_allow"}
    assert {one.reason for _, one in stopped} == reasons
    for case, decision in stopped:
        limits = {cause.layer for cause in decision.causes if cause.role is Role.LIMITS}
        halves = {Layer.KEY_POLICY} if WANTED[decision.reason] is Layer.IDENTITY else set()
        assert limits == {WANTED[decision.reason]} | halves, case.id


def test_the_half_of_an_alias_action_that_is_missing_is_named() -> None:
    halves = {NOT_ON_ALIAS: "on-alias", NOT_ON_KEY: "on-key"}
    found = {
        (decision.reason, halves[cause.note])
        for _, decision in with_outcome(Outcome.IMPLICITLY_DENIED)
        for cause in decision.causes
        if cause.note in halves
    }
    limits = ("no_identity_allow", "boundary_no_allow", "session_no_allow", "scp_no_allow")
    assert found == {(reason, half) for reason in limits for half in halves.values()}


def test_flags_stand_where_their_fact_is_and_nowhere_else() -> None:
    told = dict.fromkeys((ORPHAN, NOT_PRINCIPAL_ALLOW, RAM_FLAG, STATE_FLAG), 0)
    for case, decision in every():
        action = find_action(case.action)
        if action is None:
            continue
        policies = [attached.policy for attached in case.key.policies]
        ids = [who.value for one in policies for part in one.statements for who in part.principals or ()]
        assert (ORPHAN in decision.flags) is any(map(is_unique_id, ids)), case.id
        blocked = bool(action.states) and case.key.state not in (action.states or ())
        assert (STATE_FLAG in decision.flags) is (blocked and not decision.outcome.denied), case.id
        assert RAM_FLAG not in decision.flags or RAM_POLICY in case.key.policy_names, case.id
        excepts = any(part.effect == "Allow" and part.not_principals for one in policies for part in one.statements)
        assert NOT_PRINCIPAL_ALLOW not in decision.flags or excepts, case.id
        for flag in told:
            told[flag] += flag in decision.flags
    assert all(told.values()), told


def unread(title: str) -> set[Cause]:
    return {cause for cause in decided(case_of(title)).causes if cause.role is Role.UNREAD}


def test_an_undocumented_effect_belongs_to_the_policy_that_has_the_condition() -> None:
    in_rcp = unread("A tag condition in an RCP: effect undocumented")
    assert in_rcp == {Cause(Layer.RCP, Role.UNREAD, note="effect of a tag condition in an RCP")}
    in_key_policy = unread("An alias condition in a key policy: effect undocumented")
    assert in_key_policy == {Cause(Layer.KEY_POLICY, Role.UNREAD, note="effect of an alias condition in a key policy")}


def cited(title: str, role: Role) -> list[str]:
    causes = decided(case_of(title)).causes
    return [cause.statement.sid or "" for cause in causes if cause.role is role and cause.statement is not None]


def test_what_decides_by_itself_is_cited_before_what_needs_a_condition() -> None:
    assert cited("A deny without a condition after one with a condition", Role.DENIES) == ["Always", "Sometimes"]
    assert cited("An allow without a condition after one with a condition", Role.ALLOWS) == ["Always", "Sometimes"]


def test_statements_that_share_a_sid_are_cited_by_number() -> None:
    case = next(case for case in CASES if case.id == "WO-09")
    (denied,) = [cause for cause in decided(case).causes if cause.role is Role.DENIES]
    assert denied.statement is not None
    assert str(denied.statement) == "key-policy default statement 2"


def test_a_delegation_to_what_could_not_be_read_allows_nothing_that_is_taken_away() -> None:
    title = "Delegated to IAM, which could not be read, and denied by an SCP"
    assert not cited(title, Role.ALLOWS)
    assert cited(title, Role.LIMITS) == ["Delegate"]
    assert not decided(case_of(title)).latent

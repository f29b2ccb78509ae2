"""Callers of whom a policy or a question tells no more than the name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import UnknownNameError
from auditor.evaluator import evaluate, in_words
from auditor.model.actions import BY_NAME
from auditor.model.grant import Grant
from auditor.model.key import Fact
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import Layer
from auditor.model.snapshot import AccountFacts
from auditor.questions import find_principals, principal_named, who_can
from tests.cli.conftest import HOME, PARTNER, allow, estate, text
from tests.questions.estate import ALICE, READERS, attached, organization_estate

BOB, EVE = (f"arn:aws:sts::{HOME}:federated-user/{name}" for name in ("bob", "eve"))
DECRYPT = BY_NAME["kms:decrypt"]
AS_OF = "2026-11-24T12:00:00Z"


def test_a_named_federated_user_has_what_it_was_given_and_perhaps_what_its_user_has() -> None:
    snapshot = estate()
    named, delegating = snapshot.keys[0], snapshot.keys[1]
    root = {"AWS": f"arn:aws:iam::{HOME}:root"}
    policies = (text(allow(Principal={"AWS": BOB}, Action="kms:*")), text(allow(Principal=root, Action="kms:*")))
    keys = tuple(
        replace(key, policies=(attached(Layer.KEY_POLICY, "default", key.arn, policy),), grants=())
        for key, policy in zip((named, delegating), policies, strict=True)
    )
    evaluation = evaluate(replace(snapshot, keys=keys), as_of="2026-11-24T12:00:00Z")
    answers = {
        (one.principal.arn, one.key.arn): str(one.decision.outcome) for one in who_can(evaluation, DECRYPT, keys)
    }
    assert answers[BOB, named.arn] == "allowed"
    assert answers[BOB, delegating.arn] == "unknown"
    eve = principal_named(evaluation, EVE)
    outcomes = [str(evaluation.decide(eve, key, DECRYPT.name).outcome) for key in keys]
    assert outcomes == ["implicitly-denied", "unknown"]


def test_a_federated_user_of_an_account_that_was_not_collected_is_like_its_other_principals() -> None:
    evaluation = evaluate(estate(), as_of="2026-11-24T12:00:00Z")
    outside = PARTNER.split(":")[4]
    user, federated = (
        principal_named(evaluation, f"arn:aws:{name}")
        for name in (f"iam::{outside}:user/x", f"sts::{outside}:federated-user/x")
    )
    for key in evaluation.snapshot.keys:
        first, second = (evaluation.decide(who, key, DECRYPT.name).outcome for who in (user, federated))
        assert first == second


def test_a_session_that_is_named_like_one_of_a_service_linked_role_is_not_bound_by_guardrails() -> None:
    """Its ARN has no path; where nobody could look at the roles, the name has to do."""
    snapshot = estate()
    targets = (OrgTarget(id=HOME, name="home", kind=TargetKind.ACCOUNT, parent=None, scps=(), rcps=()),)
    open_to_all = text(allow(Principal="*", Action="kms:*"))
    keys = tuple(
        replace(key, policies=(attached(Layer.KEY_POLICY, "default", key.arn, open_to_all),)) for key in snapshot.keys
    )
    unseen = replace(
        snapshot,
        accounts=(AccountFacts(id=HOME, unread=frozenset({Fact.IDENTITIES})),),
        principals=(),
        keys=keys,
        organization=Organization(id="o-1", management_account="999999999999", targets=targets),
    )
    evaluation = evaluate(unseen, as_of="2026-11-24T12:00:00Z")
    found = {}
    for name in ("AWSServiceRoleForAutoScaling", "app"):
        who = principal_named(evaluation, f"arn:aws:sts::{HOME}:assumed-role/{name}/s1")
        found[name] = evaluation.decide(who, keys[0], DECRYPT.name).reason
    assert found == {"AWSServiceRoleForAutoScaling": "key_policy_direct", "app": "scp_no_allow"}


def test_a_role_outside_has_what_a_policy_gives_to_one_of_its_sessions() -> None:
    snapshot = estate()
    session = PARTNER.replace(":iam:", ":sts:").replace("role/", "assumed-role/") + "/nightly"
    policy = text(allow(Principal={"AWS": session}, Action="kms:*"))
    key = replace(snapshot.keys[0], policies=(attached(Layer.KEY_POLICY, "default", "", policy),), grants=())
    evaluation = evaluate(replace(snapshot, keys=(key,)), as_of="2026-11-24T12:00:00Z")
    decisions = [
        evaluation.decide(principal_named(evaluation, name), key, DECRYPT.name)
        for name in (session, PARTNER, session.replace("nightly", "adhoc"))
    ]
    assert [str(one.outcome) for one in decisions] == ["allowed", "conditional", "implicitly-denied"]
    assert in_words(decisions[1].residual) == "only for session nightly"


def test_a_group_means_its_members_and_is_no_caller() -> None:
    evaluation = evaluate(organization_estate(), as_of="2026-11-24T12:00:00Z")
    for name in ("group/readers", READERS):
        assert [item.arn for item in find_principals(evaluation, name)] == [ALICE]
        with pytest.raises(UnknownNameError, match=f"is a group, which calls nothing. Name a member: {ALICE}"):
            principal_named(evaluation, name)
    with pytest.raises(UnknownNameError, match="No collected user belongs"):
        find_principals(evaluation, READERS.replace(HOME, "222222222222"))


def test_a_session_whose_role_nobody_could_look_up_may_hold_the_grants_of_every_role_of_its_name() -> None:
    snapshot = estate()
    grants = tuple(
        Grant(
            grant_id=f"g-{path}",
            key_arn="",
            grantee=f"arn:aws:iam::{HOME}:role/{path}/nightly",
            operations=("Decrypt",),
        )
        for path in ("old", "team")
    )
    keys = (replace(snapshot.keys[1], grants=grants),)
    account = replace(snapshot.accounts[0], unread=frozenset({Fact.IDENTITIES}))
    evaluation = evaluate(replace(snapshot, keys=keys, principals=(), accounts=(account,)), as_of=AS_OF)
    mine, other = (
        principal_named(evaluation, f"arn:aws:sts::{HOME}:assumed-role/{name}/me") for name in ("nightly", "daily")
    )
    cited = [{cause.grant for cause in evaluation.decide(who, keys[0], DECRYPT.name).causes} for who in (mine, other)]
    assert cited[0] >= {"g-old", "g-team"}
    assert cited[1] == {None}

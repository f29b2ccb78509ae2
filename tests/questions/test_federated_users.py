"""Federated users that a policy or a question names: their users and session policies are not known."""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator import evaluate
from auditor.model.actions import BY_NAME
from auditor.model.policy import Layer
from auditor.questions import principal_named, who_can
from tests.cli.conftest import HOME, PARTNER, allow, estate, text
from tests.questions.estate import attached

BOB, EVE = (f"arn:aws:sts::{HOME}:federated-user/{name}" for name in ("bob", "eve"))
DECRYPT = BY_NAME["kms:decrypt"]


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

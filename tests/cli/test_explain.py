"""``explain`` as a user types it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from tests.cli.conftest import KEY, PARTNER, ROOT, VIA_S3, Ask, text

pytestmark = pytest.mark.usefixtures("snapshots")


def test_explain_names_layers_statements_and_the_way_out(ask: Ask) -> None:
    answer = ask("explain", "role/ops", "kms:Decrypt", "alias/other", "--from", "now")
    assert "denied explicitly" in answer.out
    assert "NotOps" in answer.out
    assert "Remove or narrow key policy default statement “NotOps”" in answer.out


def test_explain_under_a_context_and_expectations(ask: Ask) -> None:
    base = ("explain", PARTNER, "kms:Decrypt", "alias/app", "--from", "now")
    assert ask(*base, "--expect", "conditional").code == 0
    via = ("--context", "kms:ViaService=s3.eu-west-1.amazonaws.com")
    assert ask(*base, *via, "--expect", "allowed").code == 0
    failed = ask(*base, "--context", "kms:ViaService=", "--expect", "allowed")
    assert failed.code == 3
    assert "expected allowed" in failed.err
    assert ask(*base, "-f", "json").json()[0]["residual"]["cond"]["key"] == "kms:ViaService"


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ("kms:KeySpec=RSA_2048", "kms:KeySpec=RSA_2048 is stated, although it is SYMMETRIC_DEFAULT"),
        ("kms:callerAccount=222222222222", "kms:CallerAccount=222222222222 is stated, although it is 111111111111"),
        ("kms:GrantIsForAWSResource=true", "although it is not part of such a request"),
        ("kms:RequestAlias=alias/none", "although it can only be alias/app"),
        ("aws:SourceIpp=203.0.113.7", "is no known condition key; aws:SourceIp was probably meant"),
        ("kms:ViaService=s3.eu-west-1.amazonaws.com", ""),
        ("kms:EncryptionContext:App=x", ""),
        ("token.example.com:sub=x", ""),
    ],
)
def test_a_stated_fact_that_cannot_be_is_pointed_out(ask: Ask, fact: str, told: str) -> None:
    answer = ask("explain", "role/app", "Decrypt", "alias/app", "--from", "now", "--context", fact)
    assert answer.code == 0
    assert told in answer.err if told else not answer.err


def test_statements_that_do_not_apply_are_counted(ask: Ask, snapshots: dict[str, Any]) -> None:
    others = [{**VIA_S3, "Sid": f"Other{number}"} for number in range(30)]
    app, other = snapshots["now"].keys
    policy = AttachedPolicy(Layer.KEY_POLICY, "default", KEY, parse_policy(text(ROOT, *others)))
    snapshots["now"] = replace(snapshots["now"], keys=(replace(app, policies=(policy,)), other))
    asked = ("explain", "role/app", "kms:Decrypt", "alias/app", "--from", "now")
    assert "  and 20 more that do not apply (-f json lists all)\n" in ask(*asked).out
    (answer,) = ask(*asked, "-f", "json").json()
    assert len(next(layer for layer in answer["layers"] if layer["layer"] == "key-policy")["evidence"]) == 31


@pytest.mark.parametrize("name", ["kms:EncryptionContext:App", "aws:PrincipalTag/team", "token.example.com:sub"])
def test_condition_keys_with_a_name_of_their_own_are_taken(ask: Ask, name: str) -> None:
    assert ask("explain", "role/app", "Decrypt", "alias/app", "--from", "now", "--context", f"{name}=x").code == 0

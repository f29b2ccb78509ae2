"""Power and posture of principals from evaluated access, and the scores that a result gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.evaluator import evaluate
from auditor.model.finding import FindingState
from auditor.model.score import PrincipalPower, scores_of_principals
from auditor.rules import Judgement, judge
from tests.rules import estate

ARN = "arn:aws:iam::111111111111:role/app"


def _judged(case: dict[str, Any], settings: dict[str, Any] | None = None) -> Judgement:
    evaluation = evaluate(estate.snapshot(case), as_of=estate.AS_OF)
    return judge(evaluation, estate.settings(settings), as_of=estate.AS_OF)


def _power(actions: Any, key: dict[str, Any] | None = None, condition: Any = None, **role: Any) -> PrincipalPower:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    statement |= {"Condition": condition} if condition else {}
    case = {"keys": [key or {}], "roles": [{"name": "app", "policy": [statement], **role}]}
    found = (entry for entry in _judged(case).powers if entry.principal == ARN)
    return next(found, PrincipalPower(ARN, 0.0))


@pytest.mark.parametrize(
    ("actions", "key", "reach"),
    [
        ("kms:Decrypt", {}, 0.25 * 0.3),
        (["kms:Decrypt", "kms:GenerateDataKey"], {}, 0.25 * 0.4),
        ("kms:Decrypt", {"tags": {"data-class": "restricted"}}, 0.5 * 0.3),
        ("kms:DisableKey", {}, 0.25 * 0.2),
        ("kms:ReplicateKey", {}, 0.0),
        (["kms:ReplicateKey", "kms:CreateKey"], {"multi_region": True, "multi_region_key_type": "PRIMARY"}, 0.25 * 0.3),
        ("kms:DeleteImportedKeyMaterial", {"origin": "EXTERNAL"}, 0.25 * 0.3),
        ("kms:DisconnectCustomKeyStore", {"custom_key_store_id": "cks-1", "origin": "AWS_CLOUDHSM"}, 0.25 * 0.3),
        ("kms:*", {}, 0.25 * 0.9),
        ("kms:Sign", {"spec": "RSA_2048", "usage": "SIGN_VERIFY"}, 0.25 * 0.3),
    ],
)
def test_power_on_one_key(actions: Any, key: dict[str, Any], reach: float) -> None:
    assert _power(actions, key).reach == pytest.approx(reach)


def test_a_service_condition_counts_less_and_a_weak_one_counts_fully() -> None:
    service = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    assert _power("kms:Decrypt", condition=service).reach == pytest.approx(0.25 * 0.3 * 0.7)
    weak = {"StringEquals": {"aws:UserAgent": "backup"}}
    assert _power("kms:Decrypt", condition=weak).reach == pytest.approx(0.25 * 0.3)


def test_what_could_not_be_read_counts_fully() -> None:
    case = {"keys": [{}], "roles": [{"name": "app", "unread": ["identity-policy"]}]}
    (entry,) = _judged(case).powers
    assert entry.reach == pytest.approx(0.25 * 0.9)


def test_a_limited_grant_right_is_no_takeover() -> None:
    service = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert _power("kms:CreateGrant", condition=service).reach == 0


def test_keys_saturate_and_unrelated_ones_change_nothing() -> None:
    statement = [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:*:*:key/a*"}]
    keys = [{"id": name} for name in ("a1", "a2", "b1")]
    judgement = _judged({"keys": keys, "roles": [{"name": "app", "policy": statement}]})
    assert judgement.powers[0].reach == pytest.approx(1 - (1 - 0.075) ** 2)


def test_posture_and_score_of_a_user_with_an_old_key() -> None:
    user = {
        "name": "eve",
        "policy": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}],
        "credentials": {"password_enabled": True, "access_keys": [{"active": True, "created": "2026-01-01T00:00:00Z"}]},
    }
    judgement = _judged({"keys": [{}], "users": [user]})
    entry = next(one for one in judgement.powers if one.principal.endswith("user/eve"))
    assert entry.posture == pytest.approx(0.5)
    own = tuple(item for item in judgement.findings if item.rule == "iam-user-key-access")
    assert scores_of_principals(own, [entry])[entry.principal].residual == 73
    accepted = tuple(replace(item, state=FindingState.ACCEPTED) for item in own)
    score = scores_of_principals(accepted, [entry])[entry.principal]
    assert (score.residual < 10, score.inherent) == (True, 73)

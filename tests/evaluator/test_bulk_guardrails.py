"""Callers that only the SCPs of their accounts tell apart: the bulk engine must not answer for one with the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import PrincipalKind
from tests.evaluator.organizations import FULL, HOME, MANAGER, ORG, PEER, attached
from tests.evaluator.test_bulk_classes import EVERYTHING, equal_one_by_one, in_account, in_key_policy, key, role


def organization(*statements: dict[str, Any]) -> Organization:
    """Both accounts under FullAWSAccess; one of them under these SCP statements too, and a unit without any SCP."""
    full = AttachedPolicy(Layer.SCP, "FullAWSAccess", "r-1", parse_policy(FULL))
    limit = attached(Layer.SCP, "limit", HOME, list(statements))

    def target(name: str, kind: TargetKind, parent: str | None, *scps: AttachedPolicy) -> OrgTarget:
        return OrgTarget(id=name, name=name, kind=kind, parent=parent, scps=scps)

    return Organization(
        id=ORG,
        management_account=MANAGER,
        targets=(
            target("r-1", TargetKind.ROOT, None, full),
            target("ou-a", TargetKind.UNIT, "r-1"),
            target(HOME, TargetKind.ACCOUNT, "r-1", full, limit),
            target(PEER, TargetKind.ACCOUNT, "ou-a", full),
            target(MANAGER, TargetKind.ACCOUNT, "r-1", full),
        ),
    )


def deny(**test: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", "Condition": test}


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(deny(ArnNotLike={"aws:PrincipalArn": "arn:aws:iam::*:role/a"}), id="the name of the caller"),
        pytest.param(deny(StringNotEquals={"aws:PrincipalTag/team": "blue"}), id="a tag of the caller"),
        pytest.param(
            {**deny(StringEquals={"aws:RequestedRegion": "eu-west-1"}), "Resource": "*:key/${aws:PrincipalTag/team}*"},
            id="a tag of the caller in Resource",
        ),
        pytest.param(deny(StringEquals={"kms:KeySpec": "SYMMETRIC_DEFAULT"}), id="a fact of the key"),
    ],
)
def test_callers_that_scps_alone_tell_apart(statement: dict[str, Any]) -> None:
    own = [role("a", "blue", EVERYTHING), role("b", None, EVERYTHING), role("c", "red", EVERYTHING)]
    keys = [key("blue-1"), replace(key("2"), spec="RSA_2048")]
    equal_one_by_one(own, keys, organization(statement))


def test_scps_do_not_bind_a_service_linked_role_beside_a_role_that_they_bind() -> None:
    linked = replace(role("b", None, EVERYTHING), kind=PrincipalKind.SERVICE_LINKED_ROLE)
    equal_one_by_one([role("a", None, EVERYTHING), linked], [key("1")], organization({**deny(), "Action": "kms:*"}))


@pytest.mark.parametrize("scps", [(), None], ids=["none attached", "switched off"])
def test_accounts_whose_own_levels_hold_no_scp(scps: tuple[()] | None) -> None:
    """They differ in the names of the levels that allow nothing."""
    tree = organization()
    below = tuple(
        one if one.parent is None and scps == () else replace(one, scps=scps, rcps=scps) for one in tree.targets
    )
    own = [in_account(account, role("a", None, EVERYTHING)) for account in (HOME, PEER, MANAGER)]
    shared = key("1", policy=in_key_policy({**EVERYTHING, "Principal": "*"}))
    equal_one_by_one(own, [shared], replace(tree, targets=below))

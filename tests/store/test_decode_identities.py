"""Users and roles with what is attached to them on their behalf: what is missing is unread, never nothing."""

from __future__ import annotations

from typing import Any

from auditor.model.key import Fact
from auditor.model.policy import Layer
from auditor.model.principal import Principal
from auditor.model.shard import Kind, Record, Shard
from auditor.model.snapshot import ShardCoverage
from auditor.store.decode_identities import decode_principals

ACCOUNT = "111122223333"
READ, CAP = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("read", "cap"))
OLD, NEW = ({"Version": "2012-10-17", "Statement": [{"Effect": effect}]} for effect in ("Deny", "Allow"))


def managed(arn: str, *versions: dict[str, Any]) -> Record:
    return Record(Kind.MANAGED_POLICY, {"Arn": arn, "PolicyVersionList": list(versions)})


def identity(kind: Kind, name: str, **data: Any) -> Record:
    word = "user" if kind is Kind.USER else "role"
    return Record(kind, {"Arn": f"arn:aws:iam::{ACCOUNT}:{word}/{name}", f"{word.title()}Name": name, **data})


def decoded(*records: Record) -> Principal:
    shard = Shard(account=ACCOUNT, region="", records=records, coverage=ShardCoverage(ACCOUNT, "", "complete"))
    (principal,) = decode_principals(shard)
    return principal


def cited(principal: Principal) -> list[tuple[str, str]]:
    return [(one.name, one.owner.rsplit(":", 1)[-1]) for one in principal.identity_policies]


GROUP = Record(
    Kind.GROUP,
    {
        "GroupName": "team",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/team",
        "GroupPolicyList": [{"PolicyName": "of-group", "PolicyDocument": NEW}],
    },
)
VERSIONS = ({"IsDefaultVersion": False, "Document": OLD}, {"IsDefaultVersion": True, "Document": NEW})


def test_own_inline_managed_and_inherited_policies_count() -> None:
    own = {"UserPolicyList": [{"PolicyName": "own", "PolicyDocument": NEW}]}
    attached = {"AttachedManagedPolicies": [{"PolicyArn": READ}], "GroupList": ["team"]}
    user = decoded(identity(Kind.USER, "ann", **own, **attached), GROUP, managed(READ, *VERSIONS))
    assert cited(user) == [(READ, "user/ann"), ("own", "user/ann"), ("of-group", "group/team")]
    assert user.groups == ("team",) and not user.unread
    assert user.identity_policies[0].policy.statements[0].effect == "Allow"  # that of the default version
    role = decoded(identity(Kind.ROLE, "app", RolePolicyList=[{"PolicyName": "own", "PolicyDocument": NEW}]))
    assert cited(role) == [("own", "role/app")]


def test_a_group_or_a_managed_policy_that_is_not_there_is_unread() -> None:
    lost = decoded(identity(Kind.USER, "ann", GroupList=["gone"]))
    assert lost.unread == {Fact.IDENTITY_POLICY}
    assert decoded(identity(Kind.ROLE, "a", AttachedManagedPolicies=[{"PolicyArn": READ}])).unread == {
        Fact.IDENTITY_POLICY
    }
    without_text = managed(READ, {"IsDefaultVersion": True})
    held = identity(Kind.ROLE, "a", AttachedManagedPolicies=[{"PolicyArn": READ}])
    assert decoded(held, without_text).unread == {Fact.IDENTITY_POLICY}


def test_a_boundary_counts_or_is_unread() -> None:
    bounded = identity(Kind.ROLE, "app", PermissionsBoundary={"PermissionsBoundaryArn": CAP})
    role = decoded(bounded, managed(CAP, *VERSIONS))
    assert role.boundary is not None and not role.unread
    assert (role.boundary.layer, role.boundary.name, role.boundary.owner) == (Layer.BOUNDARY, CAP, role.arn)
    assert decoded(bounded).unread == {Fact.BOUNDARY} and decoded(bounded).boundary is None

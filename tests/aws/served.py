"""A snapshot in memory as an organization that can be served: what a collection of it should find again."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from auditor.model.grant import Grant
from auditor.model.key import Key
from auditor.model.organization import Organization as Tree
from auditor.model.organization import OrgTarget
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import Snapshot
from tests.aws.invented import TRUST, Account, Data, Level, Organization, grant, key, managed, role, user

Served = TypeVar("Served", Principal, Key)
IN_IAM = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SERVICE_LINKED_ROLE)


def served(snapshot: Snapshot) -> Organization:
    """The organization; the snapshot must have one, and may hold callers that IAM does not list, which are left out."""
    tree = snapshot.organization
    assert tree is not None
    accounts = {target.id: Account(target.id) for target in tree.targets if target.kind == "account"}
    regions = tuple(sorted({one.region for one in snapshot.keys}))
    for account in accounts.values():
        account.regions = regions
    for one in snapshot.keys:
        _put_key(accounts[one.account], one)
    for who in snapshot.principals:
        if who.kind in IN_IAM:
            _put_principal(accounts[who.account or ""], who)
    (root,) = (target for target in tree.targets if target.kind == "root")
    management = tree.management_account
    return Organization(
        list(accounts.values()), _level(root, tree), identity=tree.id, management=management, caller=management
    )


def _level(target: OrgTarget, tree: Tree) -> Level:
    scps, rcps = ({one.name: one.policy.text for one in found or ()} for found in (target.scps, target.rcps))
    below = [_level(one, tree) for one in tree.targets if one.parent == target.id]
    return Level(target.id, below, scps=scps, rcps=rcps)


def _put_key(account: Account, one: Key) -> None:
    facts: Data = {
        "KeyManager": one.manager,
        "KeyState": one.state,
        "KeySpec": one.spec,
        "KeyUsage": "GENERATE_VERIFY_MAC" if one.spec.startswith("HMAC") else "ENCRYPT_DECRYPT",
    }
    if one.key_id.startswith("mrk-"):
        place = {"Arn": one.arn, "Region": one.region}
        family = {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": place, "ReplicaKeys": []}
        facts |= {"MultiRegion": True, "MultiRegionConfiguration": family}
    texts = {attached.name: attached.policy.text for attached in one.policies}
    facts |= {
        "grants": [_grant(number, found) for number, found in enumerate(one.grants)],
        "tags": [{"TagKey": name, "TagValue": value} for name, value in one.tags],
        "policies": texts,
    }
    account.keys.setdefault(one.region, []).append(
        key(one.account, one.key_id, texts.pop("default"), region=one.region, **facts)
    )
    arns = [(alias.name, f"arn:aws:kms:{one.region}:{one.account}:{alias.name}") for alias in one.aliases]
    account.aliases.setdefault(one.region, []).extend(
        {"AliasName": name, "AliasArn": arn, "TargetKeyId": one.key_id} for name, arn in arns
    )


def _grant(number: int, found: Grant) -> Data:
    constraints: Data = {}
    if found.context_subset is not None:
        constraints["EncryptionContextSubset"] = dict(found.context_subset)
    if found.source_arn is not None:
        constraints["SourceArn"] = found.source_arn
    told = {
        "GranteePrincipal": found.grantee,
        "RetiringPrincipal": found.retiring,
        "IssuingAccount": f"arn:aws:iam::{found.issuing_account}:root",
        "Constraints": constraints,
    }
    return grant(number, list(found.operations), **{name: value for name, value in told.items() if value})


def _put_principal(account: Account, who: Principal) -> None:
    folder = who.arn.split(":", 5)[5].split("/")[1:-1]
    path = f"/{'/'.join(folder)}/" if folder else "/"
    more: Data = {"Tags": [{"Key": name, "Value": value} for name, value in who.tags]}
    if who.boundary is not None:
        limit = f"arn:aws:iam::{account.id}:policy/limit-{len(account.policies)}"
        account.policies.append(managed(limit, who.boundary.policy.text))
        more["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": limit}
    texts = [attached.policy.text for attached in who.identity_policies]
    if who.kind is PrincipalKind.USER:
        account.users.append(user(account.id, who.name, *texts, path=path, **more))
        return
    trust = who.trust_policy.text if who.trust_policy is not None else TRUST
    named = {"RoleId": who.unique_id} if who.unique_id else {}
    account.roles.append(role(account.id, who.name, *texts, path=path, AssumeRolePolicyDocument=trust, **named, **more))


def as_found(snapshot: Snapshot, found: Snapshot) -> Snapshot:
    """The snapshot with what serving it had to make up: unique ids, trust policies, paths, algorithms, usages."""
    made = {who.arn: who for who in found.principals}
    keys = {one.arn: one for one in found.keys}
    return replace(
        snapshot,
        accounts=found.accounts,
        principals=tuple(
            _like(who, made[who.arn], "trust_policy", "unique_id", "path")
            for who in snapshot.principals
            if who.kind in IN_IAM
        ),
        keys=tuple(
            _like(one, keys[one.arn], "usage", "multi_region", "multi_region_key_type", "encryption_algorithms")
            for one in snapshot.keys
        ),
    )


def _like(one: Served, other: Served, *names: str) -> Served:
    """The one, with some fields of the other."""
    return replace(one, **{name: getattr(other, name) for name in names})

"""Writes the synthetic organization to disk as a collection would: AWS answers in shards, policies as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from auditor.model.grant import Grant
from auditor.model.key import Key
from auditor.model.organization import Organization, OrgTarget
from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.shard import ORGANIZATION_SHARD, Kind, Record, Shard
from auditor.model.snapshot import Provenance, ShardCoverage, Snapshot
from auditor.store import SnapshotWriter

STARTED, FINISHED = "2026-11-24T06:00:00Z", "2026-11-24T07:00:00Z"


def write_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """A finished snapshot folder with the facts of ``snapshot``."""
    writer = SnapshotWriter(folder)
    writer.begin(Provenance(started=STARTED, caller="arn:aws:sts::100000000000:assumed-role/Auditor/bench"))
    for account in snapshot.accounts:
        regions = sorted({key.region for key in snapshot.keys if key.account == account.id})
        described = Record(Kind.ACCOUNT, {"Id": account.id, "Partition": "aws", "Regions": regions})
        people = [item for item in snapshot.principals if item.account == account.id]
        writer.write(_shard(account.id, "", [described, *_identities(account.id, people)]))
        for region in regions:
            keys = [key for key in snapshot.keys if (key.account, key.region) == (account.id, region)]
            writer.write(_shard(account.id, region, _keys(keys)))
    if snapshot.organization is not None:
        writer.write(_shard(ORGANIZATION_SHARD, "", _organization(snapshot.organization)))
    writer.finish(Provenance(started=STARTED, finished=FINISHED))


def _shard(account: str, region: str, records: Iterable[Record]) -> Shard:
    coverage = ShardCoverage(account, region, "complete")
    return Shard(account=account, region=region, records=tuple(records), coverage=coverage)


def _keys(keys: Iterable[Key]) -> Iterator[Record]:
    for key in keys:
        prefix = key.arn.split(":key/")[0]
        for alias in key.aliases:
            data = {"AliasName": alias.name, "AliasArn": f"{prefix}:{alias.name}", "TargetKeyId": key.key_id}
            yield Record(Kind.ALIAS, data)
        yield Record(
            Kind.KEY,
            {
                "KeyId": key.key_id,
                "KeyArn": key.arn,
                "Metadata": {"AWSAccountId": key.account, "Arn": key.arn, "KeyId": key.key_id, "KeyState": key.state},
                "Policies": {attached.name: attached.policy.text for attached in key.policies},
                "Grants": [_grant(grant) for grant in key.grants],
                "Tags": [{"TagKey": name, "TagValue": value} for name, value in key.tags],
            },
        )


def _grant(grant: Grant) -> dict[str, Any]:
    found: dict[str, Any] = {
        "GrantId": grant.grant_id,
        "KeyId": grant.key_arn,
        "GranteePrincipal": grant.grantee,
        "IssuingAccount": f"arn:aws:iam::{grant.issuing_account}:root",
        "Operations": list(grant.operations),
    }
    if grant.context_subset:
        found["Constraints"] = {"EncryptionContextSubset": dict(grant.context_subset)}
    return found


def _identities(account: str, people: Iterable[Principal]) -> Iterator[Record]:
    boundaries: dict[str, str] = {}
    for person in people:
        user = person.kind is PrincipalKind.USER
        data: dict[str, Any] = {
            "Arn": person.arn,
            "Path": "/" + person.arn.split(":", 5)[5].split("/", 1)[1].removesuffix(person.name),
            "UserName" if user else "RoleName": person.name,
            "UserId" if user else "RoleId": person.unique_id,
            "Tags": [{"Key": name, "Value": value} for name, value in person.tags],
            "UserPolicyList" if user else "RolePolicyList": [_inline(item) for item in person.identity_policies],
        }
        if not user and person.trust_policy is not None:
            data["AssumeRolePolicyDocument"] = quote(person.trust_policy.text)
        if person.boundary is not None:
            arn = f"arn:aws:iam::{account}:policy/{person.boundary.name}"
            boundaries[arn] = person.boundary.policy.text
            data["PermissionsBoundary"] = {"PermissionsBoundaryArn": arn}
        yield Record(Kind.USER if user else Kind.ROLE, data)
    for arn, text in boundaries.items():
        version = {"IsDefaultVersion": True, "Document": quote(text)}
        yield Record(Kind.MANAGED_POLICY, {"Arn": arn, "PolicyVersionList": [version]})


def _inline(attached: AttachedPolicy) -> dict[str, str]:
    return {"PolicyName": attached.name, "PolicyDocument": quote(attached.policy.text)}


def _organization(organization: Organization) -> Iterator[Record]:
    described = {"Id": organization.id, "MasterAccountId": organization.management_account, "TreeRead": True}
    yield Record(Kind.ORGANIZATION, described)
    documents: dict[tuple[str, str], str] = {}
    for target in organization.targets:
        yield Record(Kind.ORG_TARGET, _target(target, documents))
    for (name, text), policy_id in documents.items():
        yield Record(Kind.ORG_POLICY, {"PolicySummary": {"Id": policy_id, "Name": name}, "Content": text})


def _target(target: OrgTarget, documents: dict[tuple[str, str], str]) -> dict[str, Any]:
    def ids(policies: Iterable[AttachedPolicy] | None) -> list[str] | None:
        if policies is None:
            return None
        return [documents.setdefault((p.name, p.policy.text), f"p-{len(documents):08d}") for p in policies]

    return {
        "Id": target.id,
        "Name": target.name,
        "Kind": target.kind,
        "Parent": target.parent,
        "Attached": {
            "SERVICE_CONTROL_POLICY": ids(target.scps),
            "RESOURCE_CONTROL_POLICY": ids(target.rcps),
        },
    }


def changed(snapshot: Snapshot) -> str:
    """A key policy that does not delegate to IAM: the change that the benchmark tries and compares."""
    document = json.loads(snapshot.keys[0].policies[0].policy.text)
    document["Statement"] = [item for item in document["Statement"] if item.get("Sid") != "Delegate"]
    return json.dumps(document)

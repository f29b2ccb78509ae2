"""Creates keys with their policies, aliases, tags, rotation, replicas, states and grants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from auditor.demo.parts import DemoGrant, DemoKey, Document

KmsOf = Callable[[str, str], Any]
"""(account name, Region) → a KMS client there."""


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that exists now: its description, ARN and id."""

    part: DemoKey
    arn: str
    id: str


def create_keys(kms_of: KmsOf, keys: Iterable[DemoKey]) -> dict[str, MadeKey]:
    """Makes every key; returns them by name. States are set later, as a disabled key takes no grants."""
    return {part.name: _create(kms_of, part) for part in keys}


def _create(kms_of: KmsOf, part: DemoKey) -> MadeKey:
    kms = kms_of(part.account, part.region)
    metadata = kms.create_key(
        Description=part.description,
        KeySpec=part.spec,
        KeyUsage=part.usage,
        Origin=part.origin,
        MultiRegion=bool(part.replicas),
        Tags=_tags(part),
        **_policy(part.policy),
    )["KeyMetadata"]
    key_id = metadata["KeyId"]
    if not part.service:
        kms.create_alias(AliasName=f"alias/{part.name}", TargetKeyId=key_id)
    if part.rotates:
        kms.enable_key_rotation(KeyId=key_id)
    for region, policy in part.replicas.items():
        there = kms_of(part.account, region)
        _replicate(kms, there, key_id, region, policy)
        there.tag_resource(KeyId=key_id, Tags=_tags(part))
    return MadeKey(part, metadata["Arn"], key_id)


def _tags(part: DemoKey) -> list[dict[str, str]]:
    return [{"TagKey": name, "TagValue": value} for name, value in part.tags]


def _policy(policy: Document | None) -> dict[str, str]:
    return {} if policy is None else {"Policy": json.dumps(policy)}


def _replicate(primary: Any, there: Any, key_id: str, region: str, policy: Document | None) -> None:
    primary.replicate_key(KeyId=key_id, ReplicaRegion=region)
    if policy is not None:
        # moto ignores the Policy of ReplicateKey.
        there.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(policy))


def create_grants(kms_of: KmsOf, grants: Iterable[DemoGrant], keys: dict[str, MadeKey]) -> None:
    """Makes every grant on the key that it names."""
    for grant in grants:
        key = keys[grant.key]
        optional = {
            "Name": grant.name,
            "RetiringPrincipal": grant.retiring,
            "Constraints": grant.constraints,
        }
        kms_of(key.part.account, key.part.region).create_grant(
            KeyId=key.id,
            GranteePrincipal=grant.grantee,
            Operations=list(grant.operations),
            **{name: value for name, value in optional.items() if value},
        )


def set_states(kms_of: KmsOf, keys: Iterable[MadeKey]) -> None:
    """Disables keys and schedules deletions."""
    for key in keys:
        kms = kms_of(key.part.account, key.part.region)
        if key.part.state == "Disabled":
            kms.disable_key(KeyId=key.id)
        elif key.part.state == "PendingDeletion":
            kms.schedule_key_deletion(KeyId=key.id, PendingWindowInDays=key.part.deletion_days)

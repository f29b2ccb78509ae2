"""A small organization with every place that a change can touch, and plans that touch it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from auditor.model.key import Alias
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import Snapshot
from tests.cli.conftest import APP, HOME, OTHER, allow, estate, text

ALICE = f"arn:aws:iam::{HOME}:user/alice"
READERS = f"arn:aws:iam::{HOME}:group/readers"
KEY_USE = f"arn:aws:iam::{HOME}:policy/KeyUse"
NEW = f"arn:aws:iam::{HOME}:role/new"
FULL = text(allow(Action="*"))
NO_DECRYPT = text({"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"})
USE = text(allow(Sid="Use", Action=["kms:Decrypt"]))
FOREIGN = text({"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})


def attached(layer: Layer, name: str, owner: str, document: str) -> AttachedPolicy:
    return AttachedPolicy(layer, name, owner, parse_policy(document))


def organization_estate() -> Snapshot:
    """Two keys, three roles, one of which may use keys through a managed policy, and a user in a group."""
    snapshot = estate()
    app, batch, ops = snapshot.principals
    managed = attached(Layer.IDENTITY, KEY_USE, ops.arn, USE)
    ops = replace(ops, identity_policies=(managed,), last_used="2026-11-20T00:00:00Z")
    alice = Principal(
        kind=PrincipalKind.USER,
        arn=ALICE,
        iam_arn=ALICE,
        account=HOME,
        name="alice",
        groups=("readers",),
        identity_policies=(attached(Layer.IDENTITY, "Group", READERS, text(allow(Action="kms:DescribeKey"))),),
    )
    full = [attached(Layer.SCP, "FullAWSAccess", name, FULL) for name in ("r-1", "ou-a", HOME)]
    targets = (
        OrgTarget(id="r-1", name="Root", kind=TargetKind.ROOT, parent=None, scps=(full[0],), rcps=()),
        OrgTarget(id="ou-a", name="Apps", kind=TargetKind.UNIT, parent="r-1", scps=(full[1],), rcps=()),
        OrgTarget(id=HOME, name="home", kind=TargetKind.ACCOUNT, parent="ou-a", scps=(full[2],), rcps=()),
    )
    organization = Organization(id="o-1", management_account="999999999999", targets=targets)
    return replace(snapshot, principals=(app, batch, ops, alice), organization=organization)


def second_region(snapshot: Snapshot) -> Snapshot:
    """The same alias on a key in another Region: its plain name is ambiguous."""
    arn = OTHER.replace("eu-west-1", "us-east-1")
    alias = Alias("alias/app", f"arn:aws:kms:us-east-1:{HOME}:alias/app", arn.rsplit("/", 1)[1])
    twin = replace(snapshot.keys[1], arn=arn, region="us-east-1", aliases=(alias,))
    return replace(snapshot, keys=(*snapshot.keys, twin))


def plan(*changes: dict[str, Any], **more: Any) -> str:
    """``terraform show -json`` of these changes."""
    return json.dumps({"format_version": "1.2", "resource_changes": list(changes), **more})


def change(
    address: str, before: Any, after: Any, *, unknown: Any = None, actions: list[str] | None = None
) -> dict[str, Any]:
    """One resource change, with the actions that fit its ends."""
    ends = {(True, False): ["create"], (False, True): ["delete"], (False, False): ["update"]}
    made = actions or ends[before is None, after is None]
    return {
        "address": address,
        "mode": "managed",
        "type": address.removeprefix("module.keys.").split(".")[0],
        "change": {"actions": made, "before": before, "after": after, "after_unknown": unknown or {}},
    }


__all__ = ["ALICE", "APP", "NEW", "change", "organization_estate", "plan", "second_region"]

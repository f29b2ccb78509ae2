"""Creates the organization: units, accounts, tags, and the SCPs and RCPs attached to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from auditor.demo.accounts import MANAGEMENT, MEMBERS, ROOT, UNITS
from auditor.demo.parts import Accounts, Guardrail

POLICY_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def create_organization(client: Any, management: str) -> tuple[Accounts, dict[str, str]]:
    """Builds the tree; returns the account ids, and the AWS id of every name that a guardrail can be attached to."""
    organization = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    root = client.list_roots()["Roots"][0]["Id"]
    for kind in POLICY_TYPES:
        _enable(client, root, kind)
    targets = {ROOT: root}
    for unit in UNITS:
        answer = client.create_organizational_unit(ParentId=targets[unit.parent], Name=unit.name)
        targets[unit.name] = answer["OrganizationalUnit"]["Id"]
    members = _create_members(client, root, targets)
    accounts = Accounts(organization=organization, management=management, **members)
    return accounts, {**targets, **members, MANAGEMENT: management}


def _enable(client: Any, root: str, kind: str) -> None:
    enabled = {entry["Type"] for entry in client.list_roots()["Roots"][0]["PolicyTypes"]}
    if kind not in enabled:
        client.enable_policy_type(RootId=root, PolicyType=kind)


def _create_members(client: Any, root: str, targets: dict[str, str]) -> dict[str, str]:
    members = {}
    for member in MEMBERS:
        status = client.create_account(
            AccountName=member.name,
            Email=f"aws+{member.name}@securecart.example",
            Tags=[{"Key": "environment", "Value": member.environment}],
        )["CreateAccountStatus"]
        members[member.key] = status["AccountId"]
        client.move_account(
            AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=targets[member.unit]
        )
    return members


def attach_guardrails(client: Any, guardrails: Iterable[Guardrail], targets: dict[str, str]) -> None:
    """Creates each SCP and RCP and attaches it to its targets."""
    for guardrail in guardrails:
        policy = client.create_policy(
            Name=guardrail.name,
            Description=guardrail.description,
            Type=guardrail.kind,
            Content=json.dumps(guardrail.document),
        )["Policy"]["PolicySummary"]["Id"]
        for target in guardrail.targets:
            client.attach_policy(PolicyId=policy, TargetId=targets[target])

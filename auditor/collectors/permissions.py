"""The least-privilege, read-only policy of the auditor, generated from the operations that the collectors may call."""

from __future__ import annotations

import json
from typing import Any

from auditor.collectors.operation import Level, Need, Operation
from auditor.collectors.operations import ALL

ROLE = "KmsAuditReadOnly"
DEFAULT_NEEDS = frozenset(Need) - {Need.ORG_ROLE, Need.RESOURCES, Need.KEY_EVENTS}
"""What reads the services beside KMS one by one, or the event history of them all, which no policy can limit to that of
KMS, is given only to those who ask for it."""
_SIDS = {
    Level.KEY: "KmsAuditKeys",
    Level.ACCOUNT: "KmsAuditAccount",
    Level.ORGANIZATION: "KmsAuditOrganization",
}
KEY_STATEMENT_NOTE = "For the policy of a key that does not delegate to IAM: put the ARN of the audit role."
FORMS = ("json", "cloudformation", "terraform")
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


def operations(needs: frozenset[Need] = DEFAULT_NEEDS) -> tuple[Operation, ...]:
    """The operations of these needs that take a permission, by action."""
    return tuple(item for item in ALL if item.need in needs and item.level is not Level.NONE)


def policy(
    partition: str = "aws", needs: frozenset[Need] = DEFAULT_NEEDS, *, organization: bool = True
) -> dict[str, Any]:
    """The identity policy. ``organization``: with what the management account needs, besides a member account."""
    statements = []
    for level, sid in _SIDS.items():
        actions = [item.action for item in operations(needs) if item.level is level]
        if not actions or (level is Level.ORGANIZATION and not organization):
            continue
        resource = f"arn:{partition}:kms:*:*:key/*" if level is Level.KEY else "*"
        statements.append({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
    if organization:
        role = f"arn:{partition}:iam::*:role/{ROLE}"
        statements.append({"Sid": "KmsAuditMembers", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": role})
    return {"Version": "2012-10-17", "Statement": statements}


def key_statement(partition: str = "aws", account: str = "111122223333") -> dict[str, Any]:
    """The statement for a key policy that names the audit role itself, in the account that the role lives in."""
    actions = [item.action for item in operations() if item.level is Level.KEY]
    return {
        "Sid": ROLE,
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:role/{ROLE}"},
        "Action": actions,
        "Resource": "*",
    }


def render(form: str, partition: str = "aws", *, resources: bool = False, key_events: bool = False) -> str:
    """The policy as ``json``, or a role with it as ``cloudformation`` (StackSet-ready) or ``terraform`` text.

    ``resources``: with what the inventory of encrypted resources takes; ``key_events``: with CloudTrail's history.
    """
    asked = {Need.RESOURCES: resources, Need.KEY_EVENTS: key_events}
    needs = DEFAULT_NEEDS | {need for need, wanted in asked.items() if wanted}
    if form == "cloudformation":
        return _text(_template(needs))
    if form == "terraform":
        return _terraform(partition, needs)
    return _text(policy(partition, needs))


def render_key_statement(partition: str = "aws") -> str:
    """The statement for keys that do not delegate to IAM, as JSON text."""
    return _text(key_statement(partition))


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


def _template(needs: frozenset[Need]) -> dict[str, Any]:
    """A role for every member account, to deploy as a StackSet; it runs unchanged in every partition."""
    document = policy(needs=needs, organization=False)
    for statement in document["Statement"]:
        if statement["Resource"] != "*":
            statement["Resource"] = {"Fn::Sub": "arn:${AWS::Partition}:kms:*:${AWS::AccountId}:key/*"}
    # Not a partition and an account but CloudFormation's names for those of the stack.
    statement = json.dumps(key_statement("${AWS::Partition}", "${AWS::AccountId}")).replace(f"/{ROLE}", "/${RoleName}")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AuditAccount}:root"}},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "Fn::If": [
                        "HasExternalId",
                        {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
                        {"Ref": "AWS::NoValue"},
                    ]
                },
            }
        ],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Read-only role of kms-audit for each member account; deploy as a StackSet.",
        "Parameters": {
            "AuditAccount": {"Type": "String", "AllowedPattern": "[0-9]{12}"},
            "ExternalId": {"Type": "String", "Default": "", "NoEcho": True},
            "RoleName": {"Type": "String", "Default": ROLE},
        },
        "Conditions": {"HasExternalId": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExternalId"}, ""]}]}},
        "Resources": {
            "AuditRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Ref": "RoleName"},
                    "MaxSessionDuration": 3600,
                    "AssumeRolePolicyDocument": trust,
                    "Policies": [{"PolicyName": ROLE, "PolicyDocument": document}],
                },
            }
        },
        "Outputs": {
            "RoleArn": {"Value": {"Fn::GetAtt": ["AuditRole", "Arn"]}},
            "KeyPolicyStatement": {"Description": KEY_STATEMENT_NOTE, "Value": {"Fn::Sub": statement}},
        },
    }


def _terraform(partition: str, needs: frozenset[Need]) -> str:
    document = json.dumps(policy(partition, needs), indent=2)
    statement = json.dumps(key_statement(partition), indent=2)
    return (
        f'resource "aws_iam_policy" "kms_audit" {{\n  name   = "{ROLE}"\n  policy = <<-JSON\n{document}\nJSON\n}}\n\n'
        f"# {KEY_STATEMENT_NOTE}\n"
        f'output "kms_audit_key_statement" {{\n  value = <<-JSON\n{statement}\nJSON\n}}\n'
    )

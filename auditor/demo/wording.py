"""Short forms for writing policies, so that the files of keys and identities read like a list of decisions."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.demo.parts import Document, Statement

Who = str | list[str] | Mapping[str, object]
What = str | list[str]

USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
"""What AWS's console gives to the users of a key."""

ADMINISTER = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
]
"""What AWS's console gives to the administrators of a key."""

GUARD = [
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:PutKeyPolicy",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:RevokeGrant",
    "kms:TagResource",
]
"""Administration without deletion and without a way to use the key."""

AUDIT_ROLE = "KmsAuditReadOnly"
"""The role that the audit assumes in every account."""

READ = ["kms:Describe*", "kms:Get*", "kms:List*"]


def document(*statements: Statement, name: str = "") -> Document:
    """A policy document; ``name`` becomes its Id."""
    head: Document = {"Version": "2012-10-17"}
    if name:
        head["Id"] = name
    return {**head, "Statement": list(statements)}


def _statement(
    effect: str, sid: str, who: Who | None, what: What, when: Document | None, resource: What | None
) -> Statement:
    body: Statement = {"Sid": sid, "Effect": effect}
    if who is not None:
        body["Principal"] = {"AWS": who} if isinstance(who, list) or (isinstance(who, str) and who != "*") else who
    body["Action"] = what
    # A list, because moto refuses DescribeKey to everybody once any Deny names the plain string "*".
    body["Resource"] = resource or (["*"] if effect == "Deny" else "*")
    if when:
        body["Condition"] = when
    return body


def allow(sid: str, who: Who, what: What, when: Document | None = None) -> Statement:
    """An Allow of a key policy."""
    return _statement("Allow", sid, who, what, when, None)


def deny(sid: str, who: Who, what: What, when: Document | None = None) -> Statement:
    """A Deny of a key policy or RCP."""
    return _statement("Deny", sid, who, what, when, None)


def may(sid: str, what: What, resource: What = "*", when: Document | None = None) -> Statement:
    """An Allow of an identity policy or boundary."""
    return _statement("Allow", sid, None, what, when, resource)


def must_not(sid: str, what: What, when: Document | None = None) -> Statement:
    """A Deny of an SCP or identity policy."""
    return _statement("Deny", sid, None, what, when, None)


def root(account: str) -> str:
    """The account principal."""
    return f"arn:aws:iam::{account}:root"


def role(account: str, name: str) -> str:
    """The ARN of a role; ``name`` may carry its path."""
    return f"arn:aws:iam::{account}:role/{name}"


def delegate(account: str) -> Statement:
    """The statement of AWS's default key policy: IAM policies of the account decide."""
    return allow("Enable IAM User Permissions", root(account), "kms:*")


def key_administrators(account: str) -> list[str]:
    """The two roles that administer keys: one alone would be one deletion away from a lockout."""
    return [role(account, "KeyAdministrator"), role(account, "KeyDeputy")]


def administrators(account: str) -> Statement:
    """The key administrators of the account, as AWS's console writes it."""
    return allow("Allow access for Key Administrators", key_administrators(account), ADMINISTER)


def guardians(account: str) -> Statement:
    """The key administrators of the account, unable to delete or use the key."""
    return allow("KeyAdministratorsKeepPolicy", key_administrators(account), GUARD)


def users(*arns: str) -> Statement:
    """The users of the key, as AWS's console writes it."""
    return allow("Allow use of the key", list(arns), USE)


def assumable_by(who: Who | Statement, *, when: Document | None = None, action: What = "sts:AssumeRole") -> Document:
    """A role trust policy."""
    body: Statement = {"Effect": "Allow", "Principal": {"AWS": who} if isinstance(who, str) else who, "Action": action}
    return document({**body, "Condition": when} if when else body)


def service(host: str) -> Document:
    """The trust policy for an AWS service such as ``lambda``."""
    return assumable_by({"Service": f"{host}.amazonaws.com"})

"""Invented callers that turn fuzzy questions (“is it public?”) into ordinary evaluator calls.

Each is a plain ``Principal``; the evaluator treats it like any other, so a Deny or an RCP is honoured without extra
code. The invented accounts must not occur in the estate: ``unused_account`` looks for a free one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.policy_document import parse_policy
from auditor.model.principal import Principal, PrincipalKind

FULL_ACCESS = '{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}]}'
NO_SESSION_TAGS = (
    '{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
INVENTED_NAME = "kms-audit-synthetic"


def unused_account(taken: Collection[str]) -> str:
    """A 12-digit account id that is not in ``taken``; always the same for the same set."""
    number = 999_999_999_999
    while str(number) in taken:
        number -= 1
    return str(number)


def outsider(taken: Collection[str]) -> Principal:
    """OUTSIDER: any caller of an account that nobody in the estate has named, with every permission on its own side.

    Its ARN is left open on purpose: an outsider may call its role whatever a pattern asks for.
    """
    return external(unused_account(taken))


def external(account: str) -> Principal:
    """EXTERNAL(account): some caller of ``account`` that is allowed everything there; an upper bound."""
    return Principal(
        kind=PrincipalKind.EXTERNAL_ACCOUNT, arn=account, iam_arn=account, account=account, assume_allowed=True
    )


def account_admin(account: str, partition: str = "aws") -> Principal:
    """ACCOUNT_ADMIN and DATA_ROLE: a role of ``account`` with every permission and no boundary."""
    arn = f"arn:{partition}:iam::{account}:role/{INVENTED_NAME}"
    policy = AttachedPolicy(Layer.IDENTITY, "AdministratorAccess", arn, parse_policy(FULL_ACCESS))
    return Principal(
        kind=PrincipalKind.ROLE,
        arn=arn,
        iam_arn=arn,
        account=account,
        name=INVENTED_NAME,
        unique_id="AROAKMSAUDITSYNTHETIC",
        identity_policies=(policy,),
    )


def org_peer(account: str, partition: str = "aws") -> Principal:
    """ORG_PEER: an administrator role of a member account. Nobody has given it a tag, and it takes none by session."""
    return replace(account_admin(account, partition), trust_policy=parse_policy(NO_SESSION_TAGS))


def data_role(account: str, partition: str = "aws") -> Principal:
    """DATA_ROLE: a role of ``account`` with full storage and KMS permissions; like the administrator for KMS."""
    return account_admin(account, partition)


def analyzer_role(account: str, partition: str) -> Principal:
    """AA_ROLE: the service-linked role of IAM Access Analyzer, with the metadata permissions of its AWS policy."""
    arn = (
        f"arn:{partition}:iam::{account}:role/aws-service-role/access-analyzer.amazonaws.com/"
        "AWSServiceRoleForAccessAnalyzer"
    )
    policy = AttachedPolicy(Layer.IDENTITY, "AccessAnalyzerServiceRolePolicy", arn, parse_policy(FULL_ACCESS))
    return Principal(
        kind=PrincipalKind.SERVICE_LINKED_ROLE,
        arn=arn,
        iam_arn=arn,
        account=account,
        name="AWSServiceRoleForAccessAnalyzer",
        path="/aws-service-role/access-analyzer.amazonaws.com/",
        identity_policies=(policy,),
    )

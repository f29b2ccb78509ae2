"""Keys that AWS services manage for the accounts: wide principals, narrow conditions, and nothing to complain about."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, Accounts, DemoKey, Document
from auditor.demo.wording import READ, allow, document, root

USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"]


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """The keys of S3 in the shop and of EBS in analytics."""
    return (_key("shop", a.shop, "s3", "S3 objects"), _key("analytics", a.analytics, "ebs", "EBS volumes"))


def _key(account: str, account_id: str, service: str, what: str) -> DemoKey:
    return DemoKey(
        name=f"aws/{service}",
        account=account,
        region=FRANKFURT,
        service=service,
        description=f"Default key that protects my {what} when no other key is defined",
        policy=_written_by_service(account_id, "ec2" if service == "ebs" else service),
    )


def _written_by_service(account_id: str, host: str) -> Document:
    only = {"kms:CallerAccount": account_id, "kms:ViaService": f"{host}.{FRANKFURT}.amazonaws.com"}
    return document(
        allow("Allow access through the service for all principals of the account", {"AWS": "*"}, USE, _equals(only)),
        allow("Allow direct access to key metadata to the account", root(account_id), [*READ, "kms:RevokeGrant"]),
    )


def _equals(values: dict[str, str]) -> Document:
    return {"StringEquals": values}

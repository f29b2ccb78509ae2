"""Grants: constrained ones as they should be, service grants that are normal, and the forgotten ones."""

from __future__ import annotations

from auditor.demo.others import STRANGER
from auditor.demo.parts import Accounts, DemoGrant, Document
from auditor.demo.wording import role, root

VOLUMES = ("Decrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "CreateGrant")
NIGHTLY: Document = {"EncryptionContextEquals": {"batch": "nightly"}}
ORDERS: Document = {"EncryptionContextSubset": {"purpose": "orders"}}

CREATED = {
    "order-import": "2026-11-02",
    "archive-1": "2025-03-10",
    "archive-2": "2025-03-11",
    "hand-on": "2024-09-30",
    "import-2022": "2022-05-17",
    "supplier": "2026-10-20",
    "settlement-batch": "2026-11-10",
    "autoscaling-volumes": "2023-02-01",
    "database-snapshot": "2019-06-03",
    "archive-volume": "2021-01-15",
}
"""Grant name → the day that it was made."""


def all_grants(a: Accounts) -> tuple[DemoGrant, ...]:
    """Every grant, in the order of creation."""
    return (*_shop(a), *_payments(a), *_analytics(a))


def _shop(a: Accounts) -> tuple[DemoGrant, ...]:
    return (
        DemoGrant(
            key="orders",
            name="order-import",
            grantee=role(a.shop, "loyalty-service"),
            operations=("Decrypt", "Encrypt", "RetireGrant"),
            retiring=role(a.shop, "checkout-team"),
            constraints=ORDERS,
        ),
        DemoGrant(
            key="orders",
            name="autoscaling-volumes",
            grantee=role(a.shop, "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
            operations=VOLUMES,
        ),
        DemoGrant(
            key="supplier-portal", name="supplier", grantee=root(STRANGER), operations=("Decrypt", "GenerateDataKey")
        ),
    )


def _payments(a: Accounts) -> tuple[DemoGrant, ...]:
    instance = f"arn:aws:sts::{a.payments}:assumed-role/aws:ec2-infrastructure/i-0123456789abcdef0"
    return (
        DemoGrant(
            key="card-vault-2019",
            name="database-snapshot",
            grantee="rds.amazonaws.com",
            operations=("Decrypt", "CreateGrant", "DescribeKey"),
        ),
        DemoGrant(key="settlement-archive", name="archive-volume", grantee=instance, operations=VOLUMES),
        DemoGrant(
            key="settlement",
            name="settlement-batch",
            grantee=role(a.payments, "card-batch"),
            operations=("Encrypt", "GenerateDataKey"),
            constraints=NIGHTLY,
        ),
    )


def _analytics(a: Accounts) -> tuple[DemoGrant, ...]:
    archiver = role(a.analytics, "export-archiver")
    return (
        DemoGrant(
            key="exports",
            name="hand-on",
            grantee=role(a.analytics, "export-service"),
            operations=("Decrypt", "CreateGrant"),
        ),
        DemoGrant(key="exports", name="archive-1", grantee=archiver, operations=("Decrypt",)),
        DemoGrant(key="exports", name="archive-2", grantee=archiver, operations=("Decrypt",)),
        DemoGrant(
            key="exports",
            name="import-2022",
            grantee=role(a.analytics, "old-importer"),
            operations=("Decrypt", "GenerateDataKey"),
        ),
    )

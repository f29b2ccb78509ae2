"""Keys for secrets, still in the first account: a textbook policy to the letter, mistakes included, and its sequel."""

from __future__ import annotations

from auditor.demo.parts import VIRGINIA, Accounts, DemoKey, Statement
from auditor.demo.wording import document, guardians

TAGS = (("owner", "shop-platform"), ("data-class", "confidential"))


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """The misspelt form, and the one that makes IAM policies redundant."""
    return (
        DemoKey(
            name="shop-secrets",
            account="management",
            region=VIRGINIA,
            description="Secrets, delegated to IAM for Secrets Manager alone",
            tags=TAGS,
            policy=document(guardians(a.management), _secrets_misspelt(a.management)),
        ),
        DemoKey(
            name="shared-secrets",
            account="management",
            region=VIRGINIA,
            description="Secrets, for everybody who comes through Secrets Manager",
            tags=TAGS,
            policy=document(guardians(a.management), _secrets_for_everybody(a.management)),
        ),
    )


def _secrets_misspelt(account: str) -> Statement:
    return {
        "Effect": "Allow",
        "Pricipal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Actions": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
                "kms:CallerAccount": account,
            }
        },
    }


def _secrets_for_everybody(account: str) -> Statement:
    """The same, spelt right, with "AWS": "*": IAM policies no longer decide who may use the key."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
                "kms:CallerAccount": account,
            }
        },
    }

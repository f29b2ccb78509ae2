"""Keys of the shop account that carry well-known textbook policies to the letter, mistakes included."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, IRELAND, VIRGINIA, Accounts, DemoKey, Statement
from auditor.demo.wording import delegate, document, guardians

TAGS = (("owner", "shop-platform"), ("data-class", "confidential"))


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """Secrets Manager through kms:ViaService (two forms), and access by alias (two forms)."""
    return (
        DemoKey(
            name="shop-secrets",
            account="shop",
            region=VIRGINIA,
            description="Secrets, delegated to IAM for Secrets Manager alone",
            tags=TAGS,
            policy=document(guardians(a.shop), _secrets_misspelt(a.shop)),
        ),
        DemoKey(
            name="shared-secrets",
            account="shop",
            region=VIRGINIA,
            description="Secrets, for everybody who comes through Secrets Manager",
            tags=TAGS,
            policy=document(guardians(a.shop), _secrets_for_everybody(a.shop)),
        ),
        DemoKey(
            name="project-alpha",
            account="shop",
            region=IRELAND,
            description="Project Alpha; usable under its alias",
            tags=TAGS,
            policy=document(delegate(a.shop), _request_alias(a.shop)),
        ),
        DemoKey(
            name="restricted-reports",
            account="shop",
            region=FRANKFURT,
            description="Reports; operators of rotation find it by its alias",
            tags=TAGS,
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


def _request_alias(account: str) -> Statement:
    return {
        "Sid": "Key policy using a request alias condition",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:role/alpha-developer"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"StringLike": {"kms:RequestAlias": "alias/*alpha*"}},
    }

"""Keys of the shop account that AWS's documentation of access by alias speaks of, to the letter."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, IRELAND, Accounts, DemoKey, Statement
from auditor.demo.wording import delegate, document

TAGS = (("owner", "shop-platform"), ("data-class", "confidential"))


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """One key by the alias in the request, one by the aliases that it has."""
    return (
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


def _request_alias(account: str) -> Statement:
    return {
        "Sid": "Key policy using a request alias condition",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:role/alpha-developer"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"StringLike": {"kms:RequestAlias": "alias/*alpha*"}},
    }

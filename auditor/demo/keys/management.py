"""Keys of the management account: the shop began here, and its payment key never moved out."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, IRELAND, VIRGINIA, Accounts, DemoKey, Document


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """The two keys left behind."""
    return (
        DemoKey(
            name="securecart-payment-key",
            created="2017-06-01",
            account="management",
            region=VIRGINIA,
            policy=_securecart(a.management),
            description="Card transactions of the SecureCart shop",
            tags=(("owner", "payments"), ("data-class", "restricted")),
        ),
        DemoKey(
            name="old-shop-backup",
            created="2016-10-20",
            account="management",
            region=FRANKFURT,
            rotation=False,
            replicas={IRELAND: None},
        ),
    )


def _securecart(account: str) -> Document:
    """The SecureCart study guide's policy to the letter: nobody administers the key, and its Deny stops nothing."""
    return {
        "Id": "SecureCartKeyPolicy",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:role/securecart-lambda"},
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "*",
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["kms:DeleteKey"],
                "Resource": "*",
            },
        ],
    }

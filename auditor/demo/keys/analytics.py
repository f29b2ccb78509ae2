"""Keys of the analytics account: broad sharing, operators with holes, and NotPrincipal."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, IRELAND, Accounts, DemoKey, Statement
from auditor.demo.wording import USE, administrators, allow, delegate, document, role, root

TAGS = (("owner", "data-platform"), ("data-class", "confidential"))


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """All keys of the account."""
    return (*_shared(a), *_traps(a))


def _shared(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.analytics
    return (
        DemoKey(
            name="data-lake",
            rotation_days=1095,
            account="analytics",
            region=FRANKFURT,
            description="Data lake, open to the organization",
            tags=TAGS,
            policy=document(
                delegate(owner),
                administrators(owner),
                allow(
                    "WholeOrganization",
                    {"AWS": "*"},
                    ["kms:Decrypt", "kms:DescribeKey"],
                    {"StringEquals": {"aws:PrincipalOrgID": a.organization}},
                ),
            ),
        ),
        DemoKey(
            name="exports",
            account="analytics",
            region=FRANKFURT,
            description="Exports for partners, handed on by grants",
            tags=TAGS,
            policy=document(delegate(owner), administrators(owner)),
        ),
        DemoKey(
            name="partner-agreement",
            account="analytics",
            region=IRELAND,
            description="Agrees on keys with partners",
            tags=TAGS,
            spec="ECC_NIST_P256",
            usage="KEY_AGREEMENT",
            policy=document(
                administrators(owner),
                allow("Agree", [role(owner, "export-service")], ["kms:DeriveSharedSecret", "kms:GetPublicKey"]),
            ),
        ),
    )


def _traps(a: Accounts) -> tuple[DemoKey, ...]:
    owner = a.analytics
    return (
        DemoKey(
            name="notebooks",
            account="analytics",
            region=FRANKFURT,
            description="Notebooks, meant for calls inside the organization",
            tags=TAGS,
            policy=document(
                delegate(owner),
                allow(
                    "FromTheOrganization",
                    {"AWS": "*"},
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{a.organization}/*"}},
                ),
                # The role is capped by a boundary; its session, named here, is not.
                allow("OneSession", [f"arn:aws:sts::{owner}:assumed-role/notebook-user/anna"], ["kms:Decrypt"]),
            ),
        ),
        DemoKey(
            name="survey",
            account="analytics",
            region=IRELAND,
            description="Survey answers, for everybody but the interns",
            tags=TAGS,
            policy=document(delegate(owner), _all_but(role(owner, "intern"))),
        ),
        DemoKey(
            name="models",
            account="analytics",
            region=IRELAND,
            description="Models, for one role alone",
            tags=TAGS,
            policy=document(delegate(owner), _nobody_but(role(owner, "notebook-user"))),
        ),
        DemoKey(
            name="features",
            account="analytics",
            region=FRANKFURT,
            description="Feature store; the Deny forgets the other ways to read",
            tags=TAGS,
            policy=document(
                delegate(owner),
                {
                    "Sid": "AnalystsDoNotDecrypt",
                    "Effect": "Deny",
                    "Principal": {"AWS": role(owner, "analyst-pricing")},
                    "Action": "kms:Decrypt",
                    "Resource": ["*"],
                },
                allow("AnyNewReader", [root(owner)], USE, {"ArnLike": {"aws:PrincipalArn": role(owner, "reader-*")}}),
                # Meant as "always with the key team", true also when there is no encryption context at all.
                allow("Trainer", [role(owner, "model-trainer")], ["kms:Decrypt"], _only_context_keys("team")),
                allow("ReaderByName", {"AWS": "*"}, ["kms:Decrypt"], _named(role(owner, "feature-reader"))),
            ),
        ),
    )


def _only_context_keys(name: str) -> dict[str, object]:
    return {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": name}}


def _named(arn: str) -> dict[str, object]:
    return {"ArnEquals": {"aws:PrincipalArn": arn}}


def _all_but(arn: str) -> Statement:
    return {
        "Sid": "EverybodyElse",
        "Effect": "Allow",
        "NotPrincipal": {"AWS": arn},
        "Action": ["kms:Decrypt", "kms:DescribeKey"],
        "Resource": "*",
    }


def _nobody_but(arn: str) -> Statement:
    return {
        "Sid": "NobodyElse",
        "Effect": "Deny",
        "NotPrincipal": {"AWS": [arn]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": ["*"],
    }

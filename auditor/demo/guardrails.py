"""SCPs and RCPs at several levels: what holds for everybody, for workloads, and for production."""

from __future__ import annotations

from auditor.demo.accounts import ROOT
from auditor.demo.others import FORMER_PARTNER, PAYMENT_PARTNER
from auditor.demo.parts import Accounts, Guardrail
from auditor.demo.wording import deny, document, must_not

GLOBAL_SERVICES = ["iam:*", "organizations:*", "sts:*", "support:*", "cloudfront:*", "route53:*", "budgets:*"]


def all_guardrails(a: Accounts) -> tuple[Guardrail, ...]:
    """Every guardrail, in the order of creation."""
    return (*_service_control(), _identities_only(a))


def _service_control() -> tuple[Guardrail, ...]:
    return (
        Guardrail(
            name="SecureCartNoKeyDeletion",
            description="Meant to stop key deletion everywhere; the organization id is a leftover of its template",
            targets=(ROOT,),
            document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Deny",
                        "Action": ["kms:ScheduleKeyDeletion"],
                        "Resource": "*",
                        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc12345"}},
                    }
                ],
            },
        ),
        Guardrail(
            name="DenyOutsideEU",
            description="Workloads stay in two European Regions",
            targets=("Workloads",),
            document=document(
                {
                    "Sid": "DenyOutsideEU",
                    "Effect": "Deny",
                    "NotAction": GLOBAL_SERVICES,
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
                }
            ),
        ),
        Guardrail(
            name="ProtectProductionKeys",
            description="Only roles called KeyAdministrator delete production keys",
            targets=("Production",),
            document=document(
                must_not(
                    "NoKeyDeletion",
                    ["kms:ScheduleKeyDeletion"],
                    {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/KeyAdministrator*"}},
                )
            ),
        ),
        Guardrail(
            name="NoGrantsInLogArchive",
            description="Nobody hands on keys of the log archive",
            targets=("log_archive",),
            document=document(
                must_not("NoGrants", "kms:CreateGrant", {"Bool": {"kms:GrantIsForAWSResource": "false"}})
            ),
        ),
    )


def _identities_only(a: Accounts) -> Guardrail:
    return Guardrail(
        name="OurIdentitiesOnly",
        description="Keys of Security and payments answer to this organization and two partners, one of them gone",
        kind="RESOURCE_CONTROL_POLICY",
        targets=("Security", "payments"),
        document=document(
            deny(
                "OurIdentitiesOnly",
                "*",
                ["kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant"],
                {
                    "StringNotEqualsIfExists": {
                        "aws:PrincipalOrgID": a.organization,
                        "aws:PrincipalAccount": [PAYMENT_PARTNER, FORMER_PARTNER],
                    },
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            )
        ),
    )

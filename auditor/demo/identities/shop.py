"""Identities of the shop account: teams whose access hangs on tags and aliases, and an old user with a key."""

from __future__ import annotations

from auditor.demo.others import MONITORING_VENDOR, PAYMENT_PARTNER
from auditor.demo.parts import Accounts, DemoGroup, DemoPolicy, DemoRole, DemoUser, Document, Identities
from auditor.demo.wording import assumable_by, document, may, root, service

READ_DATA = ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"]


def identities(a: Accounts) -> Identities:
    """The account's own identities."""
    return Identities(
        policies=(DemoPolicy(name="AliasBasedIAMPolicy", account="shop", document=_alias_based(a.shop)),),
        roles=(*_by_attribute(a), *_services(), *_outsiders(a)),
        groups=(
            DemoGroup(name="ShopAdministrators", account="shop", inline={"Keys": document(may("AllKeys", "kms:*"))}),
        ),
        users=(
            DemoUser(name="legacy-checkout", account="shop", access_key=True),
            DemoUser(name="paula", account="shop", groups=("ShopAdministrators",), password=True),
        ),
        service_linked=(("shop", "autoscaling.amazonaws.com"),),
    )


def _alias_based(account: str) -> Document:
    """AWS's example of a policy that works by alias, on the keys of two accounts."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AliasBasedIAMPolicy",
                "Effect": "Allow",
                "Action": ["kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:GetKeyRotationStatus"],
                "Resource": [f"arn:aws:kms:*:{account}:key/*", f"arn:aws:kms:*:{PAYMENT_PARTNER}:key/*"],
                "Condition": {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/restricted*"}},
            }
        ],
    }


def _by_attribute(a: Accounts) -> tuple[DemoRole, ...]:
    owner = a.shop
    return (
        DemoRole(
            name="alpha-developer",
            account="shop",
            trust=assumable_by(root(owner)),
            inline={
                "Names": document(may("Names", ["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"])),
                "ByAlias": document(
                    may("ByAlias", READ_DATA, when={"StringLike": {"kms:RequestAlias": "alias/*alpha*"}})
                ),
            },
        ),
        DemoRole(
            name="wholesale",
            account="shop",
            trust=service("ecs-tasks"),
            inline={
                "ByTag": document(
                    may("ByTag", READ_DATA, when={"StringEquals": {"aws:ResourceTag/project": "orders"}}),
                    # Who may tag any key may bring any key into the project.
                    may("Tagging", ["kms:TagResource", "kms:UntagResource"]),
                )
            },
        ),
        DemoRole(
            name="rotation-operator",
            account="shop",
            trust=assumable_by(root(owner)),
            managed=("AliasBasedIAMPolicy",),
        ),
    )


def _services() -> tuple[DemoRole, ...]:
    by_alias = "arn:aws:kms:*:*:alias/orders"
    return (
        DemoRole(name="checkout-team", account="shop", trust=service("ecs-tasks")),
        # May create a role called KeyAdministrator-anything, which the production guardrail lets pass.
        DemoRole(
            name="deploy-pipeline",
            account="shop",
            trust=service("codebuild"),
            inline={
                "Deploy": document(
                    may("Roles", ["iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"]),
                    may("Files", ["s3:PutObject", "s3:GetObject"]),
                )
            },
        ),
        DemoRole(name="voucher-service", account="shop", trust=service("lambda")),
        DemoRole(name="loyalty-service", account="shop", trust=service("lambda")),
        DemoRole(
            name="order-reader",
            account="shop",
            trust=service("lambda"),
            # An alias ARN names the alias, never the key behind it.
            inline={"ByAliasArn": document(may("ByAliasArn", "kms:Decrypt", by_alias))},
        ),
    )


def _outsiders(a: Accounts) -> tuple[DemoRole, ...]:
    everything = document(may("Read", ["s3:Get*", "kms:Decrypt"]))
    return (
        DemoRole(
            name="cost-monitoring",
            account="shop",
            trust=assumable_by(root(MONITORING_VENDOR)),
            inline={"Read": everything},
        ),
        DemoRole(
            name="shared-reader",
            account="shop",
            trust=assumable_by("*", when={"StringEquals": {"aws:PrincipalOrgID": a.organization}}),
            inline={"Read": everything},
        ),
    )

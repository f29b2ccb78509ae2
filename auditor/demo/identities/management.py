"""Identities of the management account: the first shop's function, its auditors, and a deployer who can reach it."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.demo.parts import Accounts, DemoGroup, DemoRole, DemoUser, Document, Identities
from auditor.demo.wording import assumable_by, document, may, role, root, service


def identities(a: Accounts, key_arns: Mapping[str, str]) -> Identities:
    """The account's own identities; the auditors' and the function's policies are the SecureCart guide's."""
    owner = a.management
    return Identities(
        roles=(
            DemoRole(
                name="securecart-lambda",
                account="management",
                trust=service("lambda"),
                inline={
                    "TemporaryAccess": document(
                        may(
                            "Grants",
                            ["kms:CreateGrant", "kms:Decrypt"],
                            when={"StringEquals": {"kms:GrantConstraintType": "EncryptionContextEquals"}},
                        )
                    )
                },
            ),
            DemoRole(
                name="securecart-deployer",
                account="management",
                trust=assumable_by(root(owner)),
                inline={
                    "Deploy": document(
                        may("Code", ["lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:InvokeFunction"]),
                        may("HandOver", "iam:PassRole", role(owner, "securecart-lambda")),
                    )
                },
            ),
        ),
        groups=(
            DemoGroup(
                name="Auditors",
                account="management",
                inline={"ReadOnly": document(may("ReadOnly", ["kms:ListKeys", "kms:GetKeyPolicy", "kms:DescribeKey"]))},
            ),
            DemoGroup(name="DatabaseAdministrators", account="management", inline={"Read": _database_access()}),
        ),
        users=(
            DemoUser(name="John", account="management", inline={"UseSecrets": _secrets(key_arns)}, password=True),
            DemoUser(name="maria", account="management", groups=("Auditors",), password=True),
            DemoUser(name="oskar", account="management", groups=("DatabaseAdministrators",), access_key=True),
        ),
    )


def _database_access() -> Document:
    return document(may("LookAndDecrypt", ["kms:DescribeKey", "kms:Decrypt"]))


def _secrets(key_arns: Mapping[str, str]) -> Document:
    """John's policy; IAM refuses the misspelt ``Actions`` that the key policy of ``shop-secrets`` could keep."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": [key_arns["shop-secrets"], key_arns["shared-secrets"]],
            }
        ],
    }

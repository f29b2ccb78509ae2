"""Identities of the management account: the first shop's function, its auditors, and a deployer who can reach it."""

from __future__ import annotations

from auditor.demo.parts import Accounts, DemoGroup, DemoRole, DemoUser, Identities
from auditor.demo.wording import assumable_by, document, may, role, root, service


def identities(a: Accounts) -> Identities:
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
            DemoUser(name="maria", account="management", groups=("Auditors",), password=True),
            DemoUser(name="oskar", account="management", groups=("DatabaseAdministrators",), access_key=True),
        ),
    )


def _database_access() -> dict[str, object]:
    return document(may("LookAndDecrypt", ["kms:DescribeKey", "kms:Decrypt"]))

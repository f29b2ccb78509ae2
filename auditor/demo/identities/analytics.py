"""Identities of the analytics account: many analysts, and a notebook role with a boundary."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.demo.parts import Accounts, DemoPolicy, DemoRole, Identities
from auditor.demo.wording import assumable_by, document, may, role, root, service

TEAMS = ("pricing", "stock", "returns", "search", "fraud", "growth", "seo", "support", "supply", "finance", "brand")


def identities(a: Accounts, key_arns: Mapping[str, str]) -> Identities:
    """The account's own identities."""
    return Identities(
        policies=(
            DemoPolicy(
                name="ReadEverything",
                account="analytics",
                document=document(may("ReadEverything", ["s3:Get*", "kms:Decrypt"])),
            ),
            DemoPolicy(
                name="NotebookBoundary",
                account="analytics",
                document=document(may("Notebooks", ["sagemaker:*", "s3:*", "kms:Encrypt", "kms:DescribeKey"])),
            ),
        ),
        roles=(
            *(
                DemoRole(
                    name=f"analyst-{team}",
                    account="analytics",
                    trust=service("glue"),
                    managed=("ReadEverything",),
                )
                for team in TEAMS
            ),
            *_special(a),
            DemoRole(
                name="cost-saver",
                account="analytics",
                trust=service("lambda"),
                inline={
                    "SwitchOff": document(may("SwitchOff", ["kms:DisableKey", "kms:DescribeKey"], key_arns["exports"]))
                },
            ),
        ),
    )


def _special(a: Accounts) -> tuple[DemoRole, ...]:
    owner = a.analytics
    return (
        DemoRole(
            name="notebook-user",
            account="analytics",
            trust=assumable_by(root(owner)),
            boundary="NotebookBoundary",
            inline={"Use": document(may("Use", ["kms:Decrypt", "kms:Encrypt"]))},
        ),
        DemoRole(name="export-service", account="analytics", trust=service("ecs-tasks")),
        DemoRole(name="export-archiver", account="analytics", trust=service("lambda")),
        DemoRole(name="model-trainer", account="analytics", trust=service("sagemaker")),
        DemoRole(name="intern", account="analytics", trust=service("glue")),
        # May create any role, also feature-reader, which a key policy waits for.
        DemoRole(
            name="platform-automation",
            account="analytics",
            trust=service("codebuild"),
            inline={
                "Roles": document(
                    may("Roles", ["iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole"], role(owner, "*")),
                )
            },
        ),
    )

"""Identities of the payments account: applications with narrow policies, and a boundary on what teams create."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.demo.parts import FRANKFURT, Accounts, DemoPolicy, DemoRole, Identities
from auditor.demo.wording import assumable_by, document, may, must_not, role, service


def identities(a: Accounts, key_arns: Mapping[str, str]) -> Identities:
    """The account's own identities."""
    return Identities(
        policies=(
            DemoPolicy(
                name="TeamBoundary",
                account="payments",
                document=document(
                    may("Storage", ["s3:*", "dynamodb:*", "logs:*"]),
                    may("ReadThroughS3", "kms:Decrypt", when=_through_s3()),
                    must_not("NeverAdministerKeys", ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]),
                ),
            ),
            DemoPolicy(
                name="SettlementFiles",
                account="payments",
                document=document(
                    may("Files", ["kms:Decrypt", "kms:GenerateDataKey"], key_arns["settlement"]),
                ),
            ),
        ),
        roles=(*_applications(a), *_people(a)),
        service_linked=(("payments", "autoscaling.amazonaws.com"),),
    )


def _through_s3() -> dict[str, object]:
    return {"StringEquals": {"kms:ViaService": f"s3.{FRANKFURT}.amazonaws.com"}}


def _applications(a: Accounts) -> tuple[DemoRole, ...]:
    return (
        DemoRole(name="card-application", account="payments", trust=service("ec2")),
        DemoRole(name="card-batch", account="payments", trust=service("ecs-tasks")),
        DemoRole(name="ledger-reports", account="payments", trust=service("lambda")),
        DemoRole(
            name="settlement-service", account="payments", trust=service("ecs-tasks"), managed=("SettlementFiles",)
        ),
        # Its own policy is wide, the boundary leaves Decrypt through S3.
        DemoRole(
            name="team-tool",
            account="payments",
            trust=service("lambda"),
            boundary="TeamBoundary",
            inline={"Wide": document(may("Wide", ["kms:*", "s3:*"]))},
        ),
    )


def _people(a: Accounts) -> tuple[DemoRole, ...]:
    support = role(a.payments, "payments-support")
    return (
        DemoRole(
            name="payments-support",
            account="payments",
            trust=assumable_by(role(a.management, "securecart-deployer")),
            inline={"BecomeSettlement": document(may("Become", "sts:AssumeRole", role(a.payments, "support-tools")))},
        ),
        DemoRole(
            name="support-tools",
            account="payments",
            trust=assumable_by(support),
            inline={"Look": document(may("Look", ["kms:Decrypt", "kms:DescribeKey"]))},
        ),
    )

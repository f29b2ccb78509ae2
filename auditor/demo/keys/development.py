"""Keys of the development account: small, and careless in the ways that development accounts are."""

from __future__ import annotations

from auditor.demo.parts import FRANKFURT, IRELAND, Accounts, DemoKey
from auditor.demo.wording import allow, delegate, deny, document, role

TAGS = (("owner", "engineering"), ("data-class", "internal"))


def keys(a: Accounts) -> tuple[DemoKey, ...]:
    """All keys of the account."""
    owner = a.development
    return (
        DemoKey(name="sandbox", account="development", region=FRANKFURT, rotation=False),
        DemoKey(
            name="build-artifacts",
            account="development",
            region=FRANKFURT,
            description="Artifacts of the build",
            tags=TAGS,
            policy=document(
                delegate(owner),
                allow("Build", [role(owner, "github-build")], ["kms:Decrypt", "kms:GenerateDataKey"]),
                # An alias is not a key: the statement belongs to no key policy and grants nothing.
                {
                    "Sid": "ByAlias",
                    "Effect": "Allow",
                    "Principal": {"AWS": role(owner, "feature-tester")},
                    "Action": "kms:Decrypt",
                    "Resource": f"arn:aws:kms:{FRANKFURT}:{owner}:alias/build-artifacts",
                },
            ),
        ),
        DemoKey(
            name="team-workspace",
            account="development",
            region=IRELAND,
            description="Workspaces; people reach their team's data by their own tag",
            tags=TAGS,
            policy=document(
                delegate(owner),
                allow(
                    "OwnTeam",
                    [role(owner, "workspace-team")],
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    {"StringEquals": {"aws:PrincipalTag/team": "workspace"}},
                ),
            ),
        ),
        DemoKey(
            name="test-cards",
            account="development",
            region=IRELAND,
            description="Card numbers for tests; everything is denied without MFA",
            tags=TAGS,
            policy=document(
                delegate(owner),
                deny(
                    "OnlyWithMfa",
                    "*",
                    ["kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"],
                    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
                ),
            ),
        ),
    )

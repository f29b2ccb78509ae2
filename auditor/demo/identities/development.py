"""Identities of the development account: a build pipeline from outside, testers, and sweeping policies."""

from __future__ import annotations

from auditor.demo.parts import Accounts, DemoProvider, DemoRole, DemoUser, Document, Identities
from auditor.demo.wording import USE, assumable_by, document, may, role, root

GITHUB = "token.actions.githubusercontent.com"


def identities(a: Accounts) -> Identities:
    """The account's own identities."""
    owner = a.development
    return Identities(
        providers=(DemoProvider(account="development", url=f"https://{GITHUB}", client_ids=("sts.amazonaws.com",)),),
        roles=(_build(owner), *_teams(a)),
        users=(
            DemoUser(
                name="tess",
                account="development",
                password=True,
                access_key=True,
                inline={"Sandbox": document(may("Sandbox", [*USE, "kms:ScheduleKeyDeletion"]))},
            ),
        ),
    )


def _build(owner: str) -> DemoRole:
    return DemoRole(
        name="github-build",
        account="development",
        trust=assumable_by(
            {"Federated": f"arn:aws:iam::{owner}:oidc-provider/{GITHUB}"},
            action="sts:AssumeRoleWithWebIdentity",
            # No condition on the subject: any repository of anybody may build here.
            when={"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}},
        ),
    )


def _teams(a: Accounts) -> tuple[DemoRole, ...]:
    owner = a.development
    return (
        DemoRole(
            name="feature-tester",
            account="development",
            trust=assumable_by(root(owner)),
            inline={"Use": document(may("Use", ["kms:Decrypt"]))},
        ),
        DemoRole(
            name="sandbox-team",
            account="development",
            trust=assumable_by(root(owner)),
            inline={"AllButIam": _all_but(["iam:*", "organizations:*", "account:*"])},
        ),
        DemoRole(
            name="workspace-team",
            account="development",
            trust=assumable_by(root(owner)),
            inline={"OwnTags": document(may("OwnTags", "iam:TagRole", role(owner, "workspace-team")))},
            tags=(("team", "frontend"),),
        ),
    )


def _all_but(actions: list[str]) -> Document:
    return document({"Sid": "AllButIam", "Effect": "Allow", "NotAction": actions, "Resource": "*"})

"""What identities of the management account do to member accounts: assign people to permission sets, become root users,
and take SCPs and RCPs away. To whom any of it is delegated is not read, so others count for none of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.organization import TargetKind
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.iam_side import may, not_stopped
from auditor.rules.view import View

RESERVED = "/aws-reserved/"
"""Roles that only IAM Identity Center may change or pass on."""
ASSIGNING = frozenset(("sso:CreateAccountAssignment", "identitystore:CreateGroupMembership"))
ASSUME_ROOT = "sts:AssumeRoot"
RECOVERY = "iam::aws:policy/root-task/IAMCreateRootUserPassword"
"""The task that lets the root user of a member account recover its password (IAM User Guide, privileged tasks)."""
ROOT_NEEDS = ("centralized root access must be on, and whoever reads the mail of the root user sets its password",)
LEAVES = "organizations:LeaveOrganization"
REMOVES = "organizations:RemoveAccountFromOrganization"
MOVES = "organizations:MoveAccount"
DISABLES = "organizations:DisablePolicyType"
REWRITES = ("organizations:DetachPolicy", "organizations:UpdatePolicy")
LIFTS = frozenset((LEAVES, REMOVES, MOVES, DISABLES, *REWRITES))
"""What takes SCPs and RCPs away. DeletePolicy does not: a policy must be detached before it is deleted."""


def steward(view: View, target: Principal) -> str:
    """The account whose identities say who comes into a role of IAM Identity Center, or becomes the root user of a
    member account: the management account. Empty for others, and where nobody knows it."""
    organization = view.snapshot.organization
    central = target.kind is PrincipalKind.ROOT or RESERVED in target.path
    if organization is None or not central or organization.levels(target.account or "") is None:
        return ""
    own = target.kind is PrincipalKind.ROOT and target.account == organization.management_account
    return "" if own else organization.management_account


def assigns(view: View, who: Principal, role: Principal, verbs: frozenset[str]) -> Iterator[str]:
    """The actions that assign its own person, or one of its making, to the permission set that the role is of."""
    if verbs & ASSIGNING and who.account == steward(view, role):
        yield from (one for one in sorted(verbs & ASSIGNING) if may(view, who, one, None))


def recovers(view: View, who: Principal, root: Principal, verbs: frozenset[str]) -> bool:
    """Whether the identity may begin the recovery of the password of a member's root user (STS API, AssumeRoot); the
    SCPs of the member bind what it does there as the root user."""
    task = f"arn:{root.arn.split(':')[1]}:{RECOVERY}"
    return (
        ASSUME_ROOT in verbs
        and who.account == steward(view, root)
        and may(view, who, ASSUME_ROOT, root.arn, known=(("sts:taskpolicyarn", task),))
        and not_stopped(view, root, "iam:CreateLoginProfile", root.arn)
    )


def roots(view: View, verbs: dict[str, frozenset[str]]) -> list[Principal]:
    """The root users of the member accounts; none where no policy speaks of becoming one (``verbs``: ARN → actions)."""
    organization = view.snapshot.organization
    maker = next((arn for arn, spoken in verbs.items() if ASSUME_ROOT in spoken), "")
    if organization is None or not maker:
        return []
    place = maker.split(":")[1]
    accounts = sorted(target.id for target in organization.targets if target.kind is TargetKind.ACCOUNT)
    found = (_root(f"arn:{place}:iam::{account}:root", account) for account in accounts)
    return [root for root in found if steward(view, root)]


def _root(arn: str, account: str) -> Principal:
    return Principal(kind=PrincipalKind.ROOT, arn=arn, iam_arn=arn, account=account, name="root")

"""Users, roles and groups that a plan speaks of: by their ARN, new ones by the ARN that they will have."""

from __future__ import annotations

from auditor.questions.terraform.plan import Change, OpenError, Plan, text_of

OWNERS = ("aws_iam_role", "aws_iam_user")


def owner_named(plan: Plan, change: Change, attribute: str, owner: str) -> str:
    """The user, role or group (``owner``) that an attribute names, after apply.

    By its ARN where the configuration refers to one whose ARN is known, else as ``owner/NAME``. Raises OpenError.
    """
    referred = plan.referred(change, attribute, f"aws_iam_{owner}")
    if referred is None:
        return f"{owner}/{text_of(change.now(attribute), attribute)}"
    if "delete" not in referred.actions and referred.was("arn"):
        return str(referred.was("arn"))
    if referred.made:
        return planned_arn(plan, referred) or planned_name(referred)
    return f"{owner}/{text_of(change.now(attribute), attribute)}"


def planned_name(change: Change) -> str:
    """``role/PATH/NAME`` of a new user, role or group. Raises OpenError where Terraform chooses the name."""
    kind, path = change.type.removeprefix("aws_iam_"), change.now("path")
    return f"{kind}{path if isinstance(path, str) and path else '/'}{text_of(change.now('name'), 'name')}"


def planned_arn(plan: Plan, change: Change) -> str:
    """The ARN that a new user, role or group will have; empty where the plan does not tell its account."""
    place = plan.place(change)
    return f"arn:{place.partition or 'aws'}:iam::{place.account}:{planned_name(change)}" if place.account else ""


def policy_arn(plan: Plan, policy: Change) -> str:
    """What a managed policy that the plan makes is called: its ARN, as far as the plan tells the account."""
    try:
        name = text_of(policy.now("name"), "name")
    except OpenError:
        name = policy.address
    path = policy.was("path") or (policy.after or {}).get("path") or "/"
    place = plan.place(policy)
    return f"arn:{place.partition or 'aws'}:iam::{place.account}:policy{path}{name}"

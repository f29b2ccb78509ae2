"""Planned changes of SCPs and RCPs → edits."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.questions.edits import Edit, EditKind
from auditor.questions.terraform.plan import Change, OpenError, Plan, document, text_of

KINDS = {
    "SERVICE_CONTROL_POLICY": (EditKind.SCP, EditKind.ATTACH_SCP),
    "RESOURCE_CONTROL_POLICY": (EditKind.RCP, EditKind.ATTACH_RCP),
}
"""Type of policy → the edits that replace and that attach one; other types do not take part in authorization."""
POLICY = "aws_organizations_policy"
FULL_ACCESS = Change(
    address="FullAWSAccess",
    type=POLICY,
    actions=("no-op",),
    before={"id": "p-FullAWSAccess", "name": "FullAWSAccess"},
    after={
        "name": "FullAWSAccess",
        "type": "SERVICE_CONTROL_POLICY",
        "content": '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
    },
    unknown={},
)
"""What every root, OU and account has from AWS: no plan makes it, many attach and detach it."""
KEPT = "skip_destroy"
"""Set: Terraform forgets the policy, or its attachment, instead of taking it away."""


def policy(plan: Plan, change: Change) -> Iterator[Edit]:
    """A policy; a new one does nothing before it is attached."""
    kinds = KINDS.get(_type(change))
    if change.before is None or kinds is None:
        return
    name = text_of(change.was("name"), "name")
    if change.after is None:
        if not change.was(KEPT):
            yield Edit(kinds[0], name)
        return
    if change.differs("name"):
        raise OpenError("its name changes, so its citations would")
    if change.differs("content"):
        yield Edit(kinds[0], name, text=document(change.now("content"), "content"))


def attachment(plan: Plan, change: Change) -> Iterator[Edit]:
    """A policy attached to the root, an OU or an account. The plan must know the policy: snapshots hold no ids."""
    if change.before is not None and not change.was(KEPT):
        found = _by_id(plan, str(change.was("policy_id")))
        if _type(found) in KINDS:
            yield Edit(KINDS[_type(found)][0], found.name_of("name"), str(change.was("target_id")))
    if change.after is not None:
        found = _policy_of(plan, change)
        if _type(found) in KINDS:
            target, text = text_of(change.now("target_id"), "target_id"), document(found.now("content"), "content")
            yield Edit(KINDS[_type(found)][1], found.name_of("name"), target, text)


def _policy_of(plan: Plan, change: Change) -> Change:
    try:
        return _by_id(plan, text_of(change.now("policy_id"), "policy_id"))
    except OpenError:
        planned = plan.referred(change, "policy_id", POLICY)
        if planned is None:
            raise
        return planned


def _by_id(plan: Plan, policy_id: str) -> Change:
    for resource in plan.resources:
        if resource.type == POLICY and policy_id in (resource.was("id"), (resource.after or {}).get("id")):
            return resource
    if policy_id == FULL_ACCESS.was("id"):
        return FULL_ACCESS
    raise OpenError(f"the plan does not say what policy {policy_id} is")


def _type(change: Change) -> str:
    values = change.after if change.after is not None else change.before
    found = (values or {}).get("type") or "SERVICE_CONTROL_POLICY"
    if not isinstance(found, str):
        raise OpenError("`type` is not in the plan")
    return found


ORGANIZATIONS = {POLICY: policy, "aws_organizations_policy_attachment": attachment}
"""Resource type → what its change means."""

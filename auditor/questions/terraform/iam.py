"""Planned changes of IAM resources → edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from auditor.questions.edits import Edit, EditKind
from auditor.questions.terraform.groups import GROUPS
from auditor.questions.terraform.kms import tags
from auditor.questions.terraform.plan import Change, OpenError, Plan, Reader, document, each, listed, text_of
from auditor.questions.terraform.principals import owner_named, planned_arn, planned_name, policy_arn
from auditor.questions.terraform.values import mapping


def managed_policy(plan: Plan, change: Change) -> Iterator[Edit]:
    """A managed policy; a new one gives nothing before it is attached."""
    if change.before is None:
        return
    if change.after is None:
        yield Edit(EditKind.MANAGED_POLICY, change.name_of("arn"))
    elif change.differs("policy"):
        yield Edit(EditKind.MANAGED_POLICY, change.name_of("arn"), text=document(change.now("policy"), "policy"))


def inline(owner: str) -> Reader:
    """An inline policy of a user, role or group."""

    def read(plan: Plan, change: Change) -> Iterator[Edit]:
        moved = change.before is not None and any(change.differs(name) for name in (owner, "name"))
        if change.before is not None and (change.after is None or moved):
            yield Edit(EditKind.IDENTITY_POLICY, _formerly(plan, change, owner), str(change.was("name")))
        if change.after is not None:
            who = owner_named(plan, change, owner, owner)
            yield Edit(EditKind.IDENTITY_POLICY, who, _name(change), document(change.now("policy"), "policy"))

    return read


def _name(change: Change) -> str:
    """The name of an inline policy; one that Terraform is going to choose plays no part in what it gives."""
    if change.before is None and change.unknown.get("name") is True:
        return f"planned:{change.address}"
    return text_of(change.now("name"), "name")


def _formerly(plan: Plan, change: Change, owner: str) -> str:
    """The user, role or group before apply; of what is destroyed the configuration says nothing any more."""
    stays = change.after is not None and not change.differs(owner)
    return owner_named(plan, change, owner, owner) if stays else f"{owner}/{change.was(owner)}"


def attachment(owner: str) -> Reader:
    """A managed policy attached to a user, role or group."""

    def read(plan: Plan, change: Change) -> Iterator[Edit]:
        if change.before is not None:
            yield Edit(EditKind.DETACH_POLICY, _formerly(plan, change, owner), str(change.was("policy_arn")))
        if change.after is not None:
            yield attach(plan, change, owner_named(plan, change, owner, owner))

    return read


def attachments(plan: Plan, change: Change) -> Iterator[Edit]:
    """``aws_iam_policy_attachment``: one policy on many users, roles and groups."""
    was = _holders(change.was)
    now = _holders(change.now) if change.after is not None else set()
    kept = set() if change.differs("policy_arn") else was & now
    for name in sorted(was - kept):
        yield Edit(EditKind.DETACH_POLICY, name, str(change.was("policy_arn")))
    for name in sorted(now - kept):
        yield attach(plan, change, name)


def _holders(value: Callable[[str], Any]) -> set[str]:
    fields = ("users", "roles", "groups")
    return {f"{field.removesuffix('s')}/{name}" for field in fields for name in listed(value(field), field)}


def attach(plan: Plan, change: Change, target: str) -> Edit:
    """The managed policy of a change attached to ``target``."""
    name, text = _managed(plan, change, "policy_arn")
    return Edit(EditKind.ATTACH_POLICY, target, name, text)


def _managed(plan: Plan, change: Change, attribute: str) -> tuple[str, str | None]:
    """The ARN of a managed policy, and its document where the plan has it: else the snapshot must know it."""
    try:
        arn = text_of(change.now(attribute), attribute)
    except OpenError:
        planned = plan.referred(change, attribute, "aws_iam_policy")
        if planned is None:
            raise
        return policy_arn(plan, planned), document(planned.now("policy"), "policy")
    known = plan.document("aws_iam_policy", "arn", arn, "policy")
    return arn, known[1] if known else None


def principal(kind: str) -> Reader:
    """A user or role: boundary, trust, inline and managed policies in its own block, tags, or its end."""

    def read(plan: Plan, change: Change) -> Iterator[Edit]:
        if "delete" in change.actions:
            yield Edit(EditKind.REMOVE_PRINCIPAL, change.name_of("arn"))
        if change.made:
            yield from _new(plan, change, kind)
        elif "delete" not in change.actions:
            arn = change.name_of("arn")
            parts = _parts(plan, change, kind, arn)
            yield from each(_renamed(change, kind), tags(plan, change, arn, EditKind.PRINCIPAL_TAG), *parts)

    return read


def _new(plan: Plan, change: Change, kind: str) -> Iterator[Edit]:
    """A user or role that is made, or made anew: then nothing of the old one is left but its name."""
    fresh = replace(change, before=None)
    name = planned_arn(plan, change) or planned_name(change)
    yield Edit(EditKind.ADD_PRINCIPAL, name)
    yield from each(tags(plan, fresh, name, EditKind.PRINCIPAL_TAG), *_parts(plan, fresh, kind, name))


def _parts(plan: Plan, change: Change, kind: str, name: str) -> tuple[Iterator[Edit], ...]:
    return (
        _trust(change, name, kind),
        _inline_blocks(plan, change, name),
        _managed_arns(plan, change, name),
        _boundary(plan, change, name),
    )


def _renamed(change: Change, kind: str) -> Iterator[Edit]:
    yield from ()
    if change.differs("name") or change.differs("path"):
        raise OpenError(f"the {kind} gets another name; the rest is judged under the old one")


def _trust(change: Change, target: str, kind: str) -> Iterator[Edit]:
    if kind == "role" and change.differs("assume_role_policy"):
        text = document(change.now("assume_role_policy"), "assume_role_policy")
        yield Edit(EditKind.TRUST_POLICY, target, text=text)


def _boundary(plan: Plan, change: Change, target: str) -> Iterator[Edit]:
    if not change.differs("permissions_boundary"):
        return
    if change.unknown.get("permissions_boundary") is not True and not change.now("permissions_boundary"):
        yield Edit(EditKind.BOUNDARY, target)
        return
    name, text = _managed(plan, change, "permissions_boundary")
    yield Edit(EditKind.BOUNDARY, target, name, text)


def _inline_blocks(plan: Plan, change: Change, target: str) -> Iterator[Edit]:
    if _changes(plan, change, "inline_policy"):
        was, now = _inline_policies(change.was("inline_policy")), _inline_policies(change.now("inline_policy"))
        for name in sorted(map(str, was.keys() - now.keys())):
            yield Edit(EditKind.IDENTITY_POLICY, target, name)
        for name, text in sorted(now.items()):
            if name and was.get(name) != text:
                yield Edit(EditKind.IDENTITY_POLICY, target, str(name), document(text, "inline_policy"))


def _managed_arns(plan: Plan, change: Change, target: str) -> Iterator[Edit]:
    if _changes(plan, change, "managed_policy_arns"):
        was_arns, now_arns = (
            set(map(str, listed(value, "managed_policy_arns")))
            for value in (change.was("managed_policy_arns"), change.now("managed_policy_arns"))
        )
        for arn in sorted(was_arns - now_arns):
            yield Edit(EditKind.DETACH_POLICY, target, str(arn))
        for arn in sorted(now_arns - was_arns):
            known = plan.document("aws_iam_policy", "arn", str(arn), "policy")
            yield Edit(EditKind.ATTACH_POLICY, target, str(arn), known[1] if known else None)


def _changes(plan: Plan, change: Change, name: str) -> bool:
    """Whether a set of policies changes, or may: a new role without any has what AWS will say, which is none."""
    return change.differs(name) and not (change.before is None and plan.left_out(change, name))


def _inline_policies(value: Any) -> dict[str, Any]:
    return {str(item.get("name") or ""): item.get("policy") for item in map(mapping, listed(value, "inline_policy"))}


IAM: dict[str, Reader] = {
    "aws_iam_policy": managed_policy,
    "aws_iam_role": principal("role"),
    "aws_iam_user": principal("user"),
    **{f"aws_iam_{owner}_policy": inline(owner) for owner in ("role", "user", "group")},
    **{f"aws_iam_{owner}_policy_attachment": attachment(owner) for owner in ("role", "user", "group")},
    "aws_iam_policy_attachment": attachments,
    **GROUPS,
}
"""Resource type → what its change means."""

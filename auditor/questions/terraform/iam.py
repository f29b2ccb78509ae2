"""Planned changes of IAM resources → edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from auditor.questions.edits import Edit, EditKind
from auditor.questions.terraform.kms import document, tags, text_of
from auditor.questions.terraform.plan import Change, OpenError, Plan, each, items, mapping

Reader = Callable[[Plan, Change], Iterator[Edit]]


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
            who = _named(plan, change, owner)
            yield Edit(EditKind.IDENTITY_POLICY, who, _name(change), document(change.now("policy"), "policy"))

    return read


def _name(change: Change) -> str:
    """The name of an inline policy; one that Terraform is going to choose plays no part in what it gives."""
    if change.before is None and change.unknown.get("name") is True:
        return f"planned:{change.address}"
    return text_of(change.now("name"), "name")


def _named(plan: Plan, change: Change, owner: str) -> str:
    """The user, role or group after apply: by its ARN where the configuration refers to one that is there already."""
    referred = plan.referred(change, owner, f"aws_iam_{owner}")
    arn = referred.was("arn") if referred and "delete" not in referred.actions else None
    return str(arn) if arn else f"{owner}/{text_of(change.now(owner), owner)}"


def _formerly(plan: Plan, change: Change, owner: str) -> str:
    """The user, role or group before apply; of what is destroyed the configuration says nothing any more."""
    stays = change.after is not None and not change.differs(owner)
    return _named(plan, change, owner) if stays else f"{owner}/{change.was(owner)}"


def attachment(owner: str) -> Reader:
    """A managed policy attached to a user, role or group."""

    def read(plan: Plan, change: Change) -> Iterator[Edit]:
        if change.before is not None:
            yield Edit(EditKind.DETACH_POLICY, _formerly(plan, change, owner), str(change.was("policy_arn")))
        if change.after is not None:
            yield _attach(plan, change, _named(plan, change, owner))

    return read


def attachments(plan: Plan, change: Change) -> Iterator[Edit]:
    """``aws_iam_policy_attachment``: one policy on many users, roles and groups."""
    was = _holders(change.was)
    now = _holders(change.now) if change.after is not None else set()
    kept = set() if change.differs("policy_arn") else was & now
    for name in sorted(was - kept):
        yield Edit(EditKind.DETACH_POLICY, name, str(change.was("policy_arn")))
    for name in sorted(now - kept):
        yield _attach(plan, change, name)


def _holders(value: Callable[[str], Any]) -> set[str]:
    return {
        f"{field.removesuffix('s')}/{name}" for field in ("users", "roles", "groups") for name in items(value(field))
    }


def _attach(plan: Plan, change: Change, target: str) -> Edit:
    """The document comes from the plan where the plan has it, else the snapshot must know it."""
    try:
        arn = text_of(change.now("policy_arn"), "policy_arn")
    except OpenError:
        planned = plan.referred(change, "policy_arn", "aws_iam_policy")
        if planned is None:
            raise
        name = str((planned.after or {}).get("name") or planned.address)
        return Edit(EditKind.ATTACH_POLICY, target, name, document(planned.now("policy"), "policy"))
    known = plan.document("aws_iam_policy", "arn", arn, "policy")
    return Edit(EditKind.ATTACH_POLICY, target, arn, known[1] if known else None)


def principal(kind: str) -> Reader:
    """A user or role: boundary, trust, inline and managed policies in its own block, tags, or its end."""

    def read(plan: Plan, change: Change) -> Iterator[Edit]:
        if change.before is None:
            raise OpenError(f"the {kind} does not exist yet")
        arn = change.name_of("arn")
        if change.after is None or "delete" in change.actions:
            yield Edit(EditKind.REMOVE_PRINCIPAL, arn)
            if change.after is not None:
                raise OpenError(f"the {kind} is made anew; the old one is judged as deleted")
            return
        yield from each(
            _renamed(change, kind),
            tags(change, arn, EditKind.PRINCIPAL_TAG),
            _trust(change, arn, kind),
            _inline_blocks(change, arn),
            _managed_arns(plan, change, arn),
            _boundary(plan, change, arn),
        )

    return read


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
    arn = change.now("permissions_boundary")
    known = plan.document("aws_iam_policy", "arn", str(arn), "policy") if arn else None
    yield Edit(EditKind.BOUNDARY, target, str(arn or ""), known[1] if known else None)


def _inline_blocks(change: Change, target: str) -> Iterator[Edit]:
    if change.differs("inline_policy"):
        was, now = _inline_policies(change.was("inline_policy")), _inline_policies(change.now("inline_policy"))
        for name in sorted(map(str, was.keys() - now.keys())):
            yield Edit(EditKind.IDENTITY_POLICY, target, name)
        for name, text in sorted(now.items()):
            if name and was.get(name) != text:
                yield Edit(EditKind.IDENTITY_POLICY, target, str(name), document(text, "inline_policy"))


def _managed_arns(plan: Plan, change: Change, target: str) -> Iterator[Edit]:
    if change.differs("managed_policy_arns"):
        was_arns, now_arns = (
            set(map(str, items(value)))
            for value in (change.was("managed_policy_arns"), change.now("managed_policy_arns"))
        )
        for arn in sorted(was_arns - now_arns):
            yield Edit(EditKind.DETACH_POLICY, target, str(arn))
        for arn in sorted(now_arns - was_arns):
            known = plan.document("aws_iam_policy", "arn", str(arn), "policy")
            yield Edit(EditKind.ATTACH_POLICY, target, str(arn), known[1] if known else None)


def _inline_policies(value: Any) -> dict[str, Any]:
    return {str(item.get("name") or ""): item.get("policy") for item in map(mapping, items(value))}


IAM: dict[str, Reader] = {
    "aws_iam_policy": managed_policy,
    "aws_iam_role": principal("role"),
    "aws_iam_user": principal("user"),
    **{f"aws_iam_{owner}_policy": inline(owner) for owner in ("role", "user", "group")},
    **{f"aws_iam_{owner}_policy_attachment": attachment(owner) for owner in ("role", "user", "group")},
    "aws_iam_policy_attachment": attachments,
}
"""Resource type → what its change means."""

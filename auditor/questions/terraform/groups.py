"""Planned changes of who belongs to a group, and of which policies alone somebody keeps → edits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.questions.edits import Edit, EditKind
from auditor.questions.terraform.plan import Change, OpenError, Plan, Reader, listed, text_of
from auditor.questions.terraform.principals import owner_named


def group(plan: Plan, change: Change) -> Iterator[Edit]:
    """A group by itself gives nothing; who belongs to it and its policies are resources of their own."""
    yield from ()
    if change.before is not None and change.after is not None and (change.differs("name") or change.differs("path")):
        raise OpenError("the group gets another name; what refers to it may be judged wrongly, or not at all")


def memberships_of_user(plan: Plan, change: Change) -> Iterator[Edit]:
    """``aws_iam_user_group_membership``: the groups of one user, beside others that it may be in."""
    was = set(map(str, listed(change.was("groups"), "groups")))
    now = set(map(str, listed(change.now("groups"), "groups"))) if change.after is not None else set[str]()
    moved = change.after is not None and change.before is not None and change.differs("user")
    left, joined = (was, now) if moved else (was - now, now - was)
    if left:
        yield from _leaving(f"user/{change.was('user')}", left)
    if joined:
        yield from _joining(plan, owner_named(plan, change, "user", "user"), joined)


def members_of_group(plan: Plan, change: Change) -> Iterator[Edit]:
    """``aws_iam_group_membership``: the users of one group."""
    was = set(map(str, listed(change.was("users"), "users")))
    now = set(map(str, listed(change.now("users"), "users"))) if change.after is not None else set[str]()
    moved = change.after is not None and change.before is not None and change.differs("group")
    left, joined = (was, now) if moved else (was - now, now - was)
    for user in sorted(left):
        yield from _leaving(f"user/{user}", [text_of(change.was("group"), "group")])
    if joined:
        name = owner_named(plan, change, "group", "group").rsplit("/", 1)[-1]
        for user in sorted(joined):
            yield from _joining(plan, f"user/{user}", [name])


def _leaving(user: str, groups: Iterable[str]) -> Iterator[Edit]:
    return (Edit(EditKind.REMOVE_FROM_GROUP, user, name) for name in sorted(groups))


def _joining(plan: Plan, user: str, groups: Iterable[str]) -> Iterator[Edit]:
    made = {one.after.get("name") for one in plan.resources if one.type == "aws_iam_group" and one.made and one.after}
    return (Edit(EditKind.ADD_TO_GROUP, user, name, "" if name in made else None) for name in sorted(groups))


def exclusive(owner: str, kind: EditKind) -> Reader:
    """Which inline or managed policies a user, role or group keeps. Its end changes nothing."""
    attribute = "policy_arns" if kind is EditKind.ONLY_ATTACHED else "policy_names"

    def read(plan: Plan, change: Change) -> Iterator[Edit]:
        if change.after is None:
            return
        kept = tuple(sorted(map(str, listed(change.now(attribute), attribute))))
        who = owner_named(plan, change, f"{owner}_name", owner)
        for arn in kept if kind is EditKind.ONLY_ATTACHED else ():
            known = plan.document("aws_iam_policy", "arn", arn, "policy")
            yield Edit(EditKind.ATTACH_POLICY, who, arn, known[1] if known else None)
        yield Edit(kind, who, only=kept)

    return read


GROUPS: dict[str, Reader] = {
    "aws_iam_group": group,
    "aws_iam_user_group_membership": memberships_of_user,
    "aws_iam_group_membership": members_of_group,
    **{
        f"aws_iam_{owner}_{what}_exclusive": exclusive(owner, kind)
        for owner in ("role", "user", "group")
        for what, kind in (("policies", EditKind.ONLY_INLINE), ("policy_attachments", EditKind.ONLY_ATTACHED))
    },
}
"""Resource type → what its change means."""

"""Edits of who belongs to a group, and of which policies alone a user, role or group keeps."""

from __future__ import annotations

from dataclasses import replace

from auditor.errors import UnknownNameError, UsageError
from auditor.model.key import Fact
from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import Snapshot
from auditor.questions.edits.kinds import Edit, EditKind
from auditor.questions.edits.on_identities import group_arn, on_owners, on_principals, with_policy


def add_to_group(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Puts a user into a group. Snapshots know the policies of a group by its members: without any they are unknown."""
    name = edit.name.rsplit("/", 1)[-1]

    def change(user: Principal) -> Principal:
        _check_user(user)
        if name in user.groups:
            return user
        members = [item for item in snapshot.principals if item.account == user.account and name in item.groups]
        if not members and edit.text is None:
            raise UnknownNameError(
                f"The policies of group “{name}” are not in the snapshot.", "No collected user belongs to it."
            )
        readable = [item for item in members if Fact.IDENTITY_POLICY not in item.unread]
        joined = replace(user, groups=tuple(sorted((*user.groups, name))))
        if members and not readable:
            return replace(joined, unread=joined.unread | {Fact.IDENTITY_POLICY})
        for policy in _policies_of_group(readable[0], name) if readable else ():
            joined = with_policy(joined, joined.identity_policies, policy)
        return joined

    return on_principals(snapshot, edit.target, change)


def remove_from_group(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Takes a user out of a group."""
    name = edit.name.rsplit("/", 1)[-1]

    def change(user: Principal) -> Principal:
        _check_user(user)
        if name not in user.groups:
            belongs = f"It belongs to {', '.join(user.groups)}." if user.groups else "It belongs to no group."
            raise UnknownNameError(f"{user.arn} does not belong to group “{name}”.", belongs)
        lost = _policies_of_group(user, name)
        kept = tuple(item for item in user.identity_policies if item not in lost)
        return replace(user, groups=tuple(item for item in user.groups if item != name), identity_policies=kept)

    return on_principals(snapshot, edit.target, change)


def _check_user(principal: Principal) -> None:
    if principal.kind is not PrincipalKind.USER:
        raise UsageError(f"{principal.arn} is no user.", "Only users belong to groups.")


def _policies_of_group(member: Principal, name: str) -> tuple[AttachedPolicy, ...]:
    owner = group_arn(member, name, "")
    return tuple(item for item in member.identity_policies if item.owner == owner)


def only_policies(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Takes off every inline, or every managed, policy of a user, role or group that the edit does not list."""
    managed = edit.kind is EditKind.ONLY_ATTACHED

    def change(principal: Principal, owner: str) -> Principal:
        kept = tuple(
            item
            for item in principal.identity_policies
            if item.owner != owner or item.name.startswith("arn:") != managed or item.name in edit.only
        )
        return replace(principal, identity_policies=kept)

    return on_owners(snapshot, edit.target, change)

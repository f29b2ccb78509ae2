"""Edits of users, roles and groups: inline and managed policies, boundaries, trust, tags; principals deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from auditor.errors import UnknownNameError, UsageError
from auditor.model.arn import parse_arn
from auditor.model.key import Fact
from auditor.model.policy import AttachedPolicy, Layer
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.snapshot import Snapshot
from auditor.questions.edits.deleting import without_principals
from auditor.questions.edits.documents import document, is_called, known_document, readable
from auditor.questions.edits.kinds import Edit, EditKind
from auditor.questions.groups import is_group, members_of
from auditor.questions.principals import find_principals, principal_named


@dataclass(frozen=True, slots=True)
class _Collected:
    """Where names are looked up: only what was collected can be changed."""

    snapshot: Snapshot

    @property
    def principals(self) -> tuple[Principal, ...]:
        return self.snapshot.principals


def identity_policy(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Adds, replaces or deletes a policy of a user, role or group."""

    def change(principal: Principal, owner: str) -> Principal:
        kept = _without(principal, owner, lambda item: item.name == edit.name)
        if edit.text is None:
            if len(kept) == len(principal.identity_policies):
                raise UnknownNameError(f"{owner} has no policy “{edit.name}”.", _policies_of(principal, owner))
            return replace(principal, identity_policies=kept)
        return with_policy(principal, kept, document(Layer.IDENTITY, edit.name, owner, edit.text))

    return on_owners(snapshot, edit.target, change)


def attach_policy(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Attaches a managed policy: its text is given, or known because it is attached elsewhere."""
    name = edit.name
    text = edit.text
    if text is None:
        known = known_document(snapshot, (Layer.IDENTITY, Layer.BOUNDARY), name)
        name, text = known.name, known.policy.text
    made = text

    def change(principal: Principal, owner: str) -> Principal:
        kept = _without(principal, owner, lambda item: item.name == name)
        return with_policy(principal, kept, document(Layer.IDENTITY, name, owner, made))

    return on_owners(snapshot, edit.target, change)


def detach_policy(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Detaches a managed policy from a user, role or group."""

    def change(principal: Principal, owner: str) -> Principal:
        kept = _without(principal, owner, lambda item: item.name.startswith("arn:") and is_called(item, edit.name))
        if len(kept) == len(principal.identity_policies):
            inline = any(item.name == edit.name for item in principal.identity_policies if item.owner == owner)
            told = "It is an inline policy (identity-policy)." if inline else _policies_of(principal, owner)
            raise UnknownNameError(f"“{edit.name}” is not attached to {owner}.", told)
        return replace(principal, identity_policies=kept)

    return on_owners(snapshot, edit.target, change)


def managed_policy(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Replaces or detaches a managed policy wherever it is attached, as a boundary too."""
    named = {
        item.name
        for principal in snapshot.principals
        for item in (*principal.identity_policies, *((principal.boundary,) if principal.boundary else ()))
        if item.name.startswith("arn:") and is_called(item, edit.target)
    }
    if not named:
        raise UnknownNameError(f"No managed policy “{edit.target}” is attached anywhere.", "Name it, or give its ARN.")
    if len(named) > 1:
        raise UnknownNameError(
            f"“{edit.target}” means {len(named)} policies.", f"Choose one: {', '.join(sorted(named))}."
        )
    (name,) = named

    def one(item: AttachedPolicy | None) -> AttachedPolicy | None:
        if item is None or item.name != name:
            return item
        return None if edit.text is None else document(item.layer, item.name, item.owner, edit.text)

    def change(principal: Principal) -> Principal:
        kept = tuple(found for item in principal.identity_policies if (found := one(item)) is not None)
        return replace(principal, identity_policies=kept, boundary=one(principal.boundary))

    return replace(snapshot, principals=tuple(change(item) for item in snapshot.principals))


def boundary(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Sets or removes the permissions boundary."""
    text, name = edit.text, edit.name or "boundary"
    if text is None and edit.name:
        known = known_document(snapshot, (Layer.IDENTITY, Layer.BOUNDARY), edit.name)
        text, name = known.policy.text, known.name

    def change(principal: Principal) -> Principal:
        made = None if text is None else document(Layer.BOUNDARY, name, principal.arn, text)
        if made is None and principal.boundary is None and Fact.BOUNDARY not in principal.unread:
            raise UnknownNameError(f"{principal.arn} has no permissions boundary.")
        return replace(principal, boundary=made, unread=principal.unread - {Fact.BOUNDARY})

    return on_principals(snapshot, edit.target, change)


def trust_policy(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Replaces the trust policy of a role."""

    def change(principal: Principal) -> Principal:
        if principal.kind is PrincipalKind.USER or edit.text is None:
            raise UsageError(f"{principal.arn}: only a role has a trust policy, and never none.")
        return replace(principal, trust_policy=readable("trust policy", principal.arn, edit.text, names_callers=True))

    return on_principals(snapshot, edit.target, change)


def principal_tag(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Sets or removes a tag of a user or role."""

    def change(principal: Principal) -> Principal:
        kept = tuple(pair for pair in principal.tags if pair[0] != edit.name)
        if edit.text is None and len(kept) == len(principal.tags):
            raise UnknownNameError(f"{principal.arn} has no tag “{edit.name}”.")
        return replace(principal, tags=kept if edit.text is None else tuple(sorted((*kept, (edit.name, edit.text)))))

    return on_principals(snapshot, edit.target, change)


def remove_principal(snapshot: Snapshot, edit: Edit) -> Snapshot:
    """Deletes users or roles."""
    return without_principals(snapshot, _wanted(snapshot, edit.target))


Owned = Callable[[Principal, str], Principal]


def on_owners(snapshot: Snapshot, text: str, change: Owned) -> Snapshot:
    """Applies a change to users and roles, or to every member of a group on the group's behalf."""
    if is_group(text):
        return _on_group(snapshot, text, change)
    return on_principals(snapshot, text, lambda principal: change(principal, principal.arn))


def _on_group(snapshot: Snapshot, text: str, change: Owned) -> Snapshot:
    name = text.rsplit("/", 1)[-1]
    arn = parse_arn(text)
    members = members_of(snapshot, text)
    if not members:
        raise UnknownNameError(f"No collected user belongs to “{text}”.", "A group without members gives no access.")
    wanted = {item.arn: group_arn(item, name, text if arn else "") for item in members}
    groups = sorted(set(wanted.values()))
    if len(groups) > 1:
        raise UnknownNameError(f"“{text}” means {len(groups)} groups.", f"Choose one: {', '.join(groups)}.")
    changed = tuple(change(item, wanted[item.arn]) if item.arn in wanted else item for item in snapshot.principals)
    return replace(snapshot, principals=changed)


def group_arn(member: Principal, name: str, given: str) -> str:
    """The ARN of a member's group: as its policies show it, as it was ``given``, or without a path."""
    owners = (item.owner for item in member.identity_policies)
    known = next((owner for owner in owners if ":group/" in owner and owner.rsplit("/", 1)[-1] == name), None)
    return known or given or f"{member.arn.split(':user/')[0]}:group/{name}"


def on_principals(snapshot: Snapshot, text: str, change: Callable[[Principal], Principal]) -> Snapshot:
    """Applies a change to the collected principals called ``text``. Raises UnknownNameError."""
    wanted = _wanted(snapshot, text)
    return replace(
        snapshot, principals=tuple(change(item) if item.arn in wanted else item for item in snapshot.principals)
    )


def _wanted(snapshot: Snapshot, text: str) -> frozenset[str]:
    """The ARNs of the collected principals called ``text``. Raises UnknownNameError."""
    pattern, known = "*" in text or "?" in text, _Collected(snapshot)
    found = find_principals(known, text) if pattern else (principal_named(known, text),)
    wanted = {item.arn for item in found} & {item.arn for item in snapshot.principals}
    if not wanted:
        raise UnknownNameError(f"“{text}” was not collected.", "Only collected users and roles can be changed.")
    return frozenset(wanted)


def _without(principal: Principal, owner: str, drop: Callable[[AttachedPolicy], bool]) -> tuple[AttachedPolicy, ...]:
    return tuple(item for item in principal.identity_policies if not (item.owner == owner and drop(item)))


def with_policy(principal: Principal, kept: tuple[AttachedPolicy, ...], made: AttachedPolicy) -> Principal:
    """Own policies first, then those of groups, each by name: the order in which a snapshot is decoded."""
    order = (principal.arn, *dict.fromkeys(item.owner for item in (*kept, made) if item.owner != principal.arn))
    policies = sorted((*kept, made), key=lambda item: (order.index(item.owner), item.name))
    return replace(principal, identity_policies=tuple(policies))


def _policies_of(principal: Principal, owner: str) -> str:
    names = [item.name for item in principal.identity_policies if item.owner == owner]
    return f"It has {', '.join(names)}." if names else "It has none."


IDENTITY_EDITS = {
    EditKind.IDENTITY_POLICY: identity_policy,
    EditKind.MANAGED_POLICY: managed_policy,
    EditKind.ATTACH_POLICY: attach_policy,
    EditKind.DETACH_POLICY: detach_policy,
    EditKind.BOUNDARY: boundary,
    EditKind.TRUST_POLICY: trust_policy,
    EditKind.PRINCIPAL_TAG: principal_tag,
    EditKind.REMOVE_PRINCIPAL: remove_principal,
}
"""Edit kind → what it does."""

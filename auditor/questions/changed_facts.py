"""Keys, policies, grants, aliases, principals and organization policies: added, removed or changed.

What one side could not read is no change of a fact: every kind is compared only where both sides read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.model.inventory import Inventory
from auditor.model.key import Fact, Key
from auditor.model.organization import OrgTarget
from auditor.model.policy import AttachedPolicy, Policy
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True, slots=True, order=True)
class FactChange:
    """One fact that differs: ``kind`` such as key, key policy, grant; ``subject`` whose; ``detail`` what exactly."""

    kind: str
    subject: str
    change: str
    detail: str = ""


def changed_facts(old: Snapshot, new: Snapshot, before: Inventory, after: Inventory) -> tuple[FactChange, ...]:
    """The differences of the facts, sorted; what one side did not look for is left out."""
    found = [*_keys(old, new, before, after), *_principals(old, new, before, after), *_organization(old, new)]
    return tuple(sorted(set(found)))


def _keys(old: Snapshot, new: Snapshot, before: Inventory, after: Inventory) -> Iterator[FactChange]:
    was, now = {key.arn: key for key in old.keys}, {key.arn: key for key in new.keys}
    for arn in was.keys() | now.keys():
        if arn not in was:
            if before.keys_read(now[arn].account, now[arn].region):
                yield FactChange("key", arn, ADDED, now[arn].label)
        elif arn not in now:
            if after.keys_read(was[arn].account, was[arn].region):
                yield FactChange("key", arn, REMOVED, was[arn].label)
        elif was[arn] is not now[arn]:
            yield from _key(was[arn], now[arn])


def _key(was: Key, now: Key) -> Iterator[FactChange]:
    unread = was.unread | now.unread
    if Fact.KEY_METADATA not in unread:
        yield from _values("key state", now.arn, was.state, now.state)
        yield from _values("key deletion", now.arn, was.deletion_date, now.deletion_date)
    if Fact.ROTATION not in unread:
        yield from _values("key rotation", now.arn, _rotation(was), _rotation(now))
    if Fact.KEY_POLICY not in unread:
        yield from _policies("key policy", now.arn, was.policies, now.policies)
    if Fact.GRANTS not in unread:
        yield from _grants(was, now)
    if Fact.ALIASES not in unread:
        yield from _members("alias", now.arn, (item.name for item in was.aliases), (item.name for item in now.aliases))
    if Fact.TAGS not in unread:
        yield from _members("tag", now.arn, _tags(was.tags), _tags(now.tags))


def _grants(was: Key, now: Key) -> Iterator[FactChange]:
    names = {grant.grant_id: grant for grant in (*was.grants, *now.grants)}
    for change, grant_id in _sets({grant.grant_id for grant in was.grants}, {grant.grant_id for grant in now.grants}):
        grant = names[grant_id]
        holder = grant.grantee or grant.grantee_service or "nobody"
        yield FactChange("grant", now.arn, change, f"{grant_id} for {holder}: {', '.join(grant.operations)}")


def _rotation(key: Key) -> str | None:
    if key.rotation is None:
        return None
    days = f" every {key.rotation.period_days} days" if key.rotation.period_days else ""
    return f"on{days}" if key.rotation.enabled else "off"


def _tags(tags: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{name}={value}" for name, value in tags)


def _principals(old: Snapshot, new: Snapshot, before: Inventory, after: Inventory) -> Iterator[FactChange]:
    was, now = {item.arn: item for item in old.principals}, {item.arn: item for item in new.principals}
    for arn in was.keys() | now.keys():
        if arn not in was:
            if before.identities_read(arn):
                yield FactChange("principal", arn, ADDED)
        elif arn not in now:
            if after.identities_read(arn):
                yield FactChange("principal", arn, REMOVED)
        elif was[arn] is not now[arn]:
            yield from _principal(was[arn], now[arn])


def _principal(was: Principal, now: Principal) -> Iterator[FactChange]:
    unread = was.unread | now.unread
    if was.unique_id != now.unique_id and was.unique_id and now.unique_id:
        yield FactChange("principal", now.arn, CHANGED, "deleted and made again under the same name")
    if not unread & {Fact.IDENTITIES, Fact.IDENTITY_POLICY}:
        yield from _policies("identity policy", now.arn, was.identity_policies, now.identity_policies)
    if Fact.BOUNDARY not in unread:
        boundary_was = (was.boundary,) if was.boundary else ()
        yield from _policies("permissions boundary", now.arn, boundary_was, (now.boundary,) if now.boundary else ())
    if was.trust_policy is not None and now.trust_policy is not None:
        words = _document(was.trust_policy, now.trust_policy)
        if words:
            yield FactChange("trust policy", now.arn, CHANGED, words)
    yield from _members("principal tag", now.arn, _tags(was.tags), _tags(now.tags))
    yield from _members("group membership", now.arn, was.groups, now.groups)


def _organization(old: Snapshot, new: Snapshot) -> Iterator[FactChange]:
    first, second = old.organization, new.organization
    if first is None or second is None:
        if not old.organization_unread and not new.organization_unread:
            yield from _values("organization", "accounts", first.id if first else None, second.id if second else None)
        return
    yield from _values("organization", "accounts", first.id, second.id)
    was, now = ({target.id: target for target in side.targets} for side in (first, second))
    both_read = first.tree_read and second.tree_read
    for target_id in was.keys() | now.keys():
        before, after = was.get(target_id), now.get(target_id)
        if before is not None and after is not None:
            yield from _target(before, after, both_read)
        elif both_read and (target := after or before) is not None:
            change = ADDED if before is None else REMOVED
            yield FactChange("organization", f"{target.name} ({target.id})", change, target.kind)


def _target(was: OrgTarget, now: OrgTarget, both_read: bool) -> Iterator[FactChange]:
    """Where a tree could not be read, that a level has no policies of a type does not mean that the type is off."""
    subject, unread = f"{now.name} ({now.id})", was.unread | now.unread
    sides = (("SCP", Fact.SCP, was.scps, now.scps), ("RCP", Fact.RCP, was.rcps, now.rcps))
    for kind, fact, before, after in sides:
        if fact not in unread and (both_read or (before is not None and after is not None)):
            yield from _policies(kind, subject, before or (), after or ())
    if was.parent and now.parent and was.parent != now.parent:  # None: nobody could say where it is, or it is the root
        yield FactChange("organization", subject, CHANGED, f"moved from {was.parent} to {now.parent}")


def _policies(
    kind: str, subject: str, was: Iterable[AttachedPolicy], now: Iterable[AttachedPolicy]
) -> Iterator[FactChange]:
    """By name and carrier: a group's policy and a user's own of the same name are two."""
    old, new = ({(item.name, item.owner): item.policy for item in items} for items in (was, now))
    for change, names in ((ADDED, new.keys() - old.keys()), (REMOVED, old.keys() - new.keys())):
        for name, owner in names:
            yield FactChange(kind, subject, change, name if ":group/" not in owner else f"{name} of {owner}")
    for place in old.keys() & new.keys():
        words = _document(old[place], new[place])
        if words:
            yield FactChange(kind, subject, CHANGED, f"{place[0]}: {words}")


def _document(was: Policy, now: Policy) -> str:
    """What differs between two documents in meaning: their statements and their version; empty when nothing does."""
    if was.text == now.text:
        return ""
    if not was.readable or not now.readable:
        return "a document that nobody can read"
    old = {repr(_meaning(item)): item.label for item in was.statements}
    new = {repr(_meaning(item)): item.label for item in now.statements}
    words = [f"{change} {new.get(text) or old[text]}" for change, text in _sets(set(old), set(new))]
    if was.version != now.version:
        words.append(f"Version {was.version} → {now.version}")
    return ", ".join(sorted(words))


def _meaning(statement: object) -> list[object]:
    """A statement without its position and Sid."""
    names = ("effect", "principals", "not_principals", "actions", "not_actions", "resources", "not_resources")
    return [*(getattr(statement, name) for name in names), getattr(statement, "conditions", None)]


def _values(kind: str, subject: str, was: str | None, now: str | None) -> Iterator[FactChange]:
    if was != now:
        yield FactChange(kind, subject, CHANGED, f"{was or 'none'} → {now or 'none'}")


def _members(kind: str, subject: str, was: Iterable[str], now: Iterable[str]) -> Iterator[FactChange]:
    for change, name in _sets(set(was), set(now)):
        yield FactChange(kind, subject, change, name)


def _sets(was: set[str], now: set[str]) -> list[tuple[str, str]]:
    return [*((ADDED, item) for item in sorted(now - was)), *((REMOVED, item) for item in sorted(was - now))]

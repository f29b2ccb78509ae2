"""Keys, policies, grants, aliases, principals and organization policies: added, removed or changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.model.key import Key
from auditor.model.policy import AttachedPolicy
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.questions.coverage import Coverage

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True, slots=True, order=True)
class FactChange:
    """One fact that differs: ``kind`` such as key, key policy, grant; ``subject`` whose; ``detail`` what exactly."""

    kind: str
    subject: str
    change: str
    detail: str = ""


def changed_facts(old: Snapshot, new: Snapshot, before: Coverage, after: Coverage) -> tuple[FactChange, ...]:
    """The differences of the facts, sorted; what one side did not look for is left out."""
    found = [*_keys(old, new, before, after), *_principals(old, new, before, after), *_organization(old, new)]
    return tuple(sorted(set(found)))


def _keys(old: Snapshot, new: Snapshot, before: Coverage, after: Coverage) -> Iterator[FactChange]:
    was, now = {key.arn: key for key in old.keys}, {key.arn: key for key in new.keys}
    for arn in was.keys() | now.keys():
        if arn not in was:
            if before.keys_read(now[arn].account, now[arn].region):
                yield FactChange("key", arn, ADDED, now[arn].label)
        elif arn not in now:
            if after.keys_read(was[arn].account, was[arn].region):
                yield FactChange("key", arn, REMOVED, was[arn].label)
        else:
            yield from _key(was[arn], now[arn])


def _key(was: Key, now: Key) -> Iterator[FactChange]:
    readable = not was.unread and not now.unread
    if was.state != now.state:
        yield FactChange("key state", now.arn, CHANGED, f"{was.state} → {now.state}")
    yield from _policies("key policy", now.arn, was.policies, now.policies)
    if not readable:
        return
    names = {grant.grant_id: grant for grant in (*was.grants, *now.grants)}
    grants = _sets({grant.grant_id for grant in was.grants}, {grant.grant_id for grant in now.grants})
    for change, grant_id in grants:
        grant = names[grant_id]
        holder = grant.grantee or grant.grantee_service or "nobody"
        yield FactChange("grant", now.arn, change, f"{grant_id} for {holder}: {', '.join(grant.operations)}")
    for change, name in _sets({alias.name for alias in was.aliases}, {alias.name for alias in now.aliases}):
        yield FactChange("alias", now.arn, change, name)
    for change, tag in _sets({f"{k}={v}" for k, v in was.tags}, {f"{k}={v}" for k, v in now.tags}):
        yield FactChange("tag", now.arn, change, tag)


def _principals(old: Snapshot, new: Snapshot, before: Coverage, after: Coverage) -> Iterator[FactChange]:
    was, now = {item.arn: item for item in old.principals}, {item.arn: item for item in new.principals}
    for arn in was.keys() | now.keys():
        if arn not in was:
            if before.identities_read(arn):
                yield FactChange("principal", arn, ADDED)
        elif arn not in now:
            if after.identities_read(arn):
                yield FactChange("principal", arn, REMOVED)
        else:
            yield from _principal(was[arn], now[arn])


def _principal(was: Principal, now: Principal) -> Iterator[FactChange]:
    if was.unique_id != now.unique_id and was.unique_id and now.unique_id:
        yield FactChange("principal", now.arn, CHANGED, "deleted and made again under the same name")
    yield from _policies("identity policy", now.arn, was.identity_policies, now.identity_policies)
    boundary_was = (was.boundary,) if was.boundary else ()
    yield from _policies("permissions boundary", now.arn, boundary_was, (now.boundary,) if now.boundary else ())


def _organization(old: Snapshot, new: Snapshot) -> Iterator[FactChange]:
    if old.organization is None or new.organization is None:
        return
    was = {target.id: target for target in old.organization.targets}
    for target in new.organization.targets:
        before = was.get(target.id)
        if before is not None and not before.unread and not target.unread:
            subject = f"{target.name} ({target.id})"
            yield from _policies("SCP", subject, before.scps or (), target.scps or ())
            yield from _policies("RCP", subject, before.rcps or (), target.rcps or ())
            if before.parent != target.parent:
                yield FactChange("organization", subject, CHANGED, f"moved from {before.parent} to {target.parent}")


def _policies(
    kind: str, subject: str, was: Iterable[AttachedPolicy], now: Iterable[AttachedPolicy]
) -> Iterator[FactChange]:
    old, new = {item.name: item.policy for item in was}, {item.name: item.policy for item in now}
    for change, name in _sets(set(old), set(new)):
        yield FactChange(kind, subject, change, name)
    for name in old.keys() & new.keys():
        if old[name].text != new[name].text:
            statements_was = {repr(_meaning(item)): item.label for item in old[name].statements}
            statements_now = {repr(_meaning(item)): item.label for item in new[name].statements}
            changes = _sets(set(statements_was), set(statements_now))
            words = [f"{change} {statements_now.get(text) or statements_was[text]}" for change, text in changes]
            if words:
                yield FactChange(kind, subject, CHANGED, f"{name}: {', '.join(sorted(words))}")


def _meaning(statement: object) -> list[object]:
    """A statement without its position and Sid."""
    names = ("effect", "principals", "not_principals", "actions", "not_actions", "resources", "not_resources")
    return [*(getattr(statement, name) for name in names), getattr(statement, "conditions", None)]


def _sets(was: set[str], now: set[str]) -> list[tuple[str, str]]:
    return [*((ADDED, item) for item in sorted(now - was)), *((REMOVED, item) for item in sorted(was - now))]

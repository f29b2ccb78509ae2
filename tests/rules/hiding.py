"""An estate as a collection finds it that is refused one thing: every way to hide a fact, and the gap that tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from auditor.model.key import Fact, Key
from auditor.model.principal import Principal
from auditor.model.snapshot import Gap, Snapshot

OF_KEYS: dict[Fact, dict[str, Any]] = {
    Fact.KEY_POLICY: {"policies": ()},
    Fact.GRANTS: {"grants": ()},
    Fact.TAGS: {"tags": ()},
    Fact.ALIASES: {"aliases": ()},
    Fact.ROTATION: {"rotation": None},
    Fact.LAST_USAGE: {"last_usage": None},
}
KEPT = ("arn", "key_id", "account", "region", "aliases", "tags", "policies", "grants", "rotation", "last_usage")
OF_PLACES: dict[Fact, tuple[str, ...]] = {
    Fact.TRAILS: ("trails", "event_data_stores"),
    Fact.ANALYZERS: ("analyzers",),
    Fact.ALARMS: ("event_rules", "metric_filters", "metric_alarms"),
    Fact.SHARES: ("shares",),
    Fact.KEY_STORES: ("key_stores",),
    Fact.RESOURCES: ("resources",),
    Fact.KEY_EVENTS: ("event_windows", "key_calls"),
}
Hidden = tuple[str, Snapshot]


def hidden(snapshot: Snapshot) -> Iterator[Hidden]:
    """The snapshot without one fact of one key, principal, account, level of the organization or place at a time."""
    yield from _of_keys(snapshot)
    yield from _of_principals(snapshot)
    yield from _of_accounts(snapshot)
    yield from _of_the_organization(snapshot)
    yield from _of_places(snapshot)


def _with_gaps(snapshot: Snapshot, *gaps: Gap, **changes: Any) -> Snapshot:
    return replace(snapshot, gaps=(*snapshot.gaps, *gaps), **changes)


def _refused(fact: Fact, account: str = "", region: str = "", subject: str = "") -> Gap:
    return Gap(fact=fact, account=account, region=region, subject=subject, operation="refused", code="AccessDenied")


def _of_keys(snapshot: Snapshot) -> Iterator[Hidden]:
    for key in snapshot.keys:
        for fact in (*OF_KEYS, Fact.KEY_METADATA, Fact.ROTATIONS):
            keys = tuple(_without(one, fact) if one is key else one for one in snapshot.keys)
            gap = _refused(fact, key.account, key.region, key.arn)
            yield f"{fact} of {key.arn}", _with_gaps(snapshot, gap, keys=keys)


def _without(key: Key, fact: Fact) -> Key:
    unread = key.unread | {fact}
    if fact is Fact.KEY_METADATA:
        return Key(unread=unread, **{name: getattr(key, name) for name in KEPT})
    if fact is Fact.ROTATIONS:
        rotation = replace(key.rotation, history=(), expiries=()) if key.rotation else None
        return replace(key, unread=unread, rotation=rotation)
    return replace(key, unread=unread, **OF_KEYS[fact])


def _of_principals(snapshot: Snapshot) -> Iterator[Hidden]:
    for who in snapshot.principals:
        ways: dict[Fact, Principal] = {}
        if who.identity_policies:
            ways[Fact.IDENTITY_POLICY] = replace(who, identity_policies=())
        if who.boundary:
            ways[Fact.BOUNDARY] = replace(who, boundary=None)
        for fact, blind in ways.items():
            seen = replace(blind, unread=who.unread | {fact})
            people = tuple(seen if one is who else one for one in snapshot.principals)
            gap = _refused(fact, who.account or "", "", who.arn)
            yield f"{fact} of {who.arn}", _with_gaps(snapshot, gap, principals=people)


def _of_accounts(snapshot: Snapshot) -> Iterator[Hidden]:
    for account in sorted({who.account or "" for who in snapshot.principals}):
        people = tuple(who for who in snapshot.principals if who.account != account)
        accounts = tuple(
            replace(one, unread=one.unread | {Fact.IDENTITIES}) if one.id == account else one
            for one in snapshot.accounts
        )
        gap = _refused(Fact.IDENTITIES, account)
        yield f"identities of {account}", _with_gaps(snapshot, gap, principals=people, accounts=accounts)


def _of_the_organization(snapshot: Snapshot) -> Iterator[Hidden]:
    organization = snapshot.organization
    if organization is None:
        return
    for target in organization.targets:
        for fact, blind in ((Fact.SCP, replace(target, scps=None)), (Fact.RCP, replace(target, rcps=None))):
            seen = replace(blind, unread=target.unread | {fact})
            targets = tuple(seen if one is target else one for one in organization.targets)
            gap = _refused(fact, organization.management_account, "", target.id)
            yield (
                f"{fact} of {target.id}",
                _with_gaps(snapshot, gap, organization=replace(organization, targets=targets)),
            )
    gap = _refused(Fact.ORGANIZATION)
    yield "the organization", _with_gaps(snapshot, gap, organization=None, organization_unread=True)


def _of_places(snapshot: Snapshot) -> Iterator[Hidden]:
    evidence = snapshot.evidence
    for fact, names in OF_PLACES.items():
        places = sorted({(fact, one.account, one.region) for name in names for one in getattr(evidence, name)})
        if not places:
            continue
        nothing: dict[str, Any] = dict.fromkeys(names, ())
        blind = replace(evidence, asked=evidence.asked | set(places), unread=evidence.unread | set(places), **nothing)
        gaps = (_refused(fact, account, region) for _, account, region in places)
        yield f"{fact} of all places", _with_gaps(snapshot, *gaps, evidence=blind)

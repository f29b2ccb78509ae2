"""Rules about logs and analyzers: whether KMS activity is kept, and whether Access Analyzer watches the keys."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.synthetic import analyzer_role
from auditor.model.evidence import Analyzer, Trail
from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import Fact, Key
from auditor.rules.detection.seen import Place, place_hit, places, watchers_hidden, worth
from auditor.rules.detection.sinks import covering, keeps_kms, surely_logs, trail_covers, trails
from auditor.rules.hit import Hit, given, listing
from auditor.rules.view import View

START = "Start the trail again, find out who stopped it, and deny cloudtrail:StopLogging to everybody else by SCP."


def _sinks(view: View, account: str, region: str) -> list[tuple[str, bool | None, bool | None]]:
    """``(name, keeps KMS writes, keeps KMS reads)`` of every active sink for the place."""
    sinks = sorted(covering(view, account, region), key=lambda sink: sink.arn)
    return [(sink.arn, keeps_kms(sink, False), keeps_kms(sink, True)) for sink in sinks]


def unseen_selectors(view: View) -> Iterator[SkippedScope]:
    """Places with a log, such as an organization trail, whose selectors only its own account may read."""
    for account, region in places(view, Fact.TRAILS):
        if any(write is None for _, write, _ in _sinks(view, account, region)):
            yield SkippedScope(f"{account}/{region}", Fact.TRAILS)


def unseen_status(view: View) -> Iterator[SkippedScope]:
    """Places whose only log is an organization trail: whether it is logging is readable in its own account only."""
    for account, region in places(view, Fact.TRAILS):
        sinks = covering(view, account, region)
        if sinks and not any(map(surely_logs, sinks)):
            yield SkippedScope(f"{account}/{region}", Fact.TRAILS)


def trail_excludes_kms(view: View) -> Iterator[Hit]:
    """KMS events are filtered out of the audit log of an account and Region.

    Looks at every active trail and event data store: one that keeps KMS events is enough. Where that may be a trail
    whose selectors could not be read, the place is listed as not looked at. When only write events are
    kept, Encrypt, Decrypt and GenerateDataKey are missing, because CloudTrail counts them as reads. A trail that
    excludes KMS while another covers it is information.

    Fix: remove the exclusion, and restrict who may change event selectors.
    """
    for place, keys in places(view, Fact.TRAILS).items():
        sinks = _sinks(view, *place)
        if not sinks or any(write is None for _, write, _ in sinks):
            continue
        writes = [name for name, write, _ in sinks if write]
        reads = [name for name, _, read in sinks if read]
        partial = [name for name, write, read in sinks if not (write and read)]
        if not partial:
            continue
        evidence = tuple(
            Evidence("sink", f"{name}: writes {'kept' if w else 'dropped'}, reads {'kept' if r else 'dropped'}")
            for name, w, r in sinks
        )
        lost = "KMS read events, which include Decrypt"
        if not writes:
            lost = "all KMS events" if not reads else "KMS write events, which include DisableKey"
        summary = f"The audit log of {place[0]} in {place[1]} drops {lost}: see {listing(partial)}."
        if writes and reads:
            verb = "drops" if len(partial) == 1 else "drop"
            summary = f"{listing(partial)} {verb} KMS events of {place[0]} in {place[1]}, which another log keeps."
        yield place_hit(
            place,
            keys,
            summary,
            evidence,
            lowered=given((writes and not reads, "only read events"), (writes and reads, "covered elsewhere")),
            fix=tuple(("TRAIL", name) for name in partial if ":trail/" in name)[:1],
        )


def no_active_trail(view: View) -> Iterator[Hit]:
    """No trail and no event data store keeps what happens to the keys of an account and Region.

    The event history of the console does not count: it ends after 90 days and cannot be kept. A place whose only trail
    may be stopped, because its status could not be read, is listed as not looked at.

    Fix: create an organization trail for all Regions with log file validation.
    """
    confidence = worth(watchers_hidden(view, Fact.TRAILS))
    for place, keys in places(view, Fact.TRAILS).items():
        if not _sinks(view, *place):
            summary = f"No log keeps KMS activity of account {place[0]} in {place[1]}."
            stopped = [trail.arn for trail in trails(view) if _would_cover(view, trail, *place)]
            sinks = (Evidence("sinks", listing(stopped) or "none active"),)
            hit = place_hit(place, keys, summary, sinks, confidence=confidence)
            start = "\n".join(f"aws cloudtrail start-logging --name {shlex.quote(arn)}" for arn in stopped)
            yield replace(hit, remedy=start, remedy_kind="cli", advice=START) if stopped else hit


def _would_cover(view: View, trail: Trail, account: str, region: str) -> bool:
    """Whether a trail that was stopped would receive events of the place."""
    return trail.logging is False and trail_covers(replace(trail, logging=True), account, region, view.trust)


def access_analyzer_gap(view: View) -> Iterator[Hit]:
    """No external access analyzer watches the Region of a key, or it cannot read the key.

    Looks for an active analyzer of the account or of the organization, and asks whether the analyzer's service-linked
    role may read the key's metadata. Where analyzers were not collected, only the second part is told.

    Fix: create an organization analyzer, and let its role read the metadata in every key policy.
    """
    read = places(view, Fact.ANALYZERS)
    everywhere: dict[Place, list[Key]] = {}
    for key in view.keys:
        everywhere.setdefault((key.account, key.region), []).append(key)
    for place, keys in sorted(everywhere.items()):
        account, region = place
        watching, blind = _watching(view, place), _blind(view, account, keys)
        missing = place in read and not watching
        if not missing and not blind:
            continue
        what = "is missing" if missing else "cannot read some keys"
        yield place_hit(
            place,
            keys if missing else blind,
            f"Access Analyzer {what} in account {account}, {region}.",
            (
                Evidence("active analyzers", listing(i.arn for i in watching) or ("none" if missing else "not read")),
                Evidence("blind keys", listing(key.arn for key in blind) or "none"),
            ),
            raised=given((any(view.tier(key) == "T1" for key in keys), "T1 keys")),
            confidence=worth(missing and watchers_hidden(view, Fact.ANALYZERS, region)),
        )


def _watching(view: View, place: Place) -> list[Analyzer]:
    """The active analyzers, of the account or of its organization, in a Region."""
    account, region = place
    inside = account in view.trust.organization_accounts | view.trust.collected
    return [
        item
        for item in view.snapshot.evidence.analyzers
        if item.status == "ACTIVE"
        and item.region == region
        and ((item.kind == "ORGANIZATION" and inside) or (item.kind == "ACCOUNT" and item.account == account))
    ]


def _blind(view: View, account: str, keys: list[Key]) -> list[Key]:
    """The keys of an account that the role of its analyzers may not look at."""
    role = analyzer_role(account, keys[0].partition)
    return [
        key
        for key in keys
        if Fact.KEY_POLICY not in key.unread
        and any(view.decide(role, key, name).outcome.denied for name in ("DescribeKey", "GetKeyPolicy", "ListGrants"))
    ]

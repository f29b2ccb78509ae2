"""Rules about logs and alarms: whether KMS activity is kept, and whether anybody is told."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from auditor.evaluator.glob import matches
from auditor.model.arn import parse_arn
from auditor.model.evidence import Trail
from auditor.model.finding import Confidence, Evidence, SkippedScope
from auditor.model.key import Fact, Key
from auditor.rules.detection.seen import places, watchers_hidden, worth
from auditor.rules.detection.sinks import covering, keeps_kms, surely_logs, trail_covers, trails
from auditor.rules.hit import Hit, given, listing
from auditor.rules.view import View

CORE_EVENTS = ("DisableKey", "ScheduleKeyDeletion")
START = "Start the trail again, find out who stopped it, and deny cloudtrail:StopLogging to everybody else by SCP."
MORE_EVENTS = (
    "PutKeyPolicy",
    "CreateGrant",
    "DeleteImportedKeyMaterial",
    "ImportKeyMaterial",
    "ReplicateKey",
    "UpdateAlias",
    "DisconnectCustomKeyStore",
)


def unseen_alarms(view: View) -> Iterator[SkippedScope]:
    """Places whose events go to a log account where nobody could look for filters and alarms."""
    for account, region in places(view, Fact.ALARMS):
        if _alarms_hidden(view, account, region):
            yield SkippedScope(f"{account}/{region}", Fact.ALARMS)


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


def _place_hit(
    place: tuple[str, str],
    keys: list[Key],
    summary: str,
    evidence: tuple[Evidence, ...],
    *,
    lowered: tuple[str, ...] = (),
    fix: tuple[tuple[str, str], ...] = (),
    confidence: Confidence = Confidence.CONFIRMED,
    **clauses: tuple[str, ...],
) -> Hit:
    account, region = place
    return Hit(
        subject=f"{account}/{region}",
        kind="account-region",
        summary=summary,
        account=account,
        region=region,
        keys=tuple(key.arn for key in keys),
        evidence=evidence,
        raised=clauses.get("raised", ()),
        lowered=lowered,
        fix=fix,
        confidence=confidence,
    )


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
        yield _place_hit(
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
            hit = _place_hit(place, keys, summary, sinks, confidence=confidence)
            start = "\n".join(f"aws cloudtrail start-logging --name {shlex.quote(arn)}" for arn in stopped)
            yield replace(hit, remedy=start, remedy_kind="cli", advice=START) if stopped else hit


def _would_cover(view: View, trail: Trail, account: str, region: str) -> bool:
    """Whether a trail that was stopped would receive events of the place."""
    return trail.logging is False and trail_covers(replace(trail, logging=True), account, region, view.trust)


def _log_groups(view: View, account: str, region: str) -> set[tuple[str, str]]:
    """Account and name of the log groups that receive the place's events, also those of a central log account."""
    found = set()
    for trail in trails(view):
        arn = parse_arn(trail.log_group_arn or "")
        if arn is not None and trail_covers(trail, account, region, view.trust):
            found.add((arn.account, arn.resource.removeprefix("log-group:").removesuffix(":*")))
    return found


def _alarms_hidden(view: View, account: str, region: str) -> bool:
    """Whether filters and alarms of a log account that receives the place's events could not be read."""
    near = {owner for owner, _ in _log_groups(view, account, region)} - {account}
    unread = view.snapshot.evidence.unread
    return any(owner in near and fact in (Fact.ALARMS, Fact.ACCOUNT) for fact, owner, _ in unread)


def _filtered_events(pattern: str) -> set[str]:
    """The KMS events that a metric filter counts: those it names, or all of KMS when it names none."""
    if "eventname" not in pattern.lower():
        return {*CORE_EVENTS, *MORE_EVENTS} if "kms.amazonaws.com" in pattern else set()
    return {name for name in (*CORE_EVENTS, *MORE_EVENTS) if re.search(rf"\b{name}\b", pattern)}


def _told_events(view: View, account: str, region: str) -> tuple[set[str], set[str]]:
    """The KMS events that somebody is told of, and the names of the rules and filters that do."""
    evidence = view.snapshot.evidence
    groups = _log_groups(view, account, region)
    told: set[str] = set()
    names: set[str] = set()
    for rule in evidence.event_rules:
        if rule.account == account and rule.region == region and rule.state.startswith("ENABLED") and rule.targets:
            found = _events_of(rule.pattern)
            told |= found
            names |= {f"rule {rule.name}"} if found else set()
    for alarm in evidence.metric_alarms:
        if not alarm.actions_enabled or not alarm.actions:
            continue
        for item in evidence.metric_filters:
            near = item.account == account or (item.account, item.log_group) in groups
            if near and item.account == alarm.account and (alarm.namespace, alarm.metric) in item.metrics:
                found = _filtered_events(item.pattern)
                told |= found
                names |= {f"filter {item.name} with alarm {alarm.name}"} if found else set()
    return told, names


def _events_of(pattern: str) -> set[str]:
    """The KMS events that an EventBridge pattern takes."""
    try:
        whole = json.loads(pattern)
        detail = whole.get("detail", {})
    except (ValueError, AttributeError):
        return set()
    if not isinstance(detail, dict) or "kms" not in pattern:
        return set()
    if not _any_takes(whole.get("source"), "aws.kms") or not _any_takes(detail.get("eventSource"), "kms.amazonaws.com"):
        return set()
    return {name for name in (*CORE_EVENTS, *MORE_EVENTS) if _any_takes(detail.get("eventName"), name)}


def _any_takes(items: Any, value: str) -> bool:
    """Whether the filter of a field takes a value; a field without a filter takes all."""
    return items is None or any(_takes(item, value) for item in items)


def _takes(item: object, name: str) -> bool:
    """Whether one entry of an EventBridge filter takes an event name."""
    if not isinstance(item, dict):
        return item == name
    if isinstance(item.get("prefix"), str):
        return name.startswith(item["prefix"])
    if isinstance(item.get("suffix"), str):
        return name.endswith(item["suffix"])
    if isinstance(item.get("wildcard"), str):
        return matches(item["wildcard"], name)
    if isinstance(item.get("equals-ignore-case"), str):
        return bool(name.lower() == item["equals-ignore-case"].lower())
    refused = item.get("anything-but")
    return refused is not None and not any(
        _takes(one, name) for one in (refused if isinstance(refused, list) else [refused])
    )


def no_kms_change_alarm(view: View) -> Iterator[Hit]:
    """Nobody is told when a key is disabled, scheduled for deletion or re-permissioned.

    Counts metric filters with an alarm that notifies, and EventBridge rules with a target, per account and Region;
    those of a central log account count for every account whose trail writes there. The wider set (PutKeyPolicy,
    CreateGrant, …) is listed as missing parts. A SIEM that the settings name in ``external_detection`` turns the
    finding into information, because it cannot be checked.

    Fix: one EventBridge rule for the full set.
    """
    for place, keys in places(view, Fact.ALARMS).items():
        if _alarms_hidden(view, *place):
            continue
        told, names = _told_events(view, *place)
        core = [name for name in CORE_EVENTS if name not in told]
        missing = [name for name in (*CORE_EVENTS, *MORE_EVENTS) if name not in told]
        if not missing:
            continue
        outside = view.settings.external_detection
        what = "is disabled or deleted" if core else f"sees {listing(missing, 3)}"
        yield _place_hit(
            place,
            keys,
            f"Nobody is alerted when a key of {place[0]} in {place[1]} {what}.",
            (
                Evidence("filters and rules", listing(names) or "none"),
                Evidence("events covered", listing(told) or "none"),
                Evidence("events missing", listing(missing, 9)),
            ),
            lowered=given((not core, "only parts of the extended set"), (outside, "`external_detection`")),
        )


def access_analyzer_gap(view: View) -> Iterator[Hit]:
    """No external access analyzer watches the Region of a key, or it cannot read the key.

    Looks for an active analyzer of the account or of the organization, and asks whether the analyzer's service-linked
    role may read the key's metadata. Where analyzers were not collected, only the second part is told.

    Fix: create an organization analyzer, and let its role read the metadata in every key policy.
    """
    from auditor.evaluator.synthetic import analyzer_role

    analyzers = [item for item in view.snapshot.evidence.analyzers if item.status == "ACTIVE"]
    read = places(view, Fact.ANALYZERS)
    everywhere: dict[tuple[str, str], list[Key]] = {}
    for key in view.keys:
        everywhere.setdefault((key.account, key.region), []).append(key)
    for place, keys in sorted(everywhere.items()):
        account, region = place
        watching = [
            item
            for item in analyzers
            if item.region == region
            and (
                (item.kind == "ORGANIZATION" and account in view.trust.organization_accounts | view.trust.collected)
                or (item.kind == "ACCOUNT" and item.account == account)
            )
        ]
        role = analyzer_role(account, keys[0].partition)
        blind = [
            key
            for key in keys
            if Fact.KEY_POLICY not in key.unread
            and any(
                view.decide(role, key, name).outcome.denied for name in ("DescribeKey", "GetKeyPolicy", "ListGrants")
            )
        ]
        missing = place in read and not watching
        if not missing and not blind:
            continue
        what = "is missing" if missing else "cannot read some keys"
        yield _place_hit(
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

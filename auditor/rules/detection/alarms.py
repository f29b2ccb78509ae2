"""Rule about alarms: whether anybody is told of what happens to keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from auditor.evaluator.glob import matches
from auditor.model.arn import parse_arn
from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import Fact
from auditor.rules.detection.seen import place_hit, places
from auditor.rules.detection.sinks import trail_covers, trails
from auditor.rules.hit import Hit, given, listing
from auditor.rules.view import View

CORE_EVENTS = ("DisableKey", "ScheduleKeyDeletion")
MORE_EVENTS = (
    "PutKeyPolicy",
    "CreateGrant",
    "DeleteImportedKeyMaterial",
    "ImportKeyMaterial",
    "ReplicateKey",
    "UpdateAlias",
    "DisconnectCustomKeyStore",
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
        yield place_hit(
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


def unseen_alarms(view: View) -> Iterator[SkippedScope]:
    """Places whose events go to a log account where nobody could look for filters and alarms."""
    for account, region in places(view, Fact.ALARMS):
        if _alarms_hidden(view, account, region):
            yield SkippedScope(f"{account}/{region}", Fact.ALARMS)


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

"""CloudTrail trails and event data stores, and what alerts people: EventBridge rules, metric filters, alarms."""

from __future__ import annotations

from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.operations import (
    DESCRIBE_ALARMS,
    DESCRIBE_TRAILS,
    GET_DATA_STORE,
    GET_EVENT_SELECTORS,
    GET_TRAIL_STATUS,
    LIST_DATA_STORES,
    LIST_RULES,
    LIST_TARGETS,
    METRIC_FILTERS,
)
from auditor.collectors.plain import plain
from auditor.model.arn import parse_arn
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

STATUS_MEMBERS = ("IsLogging", "LatestDeliveryError", "LatestCloudWatchLogsDeliveryError")
"""Delivery times change with every run; a snapshot keeps what says whether the trail works."""


def read_trails(caller: Caller) -> list[Record]:
    """Every trail and event data store that covers the Region, with selectors and whether it is logging."""
    listing = caller.ask_pages(DESCRIBE_TRAILS, Fact.TRAILS, includeShadowTrails=True)
    found = [_trail(caller, plain(trail)) for trail in listing.items]
    stores = caller.ask_pages(LIST_DATA_STORES, Fact.TRAILS)
    for store in stores.items:
        arn = store["EventDataStoreArn"]
        answer = caller.ask(GET_DATA_STORE, Fact.TRAILS, arn, EventDataStore=arn)
        found.append(Record(Kind.EVENT_DATA_STORE, plain(answer if answer is not None else store)))
    return found


def _trail(caller: Caller, trail: dict[str, Any]) -> Record:
    """A trail with its details. Those of another Region or account are asked for by ARN, which both calls allow."""
    arn = trail["TrailARN"]
    home = parse_arn(arn)
    if home is not None and home.account and home.account != caller.account:
        # An organization trail seen from a member: its selectors are readable in the owning account only.
        return Record(Kind.TRAIL, {**trail, "Foreign": True})
    status = caller.ask(GET_TRAIL_STATUS, Fact.TRAILS, arn, Name=arn)
    selectors = caller.ask(GET_EVENT_SELECTORS, Fact.TRAILS, arn, TrailName=arn)
    data = dict(trail)
    if status is not None:
        data["Status"] = {name: status[name] for name in STATUS_MEMBERS if name in status}
    if selectors is not None:
        data["Selectors"] = plain(selectors)
    return Record(Kind.TRAIL, data)


def read_alarms(caller: Caller) -> list[Record]:
    """EventBridge rules and metric filters that name KMS, and the alarms on those filters' metrics."""
    found = [
        _rule(caller, plain(rule))
        for rule in caller.ask_pages(LIST_RULES, Fact.ALARMS).items
        if "kms" in str(rule.get("EventPattern", "")).lower()
    ]
    filters = [
        plain(item)
        for item in caller.ask_pages(METRIC_FILTERS, Fact.ALARMS).items
        if "kms" in str(item.get("filterPattern", "")).lower()
    ]
    found += [Record(Kind.METRIC_FILTER, item) for item in filters]
    metrics = {
        (str(to.get("metricNamespace")), str(to.get("metricName")))
        for item in filters
        for to in item.get("metricTransformations") or ()
    }
    if metrics:
        alarms = caller.ask_pages(DESCRIBE_ALARMS, Fact.ALARMS).items
        found += [
            Record(Kind.METRIC_ALARM, _alarm(plain(alarm)))
            for alarm in alarms
            if (str(alarm.get("Namespace")), str(alarm.get("MetricName"))) in metrics
        ]
    return found


def _rule(caller: Caller, rule: dict[str, Any]) -> Record:
    name = rule["Name"]
    bus = {"EventBusName": rule["EventBusName"]} if rule.get("EventBusName") else {}
    targets = caller.ask_pages(LIST_TARGETS, Fact.ALARMS, str(rule.get("Arn", name)), Rule=name, **bus)
    return Record(Kind.EVENT_RULE, {**rule, "Targets": sorted(item["Arn"] for item in targets.items)})


def _alarm(alarm: dict[str, Any]) -> dict[str, Any]:
    """An alarm without its momentary state."""
    return {name: value for name, value in alarm.items() if not name.startswith("State") and "Timestamp" not in name}

"""CloudTrail's events of KMS, one by one → counts of calls that are alike; nothing else of an event is kept.

A busy Region has millions of events, and they hold what no rule asks for and nobody should find in a snapshot:
addresses, names of sessions, and the values of encryption contexts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from auditor.collectors.event_callers import Data, EventCaller, caller_in, inner, text
from auditor.collectors.plain import plain
from auditor.model.actions import CRYPTO, ON_KEY, SENSITIVE, find_action
from auditor.model.arn import parse_arn
from auditor.model.shard import Kind, Record

SOURCE = "kms.amazonaws.com"
NAMED = ("keyId", "sourceKeyId", "destinationKeyId", "targetKeyId")
CONTEXTS = ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext")
RE_ENCRYPT = "ReEncrypt"
MOST_NAMES = 50
"""So many names in encryption contexts are kept of calls that are alike."""


class UnreadableEventError(Exception):
    """An event that does not say what every event of its kind says."""


@dataclass(frozen=True, slots=True, order=True)
class Alike:
    """What calls that are counted together share."""

    key: str
    caller: str
    caller_account: str
    service: str
    operation: str
    error: str


@dataclass(slots=True)
class _Sum:
    count: int = 0
    last: str = ""
    context: set[str] = field(default_factory=set)


class CallCounter:
    """The calls in the event history of one account and Region, as counts."""

    def __init__(self, account: str, region: str, partition: str) -> None:
        self.events = 0
        self.unreadable = 0
        self._place = f"arn:{partition}:kms:{region}"
        self._account = account
        self._seen: set[str] = set()
        self._sums: dict[Alike, _Sum] = {}

    def take(self, item: Data) -> None:
        """Counts one entry of LookupEvents; one that came twice, as pages may overlap, counts once."""
        identity = text(item, "EventId")
        if identity and identity in self._seen:
            return
        self._seen.add(identity)
        self.events += 1
        try:
            event = _event(item)
            if text(event, "eventSource") == SOURCE:
                self._count(event, _time(item, event))
        except UnreadableEventError:
            self.unreadable += 1

    def records(self) -> list[Record]:
        """The counts, in an order that does not depend on that of the events."""
        return [
            Record(
                Kind.KEY_CALLS,
                {
                    "Key": alike.key,
                    "Caller": alike.caller,
                    "CallerAccount": alike.caller_account,
                    "Service": alike.service,
                    "Operation": alike.operation,
                    "Error": alike.error,
                    "Count": found.count,
                    "Last": found.last,
                    "ContextKeys": sorted(found.context)[:MOST_NAMES],
                },
            )
            for alike, found in sorted(self._sums.items())
        ]

    def _count(self, event: Data, time: str) -> None:
        identity = event.get("userIdentity")
        if not isinstance(identity, Mapping):
            raise UnreadableEventError
        caller = caller_in(identity, text(event, "sourceIPAddress"))
        operation, error = text(event, "eventName"), text(event, "errorCode")
        context = {name for member in CONTEXTS for name in inner(inner(event, "requestParameters"), member)}
        for key in self._keys(event, caller, failed=bool(error)):
            alike = Alike(key, caller.name, caller.account, caller.service, operation, error)
            found = self._sums.setdefault(alike, _Sum())
            found.count += 1
            found.last = max(found.last, time)
            found.context |= context

    def _keys(self, event: Data, caller: EventCaller, *, failed: bool) -> tuple[str, ...]:
        """The keys that a call was about; none for one that is about none. Raises UnreadableEventError where a key
        was used and nothing says which."""
        resources = event.get("resources")
        listed = (text(item, "ARN") for item in _objects(resources))
        keys = set(filter(_of_key, listed)) or {self._arn(name, caller) for name in _named(event)}
        if not _uses_key(text(event, "eventName")):
            return tuple(sorted(keys))
        if not failed and not any(map(_of_key, keys)):  # an alias may have been another key's at the time
            raise UnreadableEventError
        return tuple(sorted(keys or {""}))

    def _arn(self, name: str, caller: EventCaller) -> str:
        """The ARN of a key or an alias that a caller names: without an account, it is one of the caller's own."""
        if parse_arn(name) is not None:
            return name
        resource = name if name.startswith("alias/") else f"key/{name}"
        return f"{self._place}:{caller.account or self._account}:{resource}"


def _event(item: Data) -> Data:
    try:
        event = json.loads(text(item, "CloudTrailEvent"))
    except (ValueError, RecursionError):
        raise UnreadableEventError from None
    if not isinstance(event, Mapping) or not text(event, "eventName"):
        raise UnreadableEventError
    return event


def _time(item: Data, event: Data) -> str:
    moment = item.get("EventTime")
    told: Any = plain(moment) if isinstance(moment, datetime) else text(event, "eventTime")
    if not told:
        raise UnreadableEventError
    return str(told)


def _objects(value: object) -> Iterator[Data]:
    yield from (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def _named(event: Data) -> Iterator[str]:
    parameters = inner(event, "requestParameters")
    yield from filter(None, (text(parameters, member) for member in NAMED))


def _of_key(arn: str) -> bool:
    parsed = parse_arn(arn)
    return parsed is not None and parsed.resource.startswith("key/")


def _uses_key(operation: str) -> bool:
    """Whether a rule could draw conclusions from calls of the operation, which are always about a key."""
    action = find_action(operation)
    return operation == RE_ENCRYPT or (action is not None and bool((CRYPTO | SENSITIVE) & ON_KEY & 1 << action.bit))

"""Who used which key, and through what: CloudTrail's event history of one Region, read back as far as was asked for.

The history holds 90 days of management events, which those of KMS are, whether there is a trail or not and whatever a
trail leaves out. Events come newest first; a call may be missing for the first quarter of an hour or so. Where not all
of the window could be read, a Gap says how far it was.
Source: CloudTrail user guide, Working with CloudTrail event history; API reference, LookupEvents.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.event_calls import SOURCE, CallCounter
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operations import LOOKUP_EVENTS
from auditor.collectors.plain import plain
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

PAGE = 50
CIRCLE = Failure(Cause.MALFORMED, "", "AWS sent the same marker twice: the pages go round in a circle.")


def read_key_events(caller: Caller, end: datetime, *, days: int, pages: int, partition: str) -> list[Record]:
    """The calls to KMS of the ``days`` before ``end``, in at most ``pages`` requests, as counts."""
    history = _History(caller, CallCounter(caller.account, caller.region, partition), end - timedelta(days=days), end)
    failure = history.read(pages)
    counter = history.counter
    start = history.asked if failure is None else history.reached
    window = {
        "Asked": plain(history.asked),
        "From": plain(start),
        "To": plain(end),
        "Events": counter.events,
        "Unreadable": counter.unreadable,
    }
    if failure is not None:
        told = f"{failure.message} {history.how_far()}".lstrip()
        caller.note(replace(failure, message=told), Fact.KEY_EVENTS, LOOKUP_EVENTS)
    if counter.unreadable:
        words = f"{counter.unreadable} of {counter.events} events do not say what happened."
        caller.note(Failure(Cause.MALFORMED, "", words), Fact.KEY_EVENTS, LOOKUP_EVENTS)
    asked = Record(Kind.ASKED, {"Fact": str(Fact.KEY_EVENTS)})
    return [asked, Record(Kind.EVENT_WINDOW, window), *counter.records()]


class _History:
    """The event history of a Region while it is read; ``reached`` is since when it has been, so far."""

    def __init__(self, caller: Caller, counter: CallCounter, asked: datetime, end: datetime) -> None:
        self.counter = counter
        self.asked = asked
        self.reached = self._end = end
        self._caller = caller
        self._window: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": SOURCE}],
            "StartTime": asked,
            "EndTime": end,
            "MaxResults": PAGE,
        }

    def read(self, pages: int) -> Failure | None:
        """Counts the events page by page; why there are more, if there may be."""
        token: dict[str, str] = {}
        seen: set[str] = set()
        for _ in range(pages):
            try:
                page = self._caller.call(LOOKUP_EVENTS, **self._window, **token)
            except RefusedError as error:
                return error.failure
            self._take(page.get("Events") or ())
            if not page.get("NextToken"):
                return None
            token = {"NextToken": page["NextToken"]}
            if token["NextToken"] in seen:
                return CIRCLE
            seen.add(token["NextToken"])
        return Failure(Cause.LIMIT, "", f"There are more events than {pages} pages of {PAGE} hold.")

    def _take(self, events: Any) -> None:
        for item in events:
            self.counter.take(item)
        times = [item["EventTime"] for item in events if isinstance(item.get("EventTime"), datetime)]
        # Of the second in which a page ends, and of a page that is out of order, the next page may hold more.
        self.reached = min(self.reached, max(times, default=self._end))

    def how_far(self) -> str:
        """Since when the events were read, in words."""
        if self.reached >= self._end:
            return "No event was read."
        return f"The events since {plain(self.reached)} were read, of those since {plain(self.asked)}."

"""The days before a run in which a use of a key would count, and what tells of all of them.

Where and since when AWS records last access: IAM user guide, "Refine permissions using last accessed information".
"""

from __future__ import annotations

from datetime import timedelta

from auditor.model.key import Key
from auditor.model.key_events import EventWindow
from auditor.model.moments import before, instant
from auditor.model.principal import LastAccessed
from auditor.rules.view import View

KEPT_DAYS = 400
"""How long AWS keeps the data at least: silence about longer windows proves nothing."""
FRESH = timedelta(days=1)
"""A report this much older than the time of the run still tells of the window's end."""
TRACKED_SINCE = {
    "us-east-1": "2015-10-01",
    "us-east-2": "2017-10-27",
    "us-west-1": "2015-10-01",
    "us-west-2": "2015-10-01",
    "af-south-1": "2020-04-22",
    "ap-east-1": "2019-04-24",
    "ap-south-1": "2016-06-27",
    "ap-south-2": "2022-11-22",
    "ap-northeast-1": "2015-10-01",
    "ap-northeast-2": "2016-01-06",
    "ap-northeast-3": "2018-02-11",
    "ap-southeast-1": "2015-10-01",
    "ap-southeast-2": "2015-10-01",
    "ap-southeast-3": "2021-12-13",
    "ap-southeast-4": "2023-01-23",
    "ca-central-1": "2017-10-28",
    "eu-central-1": "2015-10-01",
    "eu-central-2": "2022-11-08",
    "eu-west-1": "2015-10-01",
    "eu-west-2": "2017-10-28",
    "eu-west-3": "2017-12-18",
    "eu-south-1": "2020-04-28",
    "eu-south-2": "2022-11-15",
    "eu-north-1": "2018-12-12",
    "il-central-1": "2023-08-01",
    "me-south-1": "2019-07-29",
    "me-central-1": "2022-08-30",
    "sa-east-1": "2015-12-11",
    "us-gov-east-1": "2023-07-01",
    "us-gov-west-1": "2023-07-01",
}
"""Regions in which AWS records last access, and since when; no other Region does (as of October 2026)."""


class Window:
    """The days before the run in which a use would count."""

    def __init__(self, view: View) -> None:
        self.days = view.settings.unused_window
        self.end = view.as_of
        self.start = before(view.as_of, self.days)

    def before(self, time: str | None) -> bool:
        """Whether a time lies before the window."""
        moment = instant(time)
        return moment is not None and moment < self.start

    def unused(self, last: str | None) -> bool:
        """Whether a last use, None for none in the time that AWS keeps, shows that there was none in the window."""
        return self.before(last) if last is not None else self.days <= KEPT_DAYS

    def covered_by(self, report: LastAccessed | None) -> bool:
        """Whether a report tells of KMS, and up to the end of the window."""
        made = instant(report.reported) if report is not None and report.listed else None
        return made is not None and self.end - made <= FRESH

    def seen_in(self, events: EventWindow | None) -> bool:
        """Whether an event history that was read whole tells of all of it."""
        start, end = (instant(events.start), instant(events.end)) if events is not None else (None, None)
        return start is not None and end is not None and start <= self.start and self.end - end <= FRESH

    def tracked(self, key: Key) -> bool:
        """Whether calls that use a key are recorded for the whole window, in which it was there all the time."""
        since = TRACKED_SINCE.get(key.region)
        return since is not None and self.before(since) and self.before(key.created)

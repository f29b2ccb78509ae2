"""What all parts of one collection share while it runs, and what they have reached."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

from auditor.collectors.failures import Failure
from auditor.collectors.lanes import Lanes
from auditor.collectors.meter import Meter
from auditor.collectors.pacing import Pacer
from auditor.collectors.request import CollectRequest, ShardSink


@dataclass(frozen=True, slots=True)
class Run:
    """What every part of one collection shares."""

    request: CollectRequest
    sink: ShardSink
    meter: Meter
    pacer: Pacer
    stop: threading.Event
    lanes: Lanes
    reached: Reached
    started: datetime


class Reached:
    """Which accounts and Regions were read, whether IAM or any list of keys was, and what stopped the others.
    Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.accounts: set[str] = set()
        self.regions: set[str] = set()
        self.key_lists = 0
        self.identities = False
        self.nowhere = True
        self.stopped: list[tuple[str, Failure]] = []

    def stop(self, action: str, failure: Failure) -> None:
        """An account could not be entered, or the keys of a Region not listed."""
        with self._lock:
            self.stopped.append((action, failure))

    def account(self, account: str, regions: tuple[str, ...]) -> None:
        """An account answered, and these are its Regions to read."""
        with self._lock:
            self.accounts.add(account)
            self.nowhere = self.nowhere and not regions

    def region(self, region: str) -> None:
        """The keys of a Region were listed."""
        with self._lock:
            self.regions.add(region)
            self.key_lists += 1

"""Counts what a collection does, and tells the progress listener now and then."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

from auditor.collectors.failures import Cause, classify_answer
from auditor.collectors.request import Progress, Tally

UPDATE_SECONDS = 0.1
ESTIMATE_AFTER_SECONDS = 3.0


class Meter:
    """Thread-safe counters of one run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._told = 0.0
        self._tally = Tally()

    def add(self, **counts: int) -> None:
        """Adds to the named counters of Tally."""
        with self._lock:
            self._tally = replace(self._tally, **{name: getattr(self._tally, name) + n for name, n in counts.items()})
            now = time.monotonic()
            if now - self._told < UPDATE_SECONDS:
                return
            self._told = now
            tally = self._current(now)
        self._progress.update(tally)

    def answered(self, response: Any) -> None:
        """One HTTP answer, or none: counts throttles."""
        if response is not None and classify_answer(response[1]) is Cause.THROTTLED:
            self.add(throttles=1)

    def say(self, message: str) -> None:
        """Passes a line on."""
        self._progress.say(message)

    def finish(self) -> None:
        """The last numbers."""
        with self._lock:
            tally = self._current(time.monotonic())
        self._progress.update(tally)

    @property
    def tally(self) -> Tally:
        """The numbers now."""
        with self._lock:
            return self._current(time.monotonic())

    def _current(self, now: float) -> Tally:
        elapsed = now - self._started
        return replace(self._tally, elapsed_seconds=elapsed, left_seconds=_left(self._tally, elapsed))


def _left(tally: Tally, elapsed: float) -> float | None:
    """Time left by the share of Regions done, and of keys in those already listed."""
    if not tally.regions or elapsed < ESTIMATE_AFTER_SECONDS:
        return None
    done = tally.regions_done + (tally.keys_done / tally.keys if tally.keys else 0.0)
    whole = tally.regions + (1.0 if tally.keys else 0.0)
    return elapsed * (whole - done) / done if done > 0 else None

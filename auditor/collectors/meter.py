"""Counts what a collection does, and tells the progress listener now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from auditor.collectors.failures import Cause, classify_answer
from auditor.collectors.request import Progress, Tally

UPDATE_SECONDS = 0.1
ESTIMATE_AFTER_SECONDS = 3.0


class Meter:
    """Thread-safe counters of one run. A listener that fails, as on a closed terminal, is not told anything more."""

    def __init__(self, progress: Progress) -> None:
        self._progress: Progress | None = progress
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._told = 0.0
        self._counts = dict.fromkeys((item.name for item in fields(Tally) if item.type == "int"), 0)
        self._opened = self._listed = 0
        self._longest = 0.0

    def add(self, **counts: int) -> None:
        """Adds to the named counters of Tally."""
        with self._lock:
            for name, number in counts.items():
                self._counts[name] += number
            now = time.monotonic()
            if now - self._told < UPDATE_SECONDS:
                return
            self._told = now
            tally = self._current(now)
        self._tell(lambda progress: progress.update(tally))

    def opened(self, regions: int) -> None:
        """The Regions of one more account are known."""
        with self._lock:
            self._opened += 1
        self.add(regions=regions)

    def listed(self, keys: int) -> None:
        """The keys of one more Region are known."""
        with self._lock:
            self._listed += 1
        self.add(keys=keys)

    def will_take(self, seconds: float) -> bool:
        """Whether a Region's slow part takes so long that it is news: longer by half than any before."""
        with self._lock:
            news = seconds >= 1 and seconds > self._longest * 1.5
            self._longest = max(self._longest, seconds)
        return news

    def answered(self, response: Any) -> bool:
        """One HTTP answer, or none: counts throttles, and tells whether it was one."""
        failure = None if response is None else classify_answer(response[1])
        throttled = failure is not None and failure.cause is Cause.THROTTLED
        if throttled:
            self.add(throttles=1)
        return throttled

    def say(self, message: str) -> None:
        """Passes a line on."""
        self._tell(lambda progress: progress.say(message))

    def finish(self) -> None:
        """The last numbers."""
        tally = self.tally
        self._tell(lambda progress: progress.update(tally))

    @property
    def tally(self) -> Tally:
        """The numbers now."""
        with self._lock:
            return self._current(time.monotonic())

    def _tell(self, what: Callable[[Progress], None]) -> None:
        progress = self._progress
        if progress is not None:
            try:
                what(progress)
            except OSError:
                self._progress = None

    def _current(self, now: float) -> Tally:
        elapsed = now - self._started
        tally = Tally(**self._counts, elapsed_seconds=elapsed)
        return replace(tally, left_seconds=_left(tally, self._opened, self._listed, elapsed))


def _left(tally: Tally, opened: int, listed: int, elapsed: float) -> float | None:
    """Time left by the share of keys and Regions done. Regions of accounts not yet opened, and keys of Regions not yet
    listed, are reckoned to be as many as in those known."""
    if not opened or not listed or elapsed < ESTIMATE_AFTER_SECONDS:
        return None
    regions = tally.regions * max(tally.accounts, opened) / opened
    keys = tally.keys * max(regions, listed) / listed
    done = tally.keys_done + tally.regions_done
    return max(0.0, elapsed * (keys + regions - done) / done) if done else None

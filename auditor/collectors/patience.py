"""How long calls that fail in passing are tried, before what fails all the time is no longer waited for.

Every call is repeated for up to a minute, which is right for a burst of throttling or a broken connection. Where
nothing has succeeded for that long (one operation of an account, or an operation, a service or the network for all
accounts), the thousands of calls that follow would each take as long. They get one attempt then; where not even an
answer comes, one of them does now and then, and the others none. The first success restores the patience.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from auditor.collectors.failures import Cause, Failure
from auditor.collectors.pacing import GLOBAL_SERVICES, Place

PATIENCE_SECONDS = 60.0
"""A quota refills every second: where it lets nothing through for this long, it is no burst."""
FEWEST_FAILURES = 3
"""One slow failure is no proof."""
PROBE_SECONDS = 10.0
SILENT = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE})
FLEETING = SILENT | {Cause.THROTTLED, Cause.SERVER}
"""What another attempt may not meet."""
NETWORK: Place = ("", "", "")


@dataclass(slots=True)
class _Trouble:
    """Failures of one scope since its last success. Times are those of the clock."""

    since: float
    last: float
    failures: int
    failure: Failure
    probed: float

    @property
    def lasting(self) -> bool:
        return self.failures >= FEWEST_FAILURES and self.last - self.since >= PATIENCE_SECONDS


class Patience:
    """What fails all the time, of a whole run. Thread-safe. ``say`` is told once of everything that is given up."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._lock = threading.Lock()
        self._troubles: dict[Place, _Trouble] = {}
        self._told: set[Place] = set()
        self._answered = False

    def worth_another(self, failure: Failure) -> bool:
        """Whether to begin a call again after a pause, when the SDK's attempts are over. Where nothing ever answered,
        silence is a mistake in the settings rather than an outage, and is said at once."""
        return failure.cause in FLEETING and (self._answered or failure.cause not in SILENT)

    def passed(self, place: Place) -> None:
        """A call of a place (account, Region, action) was answered, and be it with a refusal."""
        self._answered = True
        if self._troubles:
            with self._lock:
                for scope in _scopes(place):
                    self._troubles.pop(scope, None)

    def failed(self, place: Place, failure: Failure) -> bool:
        """An attempt failed in passing; whether to try no more."""
        silent = failure.cause in SILENT
        scopes = _scopes(place)
        with self._lock:
            for scope in scopes if silent else scopes[:-1]:
                self._note(scope, failure)
            if not silent:
                self._troubles.pop(NETWORK, None)
            lasting = [scope for scope in scopes if scope in self._troubles and self._troubles[scope].lasting]
            news = self._news(scopes, lasting[-1]) if lasting else None
            self._told.update(lasting)
        if news:
            self._say(_words(news, failure))
        return bool(lasting)

    def _news(self, scopes: tuple[Place, ...], widest: Place) -> Place | None:
        """The widest scope that is given up, unless it or a wider one was told: an outage may be seen to spread."""
        return None if self._told.intersection(scopes[scopes.index(widest) :]) else widest

    def hopeless(self, place: Place) -> Failure | None:
        """Why a call need not be made at all: its endpoint, or the network, has been silent for long."""
        if not self._troubles:
            return None
        with self._lock:
            now = self._clock()
            for scope in reversed(_scopes(place)):
                trouble = self._troubles.get(scope)
                if trouble is not None and trouble.lasting and trouble.failure.cause in SILENT:
                    if now - max(trouble.last, trouble.probed) < PROBE_SECONDS:
                        return trouble.failure
                    trouble.probed = now
        return None

    def _note(self, scope: Place, failure: Failure) -> None:
        now = self._clock()
        trouble = self._troubles.get(scope)
        if trouble is None or now - trouble.last > PATIENCE_SECONDS:
            self._troubles[scope] = _Trouble(now, now, 1, failure, now)
            return
        trouble.last, trouble.failure = now, failure
        trouble.failures += 1


def _scopes(place: Place) -> tuple[Place, ...]:
    """The place, and whatever else may be what fails: the operation or the service for all accounts, the network."""
    account, region, action = place
    service = action.split(":", 1)[0]
    where = "" if service in GLOBAL_SERVICES else region
    return (account, where, action), ("", where, action), ("", where, service), NETWORK


def _words(scope: Place, failure: Failure) -> str:
    account, region, what = scope
    where = " ".join(filter(None, (account, region)))
    name = f"{what} in {where}" if what and where else what or "the network"
    return f"{name}: {failure.cause} for {PATIENCE_SECONDS:.0f} s without a success; no longer waited for"

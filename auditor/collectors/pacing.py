"""Keeps every API of every account and Region below a share of its request quota, before AWS has to say no.

One token bucket per (account, Region, API); a throttle halves that bucket's rate for a while, so that one busy account
does not slow another down (botocore's adaptive mode paces per client, which here serves many accounts).
Quotas: KMS developer guide, request quotas, per second; other services: what their guides state, or a cautious guess.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Place = tuple[str, str, str]
_WATCHED: ContextVar[Place] = ContextVar("kms_audit_call")
"""The account, Region and action that this thread is calling."""

QUOTAS: dict[str, float] = {
    "kms:ListKeys": 500,
    "kms:ListAliases": 500,
    "kms:DescribeKey": 2000,
    "kms:GetKeyPolicy": 1000,
    "kms:ListKeyPolicies": 100,
    "kms:ListGrants": 100,
    "kms:ListRetirableGrants": 100,
    "kms:ListResourceTags": 2000,
    "kms:GetKeyRotationStatus": 1000,
    "kms:ListKeyRotations": 100,
    "kms:GetKeyLastUsage": 5,
    "kms:DescribeCustomKeyStores": 5,
    "organizations": 20,
    "iam": 20,
    "cloudtrail": 10,
    "cloudtrail:LookupEvents": 2,
    "events": 20,
    "logs": 5,
    "ram": 5,
    "cloudwatch": 9,
    "s3": 100,
    "sqs": 50,
    "sns": 30,
    "sns:ListTagsForResource": 10,
    "secretsmanager": 40,
    "rds": 10,
    "ec2": 20,
    "dynamodb": 50,
    "dynamodb:ListTagsOfResource": 10,
    "elasticfilesystem": 10,
}
"""Requests per second; an entry without an operation holds for each operation of that service."""

GLOBAL_SERVICES = frozenset({"iam", "organizations", "account"})
"""Services whose quota counts per account, whichever Region asks."""

KEY_RATE_LIMITERS = ("kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations")
"""The slowest calls that every key needs: they bound how fast keys can be read."""

BURST_SECONDS = 0.2
RECOVERY_PER_SECOND = 0.05
LOWEST_FACTOR = 0.05


class TokenBucket:
    """``rate`` tokens per second, at most ``rate * BURST_SECONDS`` (and one) saved up. Thread-safe."""

    __slots__ = ("_capacity", "_clock", "_factor", "_lock", "_then", "_tokens", "rate")

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._capacity = max(1.0, rate * BURST_SECONDS)
        self._tokens = self._capacity
        self._factor = 1.0
        self._then = clock()

    def reserve(self) -> float:
        """Takes one token, on credit if need be, and returns the seconds to wait before using it."""
        with self._lock:
            now = self._clock()
            passed = max(0.0, now - self._then)
            self._then = now
            self._factor = min(1.0, self._factor + passed * RECOVERY_PER_SECOND)
            self._tokens = min(self._capacity, self._tokens + passed * self.rate * self._factor)
            self._tokens -= 1.0
            return 0.0 if self._tokens >= 0 else -self._tokens / (self.rate * self._factor)

    def slow_down(self) -> None:
        """Halves the rate; it recovers by itself within 20 seconds."""
        with self._lock:
            self._factor = max(LOWEST_FACTOR, self._factor / 2)


class Pacer:
    """All buckets of a run; ``share`` in (0, 1] is the part of each quota that may be used."""

    def __init__(self, share: float, stop: threading.Event) -> None:
        self._share = share
        self._stop = stop
        self._lock = threading.Lock()
        self._buckets: dict[Place, TokenBucket] = {}

    def rate(self, action: str) -> float | None:
        """Requests per second that the run allows itself for an operation, or None where no quota is known."""
        quota = QUOTAS.get(action, QUOTAS.get(action.split(":", 1)[0]))
        return None if quota is None else quota * self._share

    def bucket(self, account: str, region: str, action: str) -> TokenBucket | None:
        """The bucket of an operation in one place."""
        rate = self.rate(action)
        if rate is None:
            return None
        service = action.split(":", 1)[0]
        key = (account, "" if service in GLOBAL_SERVICES else region, action)
        with self._lock:
            if key not in self._buckets:
                self._buckets[key] = TokenBucket(rate)
            return self._buckets[key]

    def wait(self, account: str, region: str, action: str) -> None:
        """Waits until one more call of an operation is within the share."""
        bucket = self.bucket(account, region, action)
        if bucket is not None:
            self.sleep(bucket.reserve())

    @contextmanager
    def watching(self, account: str, region: str, action: str) -> Iterator[None]:
        """Inside the block, ``throttled`` slows this operation of this place down."""
        token = _WATCHED.set((account, region, action))
        try:
            yield
        finally:
            _WATCHED.reset(token)

    @property
    def place(self) -> Place | None:
        """What this thread is calling, inside ``watching``."""
        return _WATCHED.get(None)

    def throttled(self) -> None:
        """AWS said that the operation which this thread is calling is called too often: at once, not after retries."""
        place = self.place
        bucket = self.bucket(*place) if place else None
        if bucket is not None:
            bucket.slow_down()

    def forget(self, account: str, region: str) -> None:
        """Drops the buckets of a finished Region: a run over hundreds of accounts would gather tens of thousands."""
        with self._lock:
            for key in [key for key in self._buckets if key[:2] == (account, region)]:
                del self._buckets[key]

    def admission(self) -> TokenBucket:
        """A bucket that lets keys in at the pace of the slowest call each of them needs.

        The thread that hands keys out waits here, so that workers are hardly ever put to sleep.
        """
        return TokenBucket(min(QUOTAS[action] for action in KEY_RATE_LIMITERS) * self._share)

    def sleep(self, seconds: float) -> None:
        """Waits, unless the run ends."""
        if seconds > 0:
            self._stop.wait(seconds)

"""What the proxy does on purpose: faults by account, Region and operation, quotas, and answers laid over moto's."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.aws.wire import Call

DENIED = {
    "kms": ("AccessDeniedException", 400),
    "organizations": ("AccessDeniedException", 400),
    "iam": ("AccessDenied", 403),
    "sts": ("AccessDenied", 403),
}


@dataclass
class Fault:
    """``times`` None: always. ``what`` is one of

    ``error``: an AWS error; ``drop``: the connection breaks before the answer; ``hang``: nothing for ``seconds``;
    ``cut``: the connection breaks in the middle of the body; ``half``: half of the body, as if it were all;
    ``empty``: an answer without members; ``page``: an error page in place of an error.
    """

    action: str = "*"
    account: str = "*"
    region: str = "*"
    containing: str = ""
    what: str = "error"
    code: str = "AccessDenied"
    status: int = 403
    message: str = "User is not authorized."
    seconds: float = 0.0
    times: int | None = None

    def meets(self, call: Call) -> bool:
        return (
            self.times != 0
            and fnmatchcase(call.action, self.action)
            and fnmatchcase(call.account, self.account)
            and fnmatchcase(call.region, self.region)
            and self.containing.encode() in call.body
        )


class Faults:
    """The faults in force; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def of(self, call: Call) -> Fault | None:
        with self._lock:
            found = next((fault for fault in self._faults if fault.meets(call)), None)
            if found is not None and found.times is not None:
                found.times -= 1
            return found


class Quotas:
    """Requests per second by account, Region and action; more are throttled."""

    def __init__(self) -> None:
        self.limits: dict[str, float] = {}
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str], deque[float]] = defaultdict(deque)

    def exceeded(self, call: Call) -> bool:
        limit = self.limits.get(call.action)
        if limit is None:
            return False
        with self._lock:
            now = time.monotonic()
            seen = self._seen[(call.account, call.region, call.action)]
            while seen and now - seen[0] > 1.0:
                seen.popleft()
            if len(seen) >= limit:
                return True  # as at AWS, a refused request takes nothing from the quota
            seen.append(now)
            return False


Patch = Callable[[Call, dict], dict]

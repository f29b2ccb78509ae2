"""What moto said, said again: the same question gets the same bytes until a call changes something.

Most of a test against moto is moto's work, and modules that share an estate ask it the same for every test.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.aws.wire import Call

Upstream = tuple[int, str, bytes]
"""Status, content type and body."""
READING = ("List", "Describe", "Get")
NEUTRAL = ("sts:", "iam:Generate")
"""Neither remembered nor a reason to forget: their answers are always new, and change no other."""


class Memory:
    """``asked``: the body that moto gets, in which pages do not differ."""

    def __init__(self, asked: Callable[[Call], bytes]) -> None:
        self._asked = asked
        self._lock = threading.Lock()
        self._known: dict[tuple[object, ...], Upstream] = {}

    def answer(self, call: Call, way: tuple[str, str], ask: Callable[[], Upstream]) -> Upstream:
        """What ``ask`` returns, or returned before. ``way``: method and path."""
        if call.action.startswith(NEUTRAL):
            return ask()
        if not call.operation.startswith(READING) and way[0] != "GET":
            found = ask()
            with self._lock:
                self._known.clear()
            return found
        target = call.headers.get("X-Amz-Target", "")
        question = (*way, call.service, call.region, call.account, target, self._asked(call))
        with self._lock:
            known = self._known.get(question)
        if known is None:
            known = ask()
            with self._lock:
                self._known[question] = known
        return known

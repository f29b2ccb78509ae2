"""Progress of a collection on stderr: one moving line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from auditor.cli.terminal import Terminal, aside, current, note, printable

if TYPE_CHECKING:
    from auditor.collectors import Progress, Tally

MOVING_SECONDS, PLAIN_SECONDS = 0.1, 5.0


class Silent:
    """Listens to nothing but what is worth reading."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def update(self, tally: Tally) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """One line in the log format that was asked for, unless --quiet."""
        if self.terminal.log_format == "json":
            logging.getLogger("auditor").info(message)
        elif not self.terminal.quiet:
            aside(printable(message))

    def close(self) -> None:
        """Nothing."""


class Lines(Silent):
    """A plain or JSON line every few seconds, and one at the end."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal)
        self._lock = threading.Lock()
        self._next = 0.0
        self._last: Tally | None = None

    def update(self, tally: Tally) -> None:
        """Write when it is time."""
        with self._lock:
            self._last = tally
            if time.monotonic() < self._next:
                return
            self._next = time.monotonic() + PLAIN_SECONDS
        self._write(tally)

    def close(self) -> None:
        """The last numbers."""
        if self._last is not None:
            self._write(self._last)

    def _write(self, tally: Tally) -> None:
        if self.terminal.log_format == "json":
            numbers = {name: value for name, value in asdict(tally).items() if value is not None}
            logging.getLogger("auditor").info(words(tally), extra={"fields": numbers})
        else:
            self.say(words(tally))


class Moving(Silent):
    """One line that is rewritten in place."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal)
        self._lock = threading.Lock()
        self._next = 0.0
        self._width = 0

    def update(self, tally: Tally) -> None:
        """Rewrite the line, a few times a second at most."""
        with self._lock:
            if time.monotonic() < self._next:
                return
            self._next = time.monotonic() + MOVING_SECONDS
            self._draw(words(tally))

    def say(self, message: str) -> None:
        """A line of its own above the moving one."""
        with self._lock:
            self._draw("")
            super().say(message)

    def close(self) -> None:
        """Clear the line."""
        with self._lock:
            self._draw("")

    def _draw(self, text: str) -> None:
        text = text[: max(20, shutil.get_terminal_size().columns - 1)]
        with suppress(OSError):  # a closed terminal is no reason to end
            sys.stderr.write("\r" + text.ljust(self._width) + ("" if text else "\r"))
            sys.stderr.flush()
        self._width = len(text)


def words(tally: Tally) -> str:
    """The numbers of a collection in one line."""
    known = [
        f"accounts {tally.accounts_done}/{tally.accounts}",
        f"Regions {tally.regions_done}/{tally.regions}",
        f"keys {tally.keys_done}/{tally.keys}",
    ]
    parts = [
        *(known if tally.accounts else ["finding the accounts"]),
        f"{tally.calls} calls",
        *([f"{tally.throttles} throttled"] if tally.throttles else []),
        *([f"{tally.gaps} gaps"] if tally.gaps else []),
    ]
    if tally.left_seconds is not None and tally.left_seconds >= 1:
        parts.append(f"about {duration(tally.left_seconds)} left")
    return "collecting: " + ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def showing_progress() -> Iterator[Progress]:
    """The listener that fits the terminal, closed at the end."""
    terminal = current()
    listener: Silent
    if not terminal.progress or terminal.quiet:
        listener = Silent(terminal)
    elif terminal.log_format == "text" and sys.stderr.isatty():
        listener = Moving(terminal)
    else:
        listener = Lines(terminal)
    try:
        yield listener
    finally:
        listener.close()


def step(text: str) -> None:
    """Say what a run does next, when progress is wanted."""
    if current().progress:
        note(text)

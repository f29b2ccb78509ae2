"""Fewer runs, or a pause, of Python's cycle collector: facts are many objects, and nearly all of them stay alive.

The collector would walk them again and again and free next to nothing. Decides nothing about access.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (100_000, 50, 100)
"""Objects, and runs of younger generations, after which the collector looks (Python's own: 700, 10, 10)."""


def collect_seldom() -> None:
    """For a process of its own, which ends with its command: garbage in cycles waits for 100,000 objects instead of
    700, and what was made during a pause is never looked at."""
    gc.set_threshold(*SELDOM)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Pauses the collector; afterwards it is as it was, also after an error and within another pause."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_threshold() == SELDOM:
                gc.freeze()
            gc.enable()

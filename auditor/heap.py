"""A pause of Python's cycle collector, for steps that make millions of objects of which nearly all stay alive.

The collector would walk them again and again and free next to nothing. Decides nothing about access.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Pauses the collector; afterwards it is as it was, also after an error and within another pause."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

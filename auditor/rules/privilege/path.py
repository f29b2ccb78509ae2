"""One way to keys: its steps in words, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

NEW = "a new one with any policy it likes"
WITHOUT = "its own policies without"


@dataclass(frozen=True, slots=True)
class Path:
    """A way to keys: the steps in words, how many, and whether something must be running.

    ``certain``: nothing that could not be read decides what is gained at its end.
    """

    words: str
    hops: int
    running: bool
    keys: frozenset[str]
    via: tuple[str, ...] = ()
    certain: bool = True

"""One way to keys: its steps in words, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

NEW = "a new one with any policy it likes"
WITHOUT = "its own policies without"
UNBOUND = "its own access without"
SHARE = "a share of AWS RAM"


@dataclass(frozen=True, slots=True)
class Path:
    """A way to keys: the steps in words, how many, and what else must be the case, which no policy says.

    ``certain``: nothing that could not be read decides what is gained at its end. ``shared``: it gives the keys to
    other accounts, through AWS RAM.
    """

    words: str
    hops: int
    needs: tuple[str, ...]
    keys: frozenset[str]
    via: tuple[str, ...] = ()
    certain: bool = True
    shared: bool = False

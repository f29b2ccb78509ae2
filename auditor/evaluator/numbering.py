"""Numbers for equal values: what is compared and looked up millions of times becomes an ``int``."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=Hashable)


class Numbers(Generic[T]):
    """0, 1, 2 … for different values in the order in which they come; ``values[number]`` is the first of its equals."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._numbers: dict[T, int] = {}
        self._seen: dict[int, tuple[T, int]] = {}

    def of(self, value: T) -> int:
        """The number of ``value``, new or known."""
        found = self._numbers.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found

    def of_object(self, value: T) -> int:
        """The same for a value that often comes again as the same object, which spares hashing it.

        Each such object is kept, so that no id is used twice.
        """
        seen = self._seen.get(id(value))
        if seen is None:
            seen = self._seen[id(value)] = (value, self.of(value))
        return seen[1]


def numbered(values: Iterable[Hashable]) -> NDArray[np.int64]:
    """A number per value, equal where the values are."""
    numbers: Numbers[Hashable] = Numbers()
    return np.array([numbers.of(value) for value in values], dtype=np.int64)

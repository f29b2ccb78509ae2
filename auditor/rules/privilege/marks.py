"""A few masks in a large table: of pairs, or of accounts and Regions, looked up for many places at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Marks:
    """Masks at some places of a table of two columns, the others zero."""

    def __init__(self, width: int, marks: Mapping[tuple[int, int], int]) -> None:
        import numpy as np

        coded = sorted((first * width + second, mask) for (first, second), mask in marks.items())
        self._width = width
        self._codes = np.array([code for code, _ in coded], dtype=np.int64)
        self._masks = np.array([mask for _, mask in coded], dtype=np.uint64)

    def at(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The mask at each of the places."""
        import numpy as np

        if not len(self._codes):
            return np.zeros(len(first), dtype=np.uint64)
        codes = first * self._width + second
        near = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        found: NDArray[np.uint64] = np.where(self._codes[near] == codes, self._masks[near], np.uint64(0))
        return found

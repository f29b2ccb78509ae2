"""Numbers for the cells of two tables of one shape, worked out once for each pair of profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROWS = 512
"""Rows that are looked at together: those of an organization at once would take gigabytes."""
TABLED = 1 << 24
"""Pairs up to which their numbers are kept in a table; more of them are sorted instead."""
UNKNOWN = -1


def numbered(
    old: NDArray[np.int32], new: NDArray[np.int32], number: Callable[[int, int], int]
) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """``number`` of both profiles of each cell, 0 or more, in blocks of rows; each with the place of its first row.

    ``old`` and ``new`` are rows × columns of profile numbers; -1 stands for no profile.
    """
    if not old.size:
        return
    pairs = _Pairs(int(old.max()), int(new.max()), number)
    for first in range(0, len(old), ROWS):
        yield first, pairs.numbers(old[first : first + ROWS], new[first : first + ROWS])


class _Pairs:
    """Pairs of profiles up to the numbers ``last_old`` and ``last_new``."""

    def __init__(self, last_old: int, last_new: int, number: Callable[[int, int], int]) -> None:
        import numpy as np

        self._number = number
        self._base = last_new + 2
        size = (last_old + 2) * self._base
        self._known = np.full(size, UNKNOWN, dtype=np.int32) if size <= TABLED else None

    def numbers(self, old: NDArray[np.int32], new: NDArray[np.int32]) -> NDArray[np.int32]:
        """The numbers of some cells."""
        import numpy as np

        codes = (old.astype(np.int64) + 1) * self._base + (new + 1)
        if self._known is None:
            distinct, places = np.unique(codes, return_inverse=True)
            return self._of(distinct)[places].reshape(codes.shape)
        found: NDArray[np.int32] = self._known[codes]
        missing = np.unique(codes[found == UNKNOWN])
        if missing.size:
            self._known[missing] = self._of(missing)
            found = self._known[codes]
        return found

    def _of(self, codes: NDArray[np.int64]) -> NDArray[np.int32]:
        import numpy as np

        pairs = (divmod(code, self._base) for code in codes.tolist())
        return np.array([self._number(was - 1, now - 1) for was, now in pairs], dtype=np.int32)

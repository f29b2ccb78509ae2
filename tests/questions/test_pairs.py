"""Numbers for pairs of profiles: the same from a table and from sorting, whatever the blocks."""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.questions import pairs
from tests.laws import examples

CELLS = st.lists(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 2)), min_size=3, max_size=3), max_size=7)


@settings(max_examples=examples(50), deadline=None)
@given(CELLS, st.sampled_from([0, 1 << 20]), st.integers(1, 4))
def test_every_cell_has_the_number_of_its_pair_and_no_pair_is_asked_twice(
    cells: list[list[tuple[int, int]]], tabled: int, rows: int
) -> None:
    old, new = (
        np.array([[pair[side] for pair in row] for row in cells], dtype=np.int32).reshape(len(cells), 3)
        for side in (0, 1)
    )
    asked: list[tuple[int, int]] = []

    def number(was: int, now: int) -> int:
        asked.append((was, now))
        return 10 * (was + 1) + now + 1

    with mock.patch.multiple(pairs, TABLED=tabled, ROWS=rows):
        found = [
            (first + place, row) for first, block in pairs.numbered(old, new, number) for place, row in enumerate(block)
        ]
    expected = [[10 * (was + 1) + now + 1 for was, now in row] for row in cells]
    assert [place for place, _ in found] == list(range(len(cells)))
    assert [row.tolist() for _, row in found] == expected
    assert not tabled or len(asked) == len(set(asked))

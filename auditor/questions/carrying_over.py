"""The evaluation of changed facts, made from the one before: decisions that cannot differ are carried over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from auditor.evaluator import Evaluation, Surroundings
from auditor.evaluator.matrix import TableBuilder
from auditor.model.access import AccessTable, Decision
from auditor.model.actions import ALL, actions_in
from auditor.questions.affected import Affected, Facts, World, affected, time_counts
from auditor.questions.pairs import numbered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOO_MUCH = 0.5
"""From this share of affected rows or columns on, evaluating everything costs less."""


def evaluate_both(old: World, new: World, builder: TableBuilder) -> tuple[Evaluation, Evaluation]:
    """The whole matrices of both sides of a comparison, in the numbering of ``evaluate_after``."""
    table = builder.build(old.principals, old.snapshot.keys, old.surroundings)
    before = Evaluation(old.snapshot, old.surroundings, old.principals, table)
    return before, evaluate_after(before, new, builder)


def evaluate_after(before: Evaluation, after: Facts, builder: TableBuilder | None = None) -> Evaluation:
    """The whole matrix of ``after``; each decision is that of evaluating it alone, only their numbering differs.

    ``builder`` is the one that built ``before``, if it was built for this.
    """
    builder = builder or TableBuilder()
    reached = affected(before, after, before.principals, after.principals)
    around = _around(before, after)
    if _too_much(reached, after):
        table = builder.build(after.principals, after.snapshot.keys, around, reached.actions)
        if reached.actions != ALL:  # then the callers and the keys are those of before
            table = _with_actions(before.table, table, reached.actions)
    else:
        table = _patched(before, after, around, reached, builder)
    return Evaluation(after.snapshot, after.surroundings, after.principals, table)


def _around(before: Facts, after: Facts) -> Surroundings:
    """The world of ``after``, at the time of ``before`` where the time plays no part: then what was worked out for one
    serves both."""
    same = before.surroundings.as_of == after.surroundings.as_of
    if same or time_counts(before, after):
        return after.surroundings
    return replace(after.surroundings, as_of=before.surroundings.as_of)


def _too_much(reached: Affected, after: Facts) -> bool:
    rows, columns = len(after.principals), len(after.snapshot.keys)
    return len(reached.principals) > TOO_MUCH * rows or len(reached.keys) > TOO_MUCH * columns


def _patched(
    before: Evaluation, after: Facts, around: Surroundings, reached: Affected, builder: TableBuilder
) -> AccessTable:
    import numpy as np

    rows, columns = after.principals, after.snapshot.keys
    old_rows = {item.arn: place for place, item in enumerate(before.principals)}
    old_columns = {key.arn: place for place, key in enumerate(before.snapshot.keys)}
    new = [place for place, item in enumerate(rows) if item.arn in reached.principals]
    kept = [place for place, item in enumerate(rows) if item.arn not in reached.principals]
    changed = [place for place, key in enumerate(columns) if key.arn in reached.keys]
    same = [place for place, key in enumerate(columns) if key.arn not in reached.keys]
    joined = _Joined(list(before.table.decisions), list(before.table.profiles))
    cells = np.zeros((len(rows), len(columns)), dtype=np.int32)
    account_level = np.zeros(len(rows), dtype=np.int32)
    if kept:
        origin = [old_rows[rows[place].arn] for place in kept]
        account_level[kept] = before.table.account_level[origin]
        if same:
            cells[np.ix_(kept, same)] = before.table.cells[
                np.ix_(origin, [old_columns[columns[place].arn] for place in same])
            ]
    if kept and changed:
        part = builder.build(tuple(rows[place] for place in kept), tuple(columns[place] for place in changed), around)
        cells[np.ix_(kept, changed)] = joined.add(part)[part.cells]
    if new:
        part = builder.build(tuple(rows[place] for place in new), columns, around)
        numbers = joined.add(part)
        cells[new] = numbers[part.cells]
        account_level[new] = numbers[part.account_level]
    return AccessTable(
        principals=tuple(item.arn for item in rows),
        keys=tuple(key.arn for key in columns),
        decisions=tuple(joined.decisions),
        profiles=tuple(joined.profiles),
        cells=cells,
        account_level=account_level,
    )


def _with_actions(before: AccessTable, part: AccessTable, asked: int) -> AccessTable:
    """The table ``before`` with what ``part``, of the same callers and keys, says of the actions of ``asked``."""
    import numpy as np

    joined = _Joined(list(before.decisions), list(before.profiles))
    decided = joined.decided(part)
    bits = [action.bit for action in actions_in(asked)]

    def number(old: int, new: int) -> int:
        row = list(before.profiles[old])
        for bit in bits:
            row[bit] = decided[part.profiles[new][bit]]
        return joined.profile(tuple(row))

    cells = np.empty_like(before.cells)
    for first, numbers in numbered(before.cells, part.cells, number):
        cells[first : first + len(numbers)] = numbers
    levels = zip(before.account_level.tolist(), part.account_level.tolist(), strict=True)
    account_level = np.array([number(old, new) for old, new in levels], dtype=np.int32)
    return replace(
        before,
        decisions=tuple(joined.decisions),
        profiles=tuple(joined.profiles),
        cells=cells,
        account_level=account_level,
    )


@dataclass(slots=True)
class _Joined:
    """Decisions and profiles of several tables under one numbering."""

    decisions: list[Decision]
    profiles: list[tuple[int, ...]]
    _numbers: dict[Decision, int] = field(init=False)
    _rows: dict[tuple[int, ...], int] = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = {decision: number for number, decision in enumerate(self.decisions)}
        self._rows = {row: number for number, row in enumerate(self.profiles)}

    def add(self, table: AccessTable) -> NDArray[np.int32]:
        """Takes a table in; the new number of each of its profiles."""
        import numpy as np

        numbers = self.decided(table)
        return np.array(
            [self.profile(tuple(numbers[number] for number in row)) for row in table.profiles], dtype=np.int32
        )

    def decided(self, table: AccessTable) -> list[int]:
        """Takes the decisions of a table in; the new number of each."""
        return [self._decision(decision) for decision in table.decisions]

    def _decision(self, decision: Decision) -> int:
        number = self._numbers.setdefault(decision, len(self.decisions))
        if number == len(self.decisions):
            self.decisions.append(decision)
        return number

    def profile(self, row: tuple[int, ...]) -> int:
        """The number of a row of decision numbers."""
        number = self._rows.setdefault(row, len(self.profiles))
        if number == len(self.profiles):
            self.profiles.append(row)
        return number

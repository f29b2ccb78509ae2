"""The bulk engine: the whole matrix by classes of equals (design, section 6).

Caller sides and key sides are numbered; a pair of numbers, with the relation of the two accounts, is decided once.
The table is then filled by looking numbers up. ``decide`` uses the same sides and layers for a single question.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import caller_side
from auditor.evaluator.callers_in_bulk import CallerClass, CallerSides, classify
from auditor.evaluator.contributions import KeySide
from auditor.evaluator.deciding import decide_all
from auditor.evaluator.heap import collector_at_rest
from auditor.evaluator.keys_in_bulk import Column, KeySides
from auditor.evaluator.layers import relation_of
from auditor.evaluator.surroundings import Surroundings
from auditor.model.access import AccessTable, Decision, Outcome
from auditor.model.actions import ACCOUNT_LEVEL, ON_KEY
from auditor.model.key import Key
from auditor.model.principal import Principal

Numbers = NDArray[np.int64]
NOT_ASKED = Decision(Outcome.IMPLICITLY_DENIED, "not_asked")
"""Fills the places of a profile that its kind of cell never answers (account-level actions in a key's cell)."""
NO_KEY = Key(arn="", key_id="", account="", region="")


def build_table(principals: tuple[Principal, ...], keys: tuple[Key, ...], surroundings: Surroundings) -> AccessTable:
    """Every decision for ``principals`` × ``keys``, both in the given order."""
    with collector_at_rest():
        return _build(principals, keys, surroundings)


def _build(principals: tuple[Principal, ...], keys: tuple[Key, ...], surroundings: Surroundings) -> AccessTable:
    profiles = _Profiles()
    classes, members = classify(principals, surroundings)
    callers = CallerSides()
    caller_numbers = callers.matrix(classes, keys, surroundings)
    key_sides = KeySides(surroundings, principals)
    columns = [key_sides.column(key) for key in keys]
    filler = _Filler(principals, keys, classes, members, caller_numbers, callers, key_sides, profiles)
    cells = filler.fill(columns)
    account_level = np.array([profiles.of_account(one, surroundings) for one in classes], dtype=np.int32)
    return AccessTable(
        principals=tuple(principal.arn for principal in principals),
        keys=tuple(key.arn for key in keys),
        decisions=tuple(profiles.decisions),
        profiles=tuple(profiles.rows),
        cells=cells,
        account_level=account_level[members] if len(classes) else np.empty(0, dtype=np.int32),
    )


class _Profiles:
    """Interned decisions and profiles (one decision number per action)."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = [NOT_ASKED]
        self.rows: list[tuple[int, ...]] = []
        self._decision_numbers: dict[Decision, int] = {NOT_ASKED: 0}
        self._seen: dict[int, tuple[Decision, int]] = {}
        self._row_numbers: dict[tuple[int, ...], int] = {}

    def number(self, decisions: tuple[Decision | None, ...]) -> int:
        """The number of a profile."""
        row = tuple(0 if decision is None else self._decision(decision) for decision in decisions)
        found = self._row_numbers.setdefault(row, len(self.rows))
        if found == len(self.rows):
            self.rows.append(row)
        return found

    def _decision(self, decision: Decision) -> int:
        """Its number. Most come again as the same object, which spares hashing them; kept, so that no id is reused."""
        seen = self._seen.get(id(decision))
        if seen is not None:
            return seen[1]
        found = self._decision_numbers.setdefault(decision, len(self.decisions))
        if found == len(self.decisions):
            self.decisions.append(decision)
        self._seen[id(decision)] = (decision, found)
        return found

    def of_account(self, one: CallerClass, surroundings: Surroundings) -> int:
        """The profile of the actions without a key."""
        side = caller_side(Pair(surroundings, one.principal, NO_KEY, ACCOUNT_LEVEL))
        relation = relation_of(one.principal.kind, True, side)
        return self.number(decide_all(relation, side, KeySide(()), mask=ACCOUNT_LEVEL))


class _Filler:
    """Turns pairs of side numbers into profile numbers, each distinct pair once."""

    def __init__(
        self,
        principals: tuple[Principal, ...],
        keys: tuple[Key, ...],
        classes: tuple[CallerClass, ...],
        members: NDArray[np.int32],
        caller_numbers: Numbers,
        callers: CallerSides,
        key_sides: KeySides,
        profiles: _Profiles,
    ) -> None:
        self._members = members
        self._caller_numbers = caller_numbers
        self._callers = callers
        self._key_sides = key_sides
        self._profiles = profiles
        self._known: dict[int, int] = {}
        self._memo: dict[object, Decision] = {}
        accounts: dict[str | None, int] = {}
        self._row_account = self._numbered([principal.account for principal in principals], accounts)
        self._class_account = self._numbered([one.principal.account for one in classes], accounts)
        self._key_account = self._numbered([key.account for key in keys], accounts)
        first_row = np.zeros(len(classes), dtype=np.int64)
        first_row[members[::-1]] = np.arange(len(principals) - 1, -1, -1)
        self._class_group = key_sides.group_of_row[first_row] if len(principals) else first_row

    @staticmethod
    def _numbered(values: list[str | None], numbers: dict[str | None, int]) -> Numbers:
        return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)

    def fill(self, columns: list[Column]) -> NDArray[np.int32]:
        """principals × keys of profile numbers."""
        rows, width = len(self._members), len(columns)
        by_class = np.zeros((len(self._class_group), width), dtype=np.int32)
        for place, column in enumerate(columns):
            if column.by_group is None:
                continue
            sides = column.by_group[self._class_group]
            by_class[:, place] = self._profiles_of(place, self._caller_numbers[:, place], sides, self._class_account)
        cells = by_class[self._members] if rows else np.empty((0, width), dtype=np.int32)
        for place, column in enumerate(columns):
            if column.by_row is not None:
                callers = self._caller_numbers[self._members, place]
                cells[:, place] = self._profiles_of(place, callers, column.by_row, self._row_account)
            if column.named:
                named = np.array(list(column.named), dtype=np.int64)
                sides = np.array(list(column.named.values()), dtype=np.int64)
                callers = self._caller_numbers[self._members[named], place]
                cells[named, place] = self._profiles_of(place, callers, sides, self._row_account[named])
        return cells

    def _profiles_of(self, place: int, callers: Numbers, sides: Numbers, accounts: Numbers) -> Numbers:
        same = (accounts == self._key_account[place]).astype(np.int64)
        codes = ((callers << 31) | sides) << 1 | same
        distinct, inverse = np.unique(codes, return_inverse=True)
        return np.array([self._profile(int(code)) for code in distinct], dtype=np.int64)[inverse]

    def _profile(self, code: int) -> int:
        found = self._known.get(code)
        if found is None:
            kind, caller = self._callers.sides[code >> 32]
            side, state = self._key_sides.sides[(code >> 1) & 0x7FFFFFFF]
            relation = relation_of(kind, bool(code & 1), caller)
            found = self._profiles.number(decide_all(relation, caller, side, state, ON_KEY, self._memo))
            self._known[code] = found
        return found

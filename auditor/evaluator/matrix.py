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
from auditor.evaluator.deciding_in_bulk import Decider, Part, bits_of
from auditor.evaluator.keys_in_bulk import Column, KeySides
from auditor.evaluator.layers import relation_of
from auditor.evaluator.memory import Memory
from auditor.evaluator.numbering import Numbers
from auditor.evaluator.surroundings import Surroundings
from auditor.heap import collector_at_rest
from auditor.model.access import AccessTable, Decision, Outcome
from auditor.model.actions import ACCOUNT_LEVEL, ACTIONS, ON_KEY
from auditor.model.key import Key
from auditor.model.principal import Principal

Codes = NDArray[np.int64]
NOT_ASKED = Decision(Outcome.IMPLICITLY_DENIED, "not_asked")
"""Fills the places of a profile that its kind of cell never answers (account-level actions in a key's cell)."""
NO_KEY = Key(arn="", key_id="", account="", region="")


def build_table(principals: tuple[Principal, ...], keys: tuple[Key, ...], surroundings: Surroundings) -> AccessTable:
    """Every decision for ``principals`` × ``keys``, both in the given order."""
    with collector_at_rest():
        return _build(principals, keys, surroundings)


def closed_table(principals: tuple[Principal, ...], keys: tuple[Key, ...]) -> AccessTable:
    """A table of that shape in which nothing was asked: for whoever looks at facts alone."""
    return AccessTable(
        principals=tuple(principal.arn for principal in principals),
        keys=tuple(key.arn for key in keys),
        decisions=(NOT_ASKED,),
        profiles=((0,) * len(ACTIONS),),
        cells=np.zeros((len(principals), len(keys)), dtype=np.int32),
        account_level=np.zeros(len(principals), dtype=np.int32),
    )


def _build(principals: tuple[Principal, ...], keys: tuple[Key, ...], surroundings: Surroundings) -> AccessTable:
    profiles, memory, decider = _Profiles(), Memory(surroundings), Decider()
    classes, members = classify(principals, surroundings)
    callers = CallerSides(decider)
    caller_numbers = callers.matrix(classes, keys, surroundings, memory)
    key_sides = KeySides(surroundings, principals, memory, decider)
    columns = [key_sides.column(key) for key in keys]
    filler = _Filler(principals, keys, classes, members, caller_numbers, callers, key_sides, decider, profiles)
    cells = filler.fill(columns)
    account_level = np.array(
        [
            _account_profile(Pair(surroundings, one.principal, NO_KEY, ACCOUNT_LEVEL, memory=memory), decider, profiles)
            for one in classes
        ],
        dtype=np.int32,
    )
    return AccessTable(
        principals=tuple(principal.arn for principal in principals),
        keys=tuple(key.arn for key in keys),
        decisions=tuple(profiles.decisions.values),
        profiles=tuple(profiles.rows.values),
        cells=cells,
        account_level=account_level[members] if len(classes) else np.empty(0, dtype=np.int32),
    )


def _account_profile(pair: Pair, decider: Decider, profiles: _Profiles) -> int:
    """The profile of the actions without a key."""
    side = caller_side(pair)
    relation = relation_of(pair.principal.kind, True, side)
    return profiles.number(decider.parts(relation, decider.numbers(side.contributions), (), "", pair.mask))


class _Profiles:
    """Interned decisions and profiles (one decision number per action)."""

    def __init__(self) -> None:
        self.decisions: Numbers[Decision] = Numbers()
        self.rows: Numbers[tuple[int, ...]] = Numbers()
        self._not_asked = self.decisions.of(NOT_ASKED)

    def number(self, parts: list[Part]) -> int:
        """The number of a profile."""
        row = [self._not_asked] * len(ACTIONS)
        for mask, decision in parts:
            number = self.decisions.of_object(decision)
            for bit in bits_of(mask):
                row[bit] = number
        return self.rows.of(tuple(row))


class _Filler:
    """Turns pairs of side numbers into profile numbers, each distinct pair once."""

    def __init__(
        self,
        principals: tuple[Principal, ...],
        keys: tuple[Key, ...],
        classes: tuple[CallerClass, ...],
        members: NDArray[np.int32],
        caller_numbers: Codes,
        callers: CallerSides,
        key_sides: KeySides,
        decider: Decider,
        profiles: _Profiles,
    ) -> None:
        self._members = members
        self._caller_numbers = caller_numbers
        self._callers = callers
        self._key_sides = key_sides
        self._decider = decider
        self._profiles = profiles
        self._known: dict[int, int] = {}
        accounts: dict[str | None, int] = {}
        self._row_account = self._numbered([principal.account for principal in principals], accounts)
        self._class_account = self._numbered([one.principal.account for one in classes], accounts)
        self._key_account = self._numbered([key.account for key in keys], accounts)
        first_row = np.zeros(len(classes), dtype=np.int64)
        first_row[members[::-1]] = np.arange(len(principals) - 1, -1, -1)
        self._class_group = key_sides.group_of_row[first_row] if len(principals) else first_row

    @staticmethod
    def _numbered(values: list[str | None], numbers: dict[str | None, int]) -> Codes:
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

    def _profiles_of(self, place: int, callers: Codes, sides: Codes, accounts: Codes) -> Codes:
        same = (accounts == self._key_account[place]).astype(np.int64)
        codes = ((callers << 31) | sides) << 1 | same
        distinct, inverse = np.unique(codes, return_inverse=True)
        return np.array([self._profile(code) for code in distinct.tolist()], dtype=np.int64)[inverse]

    def _profile(self, code: int) -> int:
        found = self._known.get(code)
        if found is None:
            kind, caller, ours = self._callers.sides[code >> 32]
            flags, state, theirs = self._key_sides.sides[(code >> 1) & 0x7FFFFFFF]
            relation = relation_of(kind, bool(code & 1), caller)
            parts = self._decider.parts(relation, (*ours, *theirs), flags, state, ON_KEY)
            found = self._known[code] = self._profiles.number(parts)
        return found

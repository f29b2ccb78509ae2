"""The bulk engine: the whole matrix by classes of equals.

Caller sides and key sides are numbered; a pair of numbers, with the relation of the two accounts, is decided once.
The table is then filled by looking numbers up. ``decide`` uses the same sides and layers for a single question.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from auditor.evaluator.asking import Pair
from auditor.evaluator.caller_side import caller_side
from auditor.evaluator.callers_in_bulk import CallerSides, classify
from auditor.evaluator.deciding_in_bulk import Decider, Part, bits_of
from auditor.evaluator.keys_in_bulk import Column, KeySides
from auditor.evaluator.layers import relation_of
from auditor.evaluator.memory import Memory
from auditor.evaluator.numbering import Numbers
from auditor.evaluator.surroundings import Surroundings, without_scps
from auditor.heap import collector_at_rest
from auditor.model.access import AccessTable, Decision, Outcome
from auditor.model.actions import ACCOUNT_LEVEL, ACTIONS, ALL, ON_KEY
from auditor.model.key import Key
from auditor.model.principal import Principal

Codes = NDArray[np.int64]
NOT_ASKED = Decision(Outcome.IMPLICITLY_DENIED, "not_asked")
"""Fills the places of a profile that its kind of cell never answers (account-level actions in a key's cell), and those
of actions that were not asked about."""
NO_KEY = Key(arn="", key_id="", account="", region="")


def build_table(
    principals: tuple[Principal, ...], keys: tuple[Key, ...], surroundings: Surroundings, asked: int = ALL
) -> AccessTable:
    """The decisions for ``principals`` × ``keys``, both in the given order, about the actions of the mask ``asked``."""
    return ReadyCallers(principals, surroundings, asked).table(keys)


class TableBuilder:
    """Builds tables one after the other, and keeps the callers of the largest and of the last one ready: the sides of a
    comparison, and its parts, mostly share them."""

    def __init__(self) -> None:
        self._largest: ReadyCallers | None = None
        self._last: ReadyCallers | None = None

    def build(
        self,
        principals: tuple[Principal, ...],
        keys: tuple[Key, ...],
        surroundings: Surroundings,
        asked: int = ALL,
    ) -> AccessTable:
        """As ``build_table``; only the numbering of decisions and profiles may differ."""
        known = [ready for ready in (self._last, self._largest) if ready is not None]
        ready = next((ready for ready in known if ready.are(principals, surroundings, asked)), None)
        if ready is None:
            ready = self._last = ReadyCallers(principals, surroundings, asked, known)
            if self._largest is None or len(self._largest) <= len(ready):
                self._largest = ready
        return ready.table(keys)


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


class _Kept:
    """What the engine keeps whatever SCPs say: key sides about some callers; contributions and decisions, which others
    (``like``) in the same world share."""

    def __init__(
        self, principals: tuple[Principal, ...], surroundings: Surroundings, asked: int, like: _Kept | None
    ) -> None:
        self.memory: Memory = like.memory if like else Memory(surroundings)
        self.decider: Decider = like.decider if like else Decider()
        self.key_sides = KeySides(surroundings, principals, asked & ON_KEY, self.memory, self.decider)
        self.seen: list[object] = like.seen if like else []
        """Whatever holds keys and callers: the memory tells them apart by object, so none may be let go."""
        self.seen.append(self.key_sides)


class ReadyCallers:
    """The callers of one world, classified and compiled: their tables with any keys, about the actions ``asked``.

    What ``others`` kept serves here as well where their world differs in its SCPs alone.
    """

    def __init__(
        self,
        principals: tuple[Principal, ...],
        surroundings: Surroundings,
        asked: int,
        others: Sequence[ReadyCallers] = (),
    ) -> None:
        self._principals, self._surroundings, self._asked = principals, surroundings, asked
        with collector_at_rest():
            self.classes, self.members = classify(principals, surroundings)
            near = [one for one in others if without_scps(one._surroundings) == without_scps(surroundings)]
            same = (one for one in near if one._principals == principals and one._asked == asked)
            kept = next((one._kept for one in same), None)
            self._kept: _Kept = kept or _Kept(principals, surroundings, asked, near[0]._kept if near else None)
            self._kept.seen.append(principals)
            self._sides = CallerSides(self._kept.decider)

    def __len__(self) -> int:
        return len(self._principals)

    def are(self, principals: tuple[Principal, ...], surroundings: Surroundings, asked: int) -> bool:
        """Whether these are the same callers in the same world, and the same is asked about them."""
        return self._asked == asked and self._surroundings == surroundings and self._principals == principals

    def table(self, keys: tuple[Key, ...]) -> AccessTable:
        """The decisions for the callers × ``keys``."""
        self._kept.seen.append(keys)
        with collector_at_rest():
            return self._table(keys)

    def _table(self, keys: tuple[Key, ...]) -> AccessTable:
        profiles, on_key = _Profiles(), self._asked & ON_KEY
        numbers = self._sides.matrix(self.classes, keys, self._surroundings, on_key, self._kept.memory)
        filler = _Filler(self, keys, numbers, self._sides, self._kept, profiles, on_key)
        cells = filler.fill([self._kept.key_sides.column(key) for key in keys])
        without_key = self._account_parts if self._asked & ACCOUNT_LEVEL else [list[Part]()] * len(self.classes)
        account_level = np.array([profiles.number(parts) for parts in without_key], dtype=np.int32)
        return AccessTable(
            principals=tuple(principal.arn for principal in self._principals),
            keys=tuple(key.arn for key in keys),
            decisions=tuple(profiles.decisions.values),
            profiles=tuple(profiles.rows.values),
            cells=cells,
            account_level=account_level[self.members] if self.classes else np.empty(0, dtype=np.int32),
        )

    @cached_property
    def _account_parts(self) -> list[list[Part]]:
        """Class → what is decided about the actions without a key."""
        pairs = [
            Pair(self._surroundings, one.principal, NO_KEY, ACCOUNT_LEVEL, memory=self._kept.memory)
            for one in self.classes
        ]
        return [_account_parts(pair, self._kept.decider) for pair in pairs]

    def rows_by_account(self, numbers: dict[str | None, int]) -> Codes:
        """Row → a number for its account, from ``numbers``."""
        return _numbered([principal.account for principal in self._principals], numbers)

    def classes_by_group(self) -> Codes:
        """Class → the coarse group of its first member, as key sides tell callers apart."""
        first_row = np.zeros(len(self.classes), dtype=np.int64)
        if not self._principals:
            return first_row
        first_row[self.members[::-1]] = np.arange(len(self._principals) - 1, -1, -1)
        found: Codes = self._kept.key_sides.group_of_row[first_row]
        return found


def _account_parts(pair: Pair, decider: Decider) -> list[Part]:
    side = caller_side(pair)
    relation = relation_of(pair.principal.kind, True, side)
    return decider.parts(relation, decider.numbers(side.contributions), (), "", pair.mask)


def _numbered(values: list[str | None], numbers: dict[str | None, int]) -> Codes:
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


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
        ready: ReadyCallers,
        keys: tuple[Key, ...],
        caller_numbers: Codes,
        callers: CallerSides,
        kept: _Kept,
        profiles: _Profiles,
        asked: int,
    ) -> None:
        self._asked = asked
        self._members = ready.members
        self._caller_numbers = caller_numbers
        self._callers = callers
        self._kept = kept
        self._profiles = profiles
        self._known: dict[int, int] = {}
        accounts: dict[str | None, int] = {}
        self._row_account = ready.rows_by_account(accounts)
        self._class_account = _numbered([one.principal.account for one in ready.classes], accounts)
        self._key_account = _numbered([key.account for key in keys], accounts)
        self._class_group = ready.classes_by_group()

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
        known = self._known
        numbers = np.array([known.get(code, -1) for code in distinct.tolist()], dtype=np.int64)
        for position in np.flatnonzero(numbers < 0).tolist():
            code = int(distinct[position])
            numbers[position] = known[code] = self._profile(code)
        return numbers[inverse]

    def _profile(self, code: int) -> int:
        kind, caller, ours = self._callers.sides[code >> 32]
        flags, state, theirs = self._kept.key_sides.sides[(code >> 1) & 0x7FFFFFFF]
        relation = relation_of(kind, bool(code & 1), caller)
        return self._profiles.number(self._kept.decider.parts(relation, (*ours, *theirs), flags, state, self._asked))

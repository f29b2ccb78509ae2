"""The two sides of a comparison: what each knows, and the blocks of its access table that are worth evaluating."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.evaluator.matrix import TableBuilder
from auditor.model.access import AccessTable, Decision
from auditor.model.actions import Action
from auditor.model.inventory import Inventory
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.questions.affected import Facts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Block:
    """A part of one side's table: ``codes`` are profile numbers by position; -1 where the side has no such pair."""

    table: AccessTable
    codes: NDArray[np.int32]

    def best(self, code: int, mask: int) -> tuple[Action, Decision] | None:
        """The strongest decision of a profile over the actions of ``mask``; None without a pair or an action."""
        return None if code < 0 else self.table.best(code, mask)


@dataclass(frozen=True, slots=True)
class Side:
    """One side.

    ``rows`` are its callers and those that only the other side mentions: a caller that is a row only because a policy
    of the other side names it is decided here as well, so that no longer being mentioned is no loss of access.
    ``collected`` are the ARNs of collected principals; ``builder`` makes what has not been decided yet, for both sides.
    """

    facts: Facts
    inventory: Inventory
    rows: dict[str, Principal]
    keys: dict[str, Key]
    collected: frozenset[str]
    builder: TableBuilder

    @classmethod
    def of(cls, facts: Facts, other: Facts, builder: TableBuilder) -> Side:
        """The side of ``facts`` against ``other``."""
        collected = {principal.arn for principal in other.snapshot.principals}
        rows = {item.arn: item for item in other.principals if item.arn not in collected}
        rows |= {item.arn: item for item in facts.principals}
        keys = {key.arn: key for key in facts.snapshot.keys}
        actual = frozenset(principal.arn for principal in facts.snapshot.principals)
        return cls(facts, Inventory(facts.snapshot), rows, keys, actual, builder)

    def block(self, principals: Sequence[str], keys: Sequence[str], asked: int) -> Block:
        """The block of these ARNs, in this order, evaluated at least for the actions of the mask ``asked``."""
        import numpy as np

        rows = [place for place, arn in enumerate(principals) if arn in self.rows]
        columns = [place for place, arn in enumerate(keys) if arn in self.keys]
        callers = tuple(self.rows[principals[place]] for place in rows)
        table = self._table(callers, tuple(self.keys[keys[place]] for place in columns), asked)
        codes = np.full((len(principals), len(keys)), -1, dtype=np.int32)
        if rows and columns:
            codes[np.ix_(rows, columns)] = table.cells
        return Block(table, codes)

    def _table(self, callers: tuple[Principal, ...], keys: tuple[Key, ...], asked: int) -> AccessTable:
        """Cut out of a table that has all of these, else made."""
        found = (_cut(table, callers, keys) for table in self.facts.tables)
        known = next((table for table in found if table), None)
        return known or self.builder.build(callers, keys, self.facts.surroundings, asked)


def _cut(table: AccessTable, callers: tuple[Principal, ...], keys: tuple[Key, ...]) -> AccessTable | None:
    """The part of a table with these rows and columns; None when one of them is not in it."""
    import numpy as np

    places = {arn: place for place, arn in enumerate(table.principals)}
    columns = {arn: place for place, arn in enumerate(table.keys)}
    if any(caller.arn not in places for caller in callers) or any(key.arn not in columns for key in keys):
        return None
    rows = [places[caller.arn] for caller in callers]
    cells = table.cells[np.ix_(rows, [columns[key.arn] for key in keys])]
    return replace(
        table,
        principals=tuple(caller.arn for caller in callers),
        keys=tuple(key.arn for key in keys),
        cells=cells,
        account_level=table.account_level[rows],
    )

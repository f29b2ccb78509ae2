"""A snapshot evaluated: the rows, the table, and single questions through the same code."""

from __future__ import annotations

from dataclasses import dataclass, replace

from auditor.evaluator.deciding import decide
from auditor.evaluator.mentions import rows
from auditor.evaluator.surroundings import Context, Surroundings
from auditor.model.access import AccessTable, Decision
from auditor.model.actions import ALL
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Who can do what in a snapshot. ``principals`` are the rows of ``table``; its columns are ``snapshot.keys``."""

    snapshot: Snapshot
    surroundings: Surroundings
    principals: tuple[Principal, ...]
    table: AccessTable

    @property
    def tables(self) -> tuple[AccessTable, ...]:
        """The table, as the only one: for whoever looks decisions up among several."""
        return (self.table,)

    def decide(self, principal: Principal, key: Key, action: str, context: Context | None = None) -> Decision:
        """One question; the principal need not be a row of the table."""
        return decide(self.surroundings, principal, key, action, context)

    def table_of(self, principals: tuple[Principal, ...], keys: tuple[Key, ...], asked: int) -> AccessTable:
        """The same for many callers and keys, invented ones too, about the actions of a mask."""
        from auditor.evaluator.matrix import build_table

        return build_table(principals, keys, self.surroundings, asked)


def surroundings_of(snapshot: Snapshot, *, as_of: str) -> Surroundings:
    """The world of a snapshot at ``as_of`` (ISO 8601 UTC)."""
    return Surroundings(
        organization=snapshot.organization, organization_unread=snapshot.organization_unread, as_of=as_of
    )


def evaluate(snapshot: Snapshot, *, as_of: str) -> Evaluation:
    """The whole matrix of a snapshot. The same snapshot and ``as_of`` give the same table."""
    from auditor.evaluator.matrix import build_table

    surroundings = surroundings_of(snapshot, as_of=as_of)
    principals = rows(snapshot)
    return Evaluation(snapshot, surroundings, principals, build_table(principals, snapshot.keys, surroundings))


def evaluate_part(
    snapshot: Snapshot,
    *,
    as_of: str,
    keys: tuple[Key, ...] | None = None,
    principals: tuple[Principal, ...] | None = None,
    asked: int | None = None,
) -> Evaluation:
    """Some columns (``keys`` of the snapshot) and rows of the matrix, decided as in the whole one; None means all.

    ``principals`` need not be rows of the whole matrix. Of actions beside the mask ``asked`` the table says nothing.
    """
    from auditor.evaluator.matrix import build_table

    columns, callers = snapshot.keys if keys is None else keys, rows(snapshot) if principals is None else principals
    surroundings = surroundings_of(snapshot, as_of=as_of)
    table = build_table(callers, columns, surroundings, ALL if asked is None else asked)
    return Evaluation(replace(snapshot, keys=columns), surroundings, callers, table)

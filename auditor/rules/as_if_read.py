"""A run as it would be if nothing that could not be read denied anything: for findings that may be."""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator import Evaluation
from auditor.evaluator.deciding import decide
from auditor.evaluator.expressions import UNSETTLED, all_of, any_of
from auditor.evaluator.surroundings import Context
from auditor.model.access import AccessTable, Decision, Outcome
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.model.residual import TRUE, AllOf, AnyOf, Leaf, Not, Residual
from auditor.rules.reach import Openness, Reach, openness


def _as_if_read(decision: Decision) -> Decision:
    """A decision that is MAYBE, as it would be if nothing that could not be read stood against it; others unchanged."""
    if decision.outcome is not Outcome.UNKNOWN or decision.residual is None or openness(decision) is not Openness.MAYBE:
        return decision
    left = _without_unsettled(decision.residual)
    if left == TRUE:
        return replace(decision, outcome=Outcome.ALLOWED, residual=None)
    return replace(decision, outcome=Outcome.CONDITIONAL, residual=left)


def _without_unsettled(residual: Residual) -> Residual:
    """The condition without its missing facts: each as it lets the request through."""
    match residual:
        case Leaf(operator=operator) | Not(Leaf(operator=operator)) if operator == UNSETTLED:
            return TRUE
        case AllOf(items):
            return all_of(map(_without_unsettled, items))
        case AnyOf(items):
            return any_of(map(_without_unsettled, items))
    return residual


def reach_as_if_read(reach: Reach) -> Reach | None:
    """The same pairs, where what may be allowed counts as allowed; None where nothing is in doubt."""
    decisions = tuple(_as_if_read(decision) for decision in reach.table.decisions)
    if all(one is other for one, other in zip(decisions, reach.table.decisions, strict=True)):
        return None
    found = Reach(replace(reach.table, decisions=decisions), reach.principals, reach.keys, reach.now)
    found.all_pairs = reach.all_pairs
    return found


class _AsIfRead(Evaluation):
    """An evaluation whose answers are what they would be if nothing that could not be read denied anything."""

    __slots__ = ()

    def decide(self, principal: Principal, key: Key, action: str, context: Context | None = None) -> Decision:
        """One question, answered so."""
        return _as_if_read(decide(self.surroundings, principal, key, action, context))

    def table_of(self, principals: tuple[Principal, ...], keys: tuple[Key, ...], asked: int) -> AccessTable:
        """Many questions, answered so."""
        table = Evaluation.table_of(self, principals, keys, asked)
        return replace(table, decisions=tuple(map(_as_if_read, table.decisions)))


def evaluation_as_if_read(asked: Evaluation, reach: Reach) -> Evaluation:
    """The evaluation whose table is that of ``reach``, which also answers single questions so."""
    return _AsIfRead(asked.snapshot, asked.surroundings, asked.principals, reach.table)

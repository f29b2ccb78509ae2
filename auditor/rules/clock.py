"""Tests of the clock as they stand at the time of the run: what was meant to end is over, what was to begin has begun.

The evaluator leaves ``aws:CurrentTime`` to the request; a rule speaks of the day of the run and of what follows.
"""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator.expressions import all_of, any_of, negate
from auditor.evaluator.operators import Operator, parse_operator, timestamp
from auditor.model.access import Decision, Outcome
from auditor.model.residual import FALSE, TRUE, AllOf, AnyOf, Leaf, Not, Residual
from auditor.rules.conditions import mentions

CLOCK = ("aws:currenttime", "aws:epochtime")


def in_time(operator: Operator, value: str, now: float) -> bool | None:
    """What a test of the clock says from ``now`` on, for good; None where that will change. ``now``: POSIX seconds.

    The moment itself is still in time for the forms with Equals.
    """
    moment, base = timestamp(value), operator.base.removeprefix("date").removeprefix("numeric")
    if moment is None or operator.negated:
        return None
    if base.startswith("lessthan"):
        return False if moment < now or (moment == now and not base.endswith("equals")) else None
    if base.startswith("greaterthan"):
        return True if moment < now or (moment == now and base.endswith("equals")) else None
    return None


def settled(residual: Residual, now: float) -> Residual:
    """The condition with the tests of the clock that have been decided for good by ``now``."""
    match residual:
        case Leaf():
            operator = parse_operator(residual.operator) if residual.key.lower() in CLOCK else None
            said = {in_time(operator, value, now) for value in residual.values} if operator else set()
            return TRUE if True in said else FALSE if said == {False} else residual
        case Not(item):
            return negate(settled(item, now))
        case AllOf(items):
            return all_of(settled(item, now) for item in items)
        case AnyOf(items):
            return any_of(settled(item, now) for item in items)
    return residual


def by_now(decision: Decision, now: float) -> Decision:
    """The decision as it stands from ``now`` on."""
    if decision.residual is None or not mentions(decision.residual, lambda leaf, _: leaf.key.lower() in CLOCK):
        return decision
    left = settled(decision.residual, now)
    if left == FALSE:
        return replace(decision, outcome=Outcome.IMPLICITLY_DENIED, residual=None, causes=())
    if left == TRUE:
        return replace(decision, outcome=Outcome.ALLOWED, residual=None)
    return replace(decision, residual=left)

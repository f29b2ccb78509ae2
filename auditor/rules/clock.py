"""Tests of the clock as they stand at the time of the run: what was meant to end is over, what was to begin has begun.

The evaluator leaves ``aws:CurrentTime`` to the request; a rule speaks of the day of the run and of what follows.
"""

from __future__ import annotations

from dataclasses import replace

from auditor.evaluator.expressions import with_leaves
from auditor.evaluator.operators import Operator, parse_operator, timestamp
from auditor.model.access import Decision, Outcome
from auditor.model.residual import FALSE, TRUE, Leaf, Residual
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

    def decided(leaf: Leaf) -> Residual:
        operator = parse_operator(leaf.operator) if leaf.key.lower() in CLOCK else None
        said = {in_time(operator, value, now) for value in leaf.values} if operator else set()
        return TRUE if True in said else FALSE if said == {False} else leaf

    return with_leaves(residual, decided)


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

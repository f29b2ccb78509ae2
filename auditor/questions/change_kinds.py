"""What happened to an access: gained, lost, under another condition, or not comparable."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from auditor.evaluator.expressions import all_of, negate
from auditor.evaluator.simplify import simplify
from auditor.model.access import RANK, Decision, Outcome
from auditor.model.residual import FALSE, Residual


class Change(StrEnum):
    """What happened to an access. A wider condition is a gain and a narrower one a loss; CONDITION is neither."""

    GAINED = "gained"
    LOST = "lost"
    CONDITION = "condition"
    COVERAGE = "coverage"


def kind_of(was: Decision | None, now: Decision | None) -> Change | None:
    """What happened between two decisions (None: a side without that pair); None where the access is the same."""
    rank_was, rank_now = rank_of(was), rank_of(now)
    if rank_was == rank_now and (_denied(rank_was) or condition_of(was) == condition_of(now)):
        return None
    if RANK[Outcome.UNKNOWN] in (rank_was, rank_now):
        return Change.COVERAGE
    if was is not None and now is not None and was.residual is not None and now.residual is not None:
        return _between(was.residual, now.residual)
    if _denied(rank_was) and _denied(rank_now):
        return None
    if not _denied(rank_was) and not _denied(rank_now):
        return Change.GAINED if rank_now < rank_was else Change.LOST
    return Change.LOST if _denied(rank_now) else Change.GAINED


@lru_cache(maxsize=4096)
def _between(was: Residual, now: Residual) -> Change | None:
    """What another condition means: more requests than before, fewer, others; None for the same ones in other words."""
    wider, narrower = (simplify(all_of((one, negate(other)))) == FALSE for one, other in ((was, now), (now, was)))
    if wider and narrower:
        return None
    return Change.GAINED if wider else Change.LOST if narrower else Change.CONDITION


def rank_of(decision: Decision | None) -> int:
    """The rank of an outcome; without a decision nothing is allowed."""
    return RANK[decision.outcome] if decision is not None else RANK[Outcome.IMPLICITLY_DENIED]


def _denied(rank: int) -> bool:
    return rank >= RANK[Outcome.IMPLICITLY_DENIED]


def condition_of(decision: Decision | None) -> Residual | None:
    """The condition that remains, if any."""
    return decision.residual if decision is not None else None

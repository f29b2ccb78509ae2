"""A route: the steps from somebody to keys, what they give, and the statements that open them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from auditor.model.actions import POWER, actions_in
from auditor.model.finding import Evidence
from auditor.rules.privilege.edges import ARROW
from auditor.rules.reach import LIVE
from auditor.rules.view import View


class RouteKind(StrEnum):
    """What is changed or taken over first: the key's own policies and grants, a share of AWS RAM that holds it, an
    identity, an attribute that policies trust, or a role that lets outsiders in."""

    KEY = "key"
    SHARE = "share"
    IDENTITY = "identity"
    ATTRIBUTE = "attribute"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Route:
    """One way of ``principal`` (an ARN, or as a trust policy names it) to ``keys`` (ARNs) that it has no power over.

    ``steps`` alternate: who, action, target, action, target, …; ``gains`` says in words what the last target gives;
    ``notes`` what else must be the case.
    """

    kind: RouteKind
    principal: str
    steps: tuple[str, ...]
    keys: tuple[str, ...]
    gains: str
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def hops(self) -> int:
        """The number of actions that have to be taken."""
        return len(self.steps) // 2

    @property
    def words(self) -> str:
        """The steps in one line."""
        return ARROW.join(self.steps)


def in_order(routes: Iterable[Route]) -> tuple[Route, ...]:
    """By principal, shortest first; each route once."""
    found = dict.fromkeys(routes)
    return tuple(sorted(found, key=lambda route: (route.principal, route.hops, route.kind, route.words, route.keys)))


def gains_of(view: View, arn: str, keys: Iterable[str]) -> str:
    """The actions of power that a row of the table holds on one of the keys, in words."""
    reach, held = view.reach, 0
    for key in keys:
        column = reach.key_at[key]
        held |= reach.held(reach.profile(reach.principal_at[arn], column), column, *LIVE)
    return ", ".join(action.name for action in actions_in(held & POWER))

"""Routes through the key itself: whoever may rewrite who has access needs no access."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.escalation.route import Route, RouteKind
from auditor.evaluator import in_words
from auditor.model.access import Decision
from auditor.model.actions import TAKEOVER, USE, Action, actions_in
from auditor.model.key import Key
from auditor.model.principal import PrincipalKind
from auditor.rules.principals import service_linked
from auditor.rules.privilege.given import allowing
from auditor.rules.privilege.power import Power, power
from auditor.rules.reach import LIVE
from auditor.rules.view import View

GAINS = {
    "PutKeyPolicy": ("the key policy", "everything on the key"),
    "CreateGrant": ("a grant", "any operation that grants can give, for anybody"),
    "ReplicateKey": ("a replica", "the same key material under a policy of its own"),
}


def key_routes(view: View) -> Iterator[Route]:
    """The routes of callers of every kind that may rewrite the access to a key and may not use it themselves."""
    own, reach = power(view), view.reach
    for row, column, profile in reach.pairs(TAKEOVER, inside=False).rows():
        who = reach.principals[row]
        if service_linked(who) or who.kind is PrincipalKind.SERVICE or reach.held(profile, column, *LIVE) & USE:
            continue
        for action in actions_in(_rewriting(own, row, profile, column)):
            yield _route(who.arn, reach.keys[column], action, reach.decision(profile, action.bit))


def _rewriting(own: Power, row: int, profile: int, column: int) -> int:
    return own.held(row, profile, column, *LIVE) & TAKEOVER


def _route(principal: str, key: Key, action: Action, decision: Decision) -> Route:
    target, gains = GAINS[action.short]
    return Route(
        kind=RouteKind.KEY,
        principal=principal,
        steps=(principal, action.name, target),
        keys=(key.arn,),
        gains=gains,
        notes=(in_words(decision.residual),) if decision.residual is not None else (),
        evidence=tuple(allowing(decision)),
    )

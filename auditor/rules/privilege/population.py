"""How many identities can read plaintext with a key, and by which ways most of them come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.model.access import Role
from auditor.model.actions import FORGE, USE, actions_in
from auditor.model.finding import Evidence
from auditor.model.key import sensitive_use
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.conditions import demands
from auditor.rules.doubt import also_in_doubt
from auditor.rules.hit import Hit, given, naming
from auditor.rules.principals import admissions
from auditor.rules.reach import CERTAIN, Pairs
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _top_paths(view: View, pairs: Pairs) -> list[str]:
    """The statements and grants through which most of the readers come, with their number, most first."""
    counted: dict[str, int] = {}
    for position, profile in zip(pairs.keys.tolist(), pairs.profiles.tolist(), strict=True):
        held = view.reach.held(profile, position, *CERTAIN) & USE
        first = next(actions_in(held))
        causes = [c for c in view.reach.decision(profile, first.bit).causes if c.role is Role.ALLOWS]
        for path in {str(cause.statement or cause.grant or cause.note) for cause in causes}:
            counted[path] = counted.get(path, 0) + 1
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [f"{path} ({number})" for path, number in ranked[:5]]


def _through_their_service(view: View, pairs: Pairs) -> NDArray[np.bool_]:
    """Per pair: whether the reader is a role of AWS services that can read through these services alone."""
    import numpy as np

    services = [_services_of(view.reach.principals[row]) for row in pairs.principals.tolist()]
    return np.array(
        [
            bool(own) and _only_through(view, profile, position, own)
            for own, (_, position, profile) in zip(services, pairs.rows(), strict=True)
        ],
        dtype=bool,
    )


def _services_of(who: Principal) -> frozenset[str]:
    """The services that a role's trust policy admits, as kms:ViaService calls them; none when it admits others too."""
    ways = admissions(who) if who.kind is PrincipalKind.ROLE else ()
    if not ways or any(way.kind != "service" for way in ways):
        return frozenset()
    return frozenset(way.value.split(".", 1)[0] for way in ways)


def _only_through(view: View, profile: int, position: int, services: frozenset[str]) -> bool:
    """Whether every way to read goes through ``kms:ViaService`` of one of the services."""

    def of_services(leaf: Leaf, negated: bool) -> bool:
        called = {value.split(".", 1)[0] for value in leaf.values}
        positive = leaf.operator.lower() in ("stringequals", "stringlike", "stringequalsignorecase")
        return leaf.key.lower() == "kms:viaservice" and positive and not negated and called <= services

    held = view.reach.held(profile, position, *CERTAIN) & USE
    return all(demands(view.reach.decision(profile, action.bit).residual, of_services) for action in actions_in(held))


@also_in_doubt
def broad_plaintext_population(view: View) -> Iterator[Hit]:
    """More identities can read plaintext with a key than its tier allows (``max_plaintext_principals``).

    Counts roles and users with effective access, directly or by grant. Service-linked roles do not count, nor do roles
    of a service that can read through that service alone, and the administrators of an account count as one.

    Fix: split the key by data class or workload, and remove readers that never call it.
    """
    import numpy as np

    reach = view.reach
    ordinary = np.array([who.kind in (PrincipalKind.USER, PrincipalKind.ROLE) for who in reach.principals], dtype=bool)
    admins = np.array([view.trust.account_admin(who) for who in reach.principals], dtype=bool)
    pairs = reach.all_pairs
    ordinary &= np.array([not who.assume_allowed for who in reach.principals], dtype=bool)
    reading = reach.having(pairs, USE, *CERTAIN)
    pairs = pairs.select(reading & ordinary[pairs.principals])
    for position, everybody in pairs.by_key():
        key = reach.keys[position]
        limit = view.settings.max_plaintext_principals.of(view.tier(key))
        if len(everybody) <= limit:
            continue
        own = everybody.select(~_through_their_service(view, everybody))
        readers = own.principals[~admins[own.principals]].tolist()
        number = len(readers) + bool(admins[own.principals].any())
        if number <= limit:
            continue
        verb = "sign" if sensitive_use(key) == FORGE else "read"
        names = [reach.principals[row].arn for row in readers]
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{number} identities can {verb} with {key.label}; the limit for {view.tier(key)} is {limit}.",
            keys=(key.arn,),
            evidence=(
                Evidence("readers", str(number)),
                Evidence("limit", f"{limit} ({view.tier(key)})"),
                naming("among them", names),
                Evidence("top paths", ", ".join(_top_paths(view, own))),
            ),
            raised=given((view.tier(key) == "T1" and number > 3 * limit, "three times the limit")),
        )

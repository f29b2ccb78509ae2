"""Routes through IAM: becoming somebody who has power over a key, giving itself what the key leaves to IAM, or giving
others the key through AWS RAM."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from auditor.escalation.route import Route, RouteKind, gains_of
from auditor.model.arn import account_of, is_account_id, is_root
from auditor.model.finding import Evidence
from auditor.model.principal import Principal
from auditor.rules.hit import given
from auditor.rules.principals import Admission, admissions, outside_admissions
from auditor.rules.privilege.edges import ARROW, enabling_statements
from auditor.rules.privilege.path import UNBOUND, WITHOUT, Path
from auditor.rules.privilege.paths import Finder
from auditor.rules.privilege.steps import ASSUME
from auditor.rules.view import View

WEB = "oidc"
ENTER_BY_WEB = "sts:AssumeRoleWithWebIdentity"
UNCERTAIN = "what the last step gives could not be read in full, and is not certain"
DELEGATED = "what the key policy leaves to IAM"
KEPT = "what the boundary or a Deny of its own keeps from it"
SPARED = "what an SCP or RCP keeps from it"
GIVEN_AWAY = "other accounts what the permission of the share lists, perhaps,"


def identity_routes(view: View, only: Collection[str] | None = None) -> Iterator[Route]:
    """The routes of users and roles, those of the ARNs in ``only`` or of all: the shortest to each key."""
    finder = _finder(view)
    for arn, paths in _paths(view).items():
        if only is None or arn in only:
            yield from (_route(view, finder, path) for path in paths)


def _finder(view: View) -> Finder:
    return view.once("paths", lambda: Finder(view))


def _paths(view: View) -> dict[str, list[Path]]:
    return view.once("paths-found", _finder(view).paths)


def _route(view: View, finder: Finder, path: Path) -> Route:
    steps, keys = tuple(path.words.split(ARROW)), tuple(sorted(path.keys))
    return Route(
        kind=RouteKind.SHARE if path.shared else RouteKind.IDENTITY,
        principal=steps[0],
        steps=steps,
        keys=keys,
        gains=GIVEN_AWAY if path.shared else _gains(view, finder, path, steps[-1]),
        notes=(*path.needs, *given((not path.certain and not path.shared, UNCERTAIN))),
        evidence=enabling_statements([path.words], view.principal_by_arn),
    )


def _gains(view: View, finder: Finder, path: Path, end: str) -> str:
    """What a path gives at its ``end``: what somebody has there today, or what the last step opens."""
    if path.keys <= finder.own.get(end, frozenset()):
        return gains_of(view, end, tuple(sorted(path.keys)))
    if end.startswith(UNBOUND):
        return SPARED
    return KEPT if end.startswith(WITHOUT) else DELEGATED


def outside_routes(view: View) -> Iterator[Route]:
    """The routes of strangers, partners, other organizations and holders of web identities whom a role lets in: to the
    keys that the role has power over, and on to those that it comes to itself in what is left of ``max_hops``."""
    finder, paths = _finder(view), _paths(view)
    for role in finder.candidates:
        ways = entrances(role, view)
        if not ways:
            continue
        onward = [_route(view, finder, path) for path in paths.get(role.arn, ()) if path.hops < view.settings.max_hops]
        held = tuple(sorted(finder.own.get(role.arn, ())))
        if held:
            own = Route(RouteKind.IDENTITY, role.arn, (role.arn,), held, gains_of(view, role.arn, held))
            onward = [own, *onward]
        for way in ways:
            yield from (_entered(way, role, route) for route in onward)


def entrances(role: Principal, view: View) -> list[Admission]:
    """The ways into a role from outside; a corporate directory (SAML) is none."""
    web = [way for way in admissions(role) if way.kind == WEB]
    return [*outside_admissions(role, view.trust), *web]


def lets_in(value: str, who: Principal) -> bool:
    """Whether a principal of a trust policy, as written, may mean the caller."""
    if value == "*" or value in (who.arn, who.iam_arn):
        return True
    return (is_account_id(value) or is_root(value)) and account_of(value) == who.account


def _entered(way: Admission, role: Principal, route: Route) -> Route:
    """A route of the role, for whom its trust policy lets in."""
    statement = way.statement
    place = f"“{statement.sid}”" if statement.sid else str(statement.index + 1)
    trust = Evidence("let in by", f"trust policy of {role.arn} statement {place}")
    tests = (f"if {test.operator} {test.key} {', '.join(test.values)}" for test in statement.conditions)
    return replace(
        route,
        kind=RouteKind.OUTSIDE,
        principal=way.value,
        steps=(way.value, ENTER_BY_WEB if way.kind == WEB else ASSUME, *route.steps),
        notes=(*tests, *route.notes),
        evidence=(trust, *route.evidence),
    )

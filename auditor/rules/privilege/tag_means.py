"""How identities get a tag, another value of it, or rid of it: by IAM, or with the session that somebody begins."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.policy import Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.iam_request import tag_locked
from auditor.rules.iam_side import identities_of, may_tag, speakers
from auditor.rules.principals import admissions, service_linked
from auditor.rules.privilege.doors import Change, Door, Hands, Means
from auditor.rules.privilege.naming import fitting_each
from auditor.rules.privilege.steps import ASSUME, admits, step_to, ways_into
from auditor.rules.view import View

TAG_SESSION = "sts:TagSession"
REQUESTED = "aws:requesttag/"


def hands_of(view: View, who: Principal, door: Door, change: Change) -> Hands:
    """Who can make the change of the identity's tag, and how: itself, and those who may assume it then."""
    own = _by_itself(view, who, door, change)
    return [*([(who, own)] if own is not None else []), *_through(view, who, door, change)]


def requested(who: Principal, tag: str) -> tuple[str, ...]:
    """Values of a tag that the identity's own policies speak of setting."""
    name = REQUESTED + tag.lower()
    return fitting_each(
        value
        for attached in who.identity_policies
        for statement in attached.policy.statements
        for test in statement.conditions
        if test.key.lower() == name
        for value in test.values
    )


def _action(who: Principal, change: Change) -> str:
    verb = "Untag" if change.value is None else "Tag"
    return f"iam:{verb}{'User' if who.kind is PrincipalKind.USER else 'Role'}"


def _by_itself(view: View, who: Principal, door: Door, change: Change) -> Means | None:
    """How the identity changes the tag itself, or that of a session of its own; None when it cannot."""
    if service_linked(who):
        return None
    action = _action(who, change)
    if may_tag(view, who, action, who.arn, door.tag, change.values):
        return Means(f"{action} on itself")
    for way in admissions(who) if change.value is not None else ():
        if way.kind in ("account", "principal") and _tags_sessions(way.statement, who, door, change):
            guest = _guest(view, who, door, change)
            if guest is not None:
                return Means(f"{TAG_SESSION} by {guest.arn}", (guest.arn,))
    return None


def _through(view: View, role: Principal, door: Door, change: Change) -> Iterator[tuple[Principal, Means]]:
    """Those who may change the tag of a role and then assume it."""
    if role.kind is not PrincipalKind.ROLE or service_linked(role):
        return
    action = _action(role, change)
    for who in speakers(view, role.account or "", action):
        if who.arn == role.arn or service_linked(who):
            continue
        if not may_tag(view, who, action, role.arn, door.tag, change.values):
            continue
        step = step_to(view, who, role, ways_into(role), frozenset({ASSUME}))
        if step is not None and step.action == ASSUME:
            yield who, Means(f"{action} on {role.arn}, which it may assume", (role.arn,))


def _tags_sessions(statement: Statement, role: Principal, door: Door, change: Change) -> bool:
    """Whether a trust statement lets callers give the session the tag with a value that opens the door."""
    named = any(pattern.lower() in (TAG_SESSION.lower(), "sts:*", "*") for pattern in statement.actions or ())
    return named and not tag_locked(statement, role, door.tag, change.values)


def _guest(view: View, role: Principal, door: Door, change: Change) -> Principal | None:
    """An ordinary identity that may assume the role with the session tag."""
    ways = [way for way in admissions(role) if _tags_sessions(way.statement, role, door, change)]
    for who in identities_of(view, role.account or ""):
        if who.arn == role.arn or view.trust.account_admin(who) or not any(admits(view, way, who) for way in ways):
            continue
        if may_tag(view, who, TAG_SESSION, role.arn, door.tag, change.values):
            return who
    return None

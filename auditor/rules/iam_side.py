"""What identities may do in IAM itself, as far as rules about becoming somebody need it: create, assume, tag roles.

A plain reading of policies, not an authorization engine: identity policies, boundary and SCPs, with conditions on the
caller's ARN, account and tags, on tag keys, boundaries and the service a role is passed to understood. Others are taken
as met on an Allow, as not met on a Deny: these rules warn of what could be, and the evaluator decides about keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.policy import Policy, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.acting import acts
from auditor.rules.iam_request import Request, met, reaches, tags_settled
from auditor.rules.view import View

Acting = dict[tuple[int, str, str], tuple[Statement, ...]]
Likeness = tuple[str, int]
Answers = dict[tuple[Likeness, Request, bool], bool]


def identities_of(view: View, account: str) -> tuple[Principal, ...]:
    """The collected users and roles of an account."""
    return view.commons.callers(account)


def speakers(view: View, account: str, action: str) -> list[Principal]:
    """The identities of an account whose policies allow the action on anything; asked once."""
    memo = view.commons.of_account(account).once("speakers", dict[str, list[Principal]])
    if action not in memo:
        memo[action] = [who for who in identities_of(view, account) if speaks_of(view, who, action)]
    return memo[action]


def speaks_of(view: View, principal: Principal, action: str) -> bool:
    """Whether any Allow of the identity covers the action at all: a cheap first look before ``may``."""
    return any(_acting(view, attached.policy, "Allow", action) for attached in principal.identity_policies)


def may_tag(view: View, principal: Principal, action: str, resource: str, tag: str, values: tuple[str, ...]) -> bool:
    """Whether the identity's own side lets it set a tag to one of ``values``."""
    return _remembered(view, principal, Request(action, resource, tag, values), own_side=True)


def _acting(view: View, policy: Policy, effect: str, action: str) -> tuple[Statement, ...]:
    """The statements of a document that speak of the action with this effect, looked up once."""
    memo = view.commons.of_documents.once("iam-acting", Acting)
    place = (id(policy), effect, action)
    if place not in memo:
        memo[place] = tuple(one for one in policy.statements if one.effect == effect and acts(one, action))
    return memo[place]


def _says(statements: Iterable[Statement], principal: Principal, request: Request) -> bool:
    """Whether one of the statements that speak of the action holds for the caller and the request."""
    for statement in statements:
        if not reaches(statement, request.resource, principal):
            continue
        answers = [met(test, principal, request) for test in statement.conditions]
        unsure = statement.effect == "Allow"
        if all(unsure if answer is None else answer for answer in answers):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Above:
    """What the SCPs above an account say of an action: the Deny statements, and the Allow statements of every level
    that does not allow it to everybody on everything."""

    denies: tuple[Statement, ...]
    limits: tuple[tuple[Statement, ...], ...]


def _above(view: View, account: str, action: str) -> Above:
    memo = view.commons.of_account(account).once("scps-on-action", dict[str, Above])
    if action not in memo:
        levels = _scp_levels(view, account)
        allows = [tuple(one for scp in level for one in _acting(view, scp, "Allow", action)) for level in levels]
        memo[action] = Above(
            tuple(one for level in levels for scp in level for one in _acting(view, scp, "Deny", action)),
            tuple(level for level in allows if not any(_unbounded(one) for one in level)),
        )
    return memo[action]


def _unbounded(statement: Statement) -> bool:
    return not statement.conditions and "*" in (statement.resources or ())


def _scp_levels(view: View, account: str) -> tuple[tuple[Policy, ...], ...]:
    """The SCPs of every level above an account; none for the management account and without an organization."""

    def make() -> tuple[tuple[Policy, ...], ...]:
        organization = view.snapshot.organization
        bound = organization is not None and organization.management_account != account
        levels = organization.levels(account) if organization is not None and bound else None
        return tuple(
            tuple(attached.policy for attached in level.scps) for level in levels or () if level.scps is not None
        )

    return view.commons.of_account(account).once("scp-levels", make)


def likeness(view: View, principal: Principal) -> Likeness:
    """What identities that no policy tells apart share: their documents and account, and the ARN where one is named."""
    account = principal.account or ""
    memo = view.commons.of_account(account).once("iam-likeness", dict[str, Likeness])
    if principal.arn not in memo:
        texts = tuple(sorted(attached.policy.text for attached in principal.identity_policies))
        boundary = principal.boundary.policy.text if principal.boundary else ""
        named, tagged = _tells_apart(view, principal, (*texts, boundary))
        marks = (principal.arn if named else "", (principal.tags, tags_settled(principal)) if tagged else ())
        alike = (texts, boundary, principal.kind, marks)
        interned = view.commons.of_account(account).once("iam-likeness-numbers", dict[object, int])
        memo[principal.arn] = (account, interned.setdefault(alike, len(interned)))
    return memo[principal.arn]


def _tells_apart(view: View, principal: Principal, texts: tuple[str, ...]) -> tuple[bool, bool]:
    """Whether one of the documents, or an SCP above, looks at the ARN or name, or at the tags, of its caller."""
    memo = view.commons.of_documents.once("telling-documents", dict[str, tuple[bool, bool]])
    named = tagged = False
    levels = _scp_levels(view, principal.account or "")
    for text in (*texts, *(policy.text for level in levels for policy in level)):
        if text not in memo:
            lowered = text.lower()
            memo[text] = ("principalarn" in lowered or "${" in lowered, "principaltag" in lowered)
        named, tagged = named or memo[text][0], tagged or memo[text][1]
    return named, tagged


def may(
    view: View,
    principal: Principal,
    action: str,
    resource: str | None,
    boundary: str | None = None,
    known: tuple[tuple[str, str], ...] = (),
) -> bool:
    """Whether the identity's own side lets it call an IAM or STS action on ``resource`` (None: on any at all)."""
    return _remembered(view, principal, Request(action, resource, boundary=boundary, known=known), own_side=True)


def not_stopped(view: View, principal: Principal, action: str, resource: str | None) -> bool:
    """Whether nothing on the identity's side forbids a call that something else allows (None: on any resource)."""
    return _remembered(view, principal, Request(action, resource), own_side=False)


def _remembered(view: View, principal: Principal, request: Request, *, own_side: bool) -> bool:
    memo = view.commons.of_account(principal.account or "").once("iam-answers", Answers)
    question = (likeness(view, principal), request, own_side)
    if question not in memo:
        memo[question] = _may(view, principal, request, own_side)
    return memo[question]


def _may(view: View, principal: Principal, request: Request, own_side: bool) -> bool:
    def says(policy: Policy, effect: str) -> bool:
        return _says(_acting(view, policy, effect, request.action), principal, request)

    own = [attached.policy for attached in principal.identity_policies]
    if own_side and not any(says(policy, "Allow") for policy in own):
        return False
    boundary = [] if principal.boundary is None else [principal.boundary.policy]
    above = _above(view, principal.account or "", request.action)
    if any(says(policy, "Deny") for policy in own + boundary) or _says(above.denies, principal, request):
        return False
    # A boundary does not limit what a resource's policy gives to a user by name.
    bound = own_side or principal.kind is not PrincipalKind.USER
    if bound and not all(says(policy, "Allow") for policy in boundary):
        return False
    return all(_says(level, principal, request) for level in above.limits)

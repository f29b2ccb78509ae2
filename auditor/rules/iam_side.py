"""What identities may do in IAM itself, as far as rules about becoming somebody need it: create, assume, tag roles.

A plain reading of policies, not an authorization engine: identity policies, boundary and SCPs, with conditions on the
caller's ARN, account and tags, on tag keys, boundaries and the service a role is passed to understood. Others are taken
as met on an Allow, as not met on a Deny: these rules warn of what could be, and the evaluator decides about keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.evaluator.callers import accepts_session_tags
from auditor.evaluator.glob import literal, matches
from auditor.evaluator.operators import Operator, parse_operator
from auditor.evaluator.strength import holds_without_key, passes_when_absent
from auditor.model.policy import ConditionTest, Policy, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.acting import acts
from auditor.rules.view import View

Acting = dict[tuple[int, str, str], tuple[Statement, ...]]
Likeness = tuple[str, int]
Answers = dict[tuple[Likeness, "Request", bool], bool]


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


def _reaches(statement: Statement, resource: str | None, caller: Principal) -> bool:
    if resource is None:
        return statement.effect == "Allow" or statement.resources == ("*",)
    if statement.resources is not None:
        return any(matches(resolved(pattern, caller), resource) for pattern in statement.resources)
    if statement.not_resources is not None:
        return not any(matches(resolved(pattern, caller), resource) for pattern in statement.not_resources)
    return False


def resolved(pattern: str, caller: Principal) -> str:
    """A Resource with the variables that the caller's name, account and tags settle; others match nothing."""
    if "${" not in pattern:
        return pattern
    held = {f"aws:principaltag/{name.lower()}": value for name, value in caller.tags}
    held["aws:principalaccount"] = caller.account or ""
    if caller.kind is PrincipalKind.USER:
        held["aws:username"] = caller.name

    def value(found: re.Match[str]) -> str:
        known = held.get(found[1].lower())
        return found[0] if known is None else literal(known)

    return re.sub(r"\$\{([^}]+)\}", value, pattern)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an IAM or STS action on a resource (None: on any at all), with the tag key that it sets, the
    values of which one has to be set (none: any), the boundary (its ARN, empty for none) of the identity that is made
    or changed, and other condition keys of the call, in lower case, with their values."""

    action: str
    resource: str | None
    tag: str | None = None
    values: tuple[str, ...] = ()
    boundary: str | None = None
    known: tuple[tuple[str, str], ...] = ()

    @property
    def region(self) -> str:
        """The Region of the resource; empty for global ones."""
        parts = (self.resource or "").split(":")
        return parts[3] if len(parts) > 5 else ""


def met(test: ConditionTest, principal: Principal, request: Request) -> bool | None:
    """Whether a test holds for the caller and the request; None: nobody here can tell."""
    operator = parse_operator(test.operator)
    name, tag = test.key.lower(), request.tag
    if operator is not None and name == "iam:permissionsboundary" and request.boundary is not None:
        return _boundary_met(test, operator, request.boundary)
    if operator is None:
        return None
    told = [value for key, value in request.known if key == name]
    if operator.base == "null":
        return any(value.lower() == "false" for value in test.values) if told else None
    if told:
        return any(matches(asked, told[0]) for asked in test.values) != operator.negated
    if name == "aws:principalarn":
        return any(matches(value, principal.iam_arn) for value in test.values) != operator.negated
    if name == "aws:principalaccount":
        return (principal.account in test.values) != operator.negated
    if name.startswith("aws:principaltag/"):
        return _tag_met(test, principal, operator)
    if name == "aws:requestedregion" and request.region:
        return any(matches(value, request.region) for value in test.values) != operator.negated
    if name in ("aws:tagkeys", "aws:requesttag") and tag is not None and not operator.negated:
        listed = any(matches(value.lower(), tag.lower()) for value in test.values)
        return None if operator.quantifier == "any" and not listed else listed
    if name.startswith("aws:requesttag/") and tag is not None and name != f"aws:requesttag/{tag.lower()}":
        return None  # one request may set several tags
    if name.startswith("aws:requesttag/") and request.values:
        return _value_met(test, operator, request.values)
    return None


def _boundary_met(test: ConditionTest, operator: Operator, boundary: str) -> bool:
    """A test of the permissions boundary of the identity that is made or changed; no boundary: the key is absent."""
    if not boundary:
        return holds_without_key(Leaf(test.operator, test.key, test.values)) is True
    if operator.base == "null":
        return any(value.lower() == "false" for value in test.values)
    return any(matches(value, boundary) for value in test.values) != operator.negated


def _value_met(test: ConditionTest, operator: Operator, wanted: tuple[str, ...]) -> bool | None:
    """A test of the value that a tag is given; None where some of the wanted values pass and others do not."""
    if any("${" in value for value in (*test.values, *wanted)):
        return None
    fits = [[matches(asked, value) or matches(value, asked) for asked in test.values] for value in wanted]
    if not any(map(any, fits)):
        return operator.negated
    plain = not any("*" in value or "?" in value for value in wanted)
    return not operator.negated if plain and all(map(any, fits)) else None


def may_tag(view: View, principal: Principal, action: str, resource: str, tag: str, values: tuple[str, ...]) -> bool:
    """Whether the identity's own side lets it set a tag to one of ``values``."""
    return _remembered(view, principal, Request(action, resource, tag, values), own_side=True)


def tag_locked(statement: Statement, principal: Principal, tag: str, values: tuple[str, ...]) -> bool:
    """Whether the conditions of a trust statement leave no session tag of this name with one of ``values``."""
    request = Request("sts:TagSession", principal.arn, tag, values)
    tests = (test for test in statement.conditions if test.key.lower().startswith(("aws:requesttag/", "aws:tagkeys")))
    return any(met(test, principal, request) is False for test in tests)


def _tag_met(test: ConditionTest, principal: Principal, operator: Operator) -> bool | None:
    """A test of a tag that the identity carries; where a session may carry others, an absent tag is not known."""
    wanted = test.key.split("/", 1)[1].lower()
    held = next((value for name, value in principal.tags if name.lower() == wanted), None)
    if held is None:
        return passes_when_absent(operator) if _tags_settled(principal) else None
    if any("${" in value for value in test.values):
        return None
    return any(matches(value, held) for value in test.values) != operator.negated


def _tags_settled(principal: Principal) -> bool:
    """Whether the identity has no other tags than its own: a user, or a role that takes none with a session."""
    user = principal.kind is PrincipalKind.USER
    return user or (principal.kind is PrincipalKind.ROLE and not accepts_session_tags(principal.trust_policy))


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
        if not _reaches(statement, request.resource, principal):
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
        marks = (principal.arn if named else "", (principal.tags, _tags_settled(principal)) if tagged else ())
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

"""One call to IAM, STS or another service as IAM's side reads it, and whether a statement's elements fit it.

Conditions on the caller's ARN, account and tags, on tag keys, boundaries, Regions and what else the call is known to
carry are understood; of others nobody here can tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from auditor.evaluator.callers import accepts_session_tags
from auditor.evaluator.glob import literal, matches
from auditor.evaluator.operators import Operator, parse_operator, passes_when_absent
from auditor.evaluator.strength import holds_without_key
from auditor.model.policy import ConditionTest, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.residual import Leaf


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


def reaches(statement: Statement, resource: str | None, caller: Principal) -> bool:
    """Whether the Resource or NotResource of a statement covers ``resource`` (None: whether anything counts)."""
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


def _tag_met(test: ConditionTest, principal: Principal, operator: Operator) -> bool | None:
    """A test of a tag that the identity carries; where a session may carry others, an absent tag is not known."""
    wanted = test.key.split("/", 1)[1].lower()
    held = next((value for name, value in principal.tags if name.lower() == wanted), None)
    if held is None:
        return passes_when_absent(operator) if tags_settled(principal) else None
    if any("${" in value for value in test.values):
        return None
    return any(matches(value, held) for value in test.values) != operator.negated


def tags_settled(principal: Principal) -> bool:
    """Whether the identity has no other tags than its own: a user, or a role that takes none with a session."""
    user = principal.kind is PrincipalKind.USER
    return user or (principal.kind is PrincipalKind.ROLE and not accepts_session_tags(principal.trust_policy))


def tag_locked(statement: Statement, principal: Principal, tag: str, values: tuple[str, ...]) -> bool:
    """Whether the conditions of a trust statement leave no session tag of this name with one of ``values``."""
    request = Request("sts:TagSession", principal.arn, tag, values)
    tests = (test for test in statement.conditions if test.key.lower().startswith(("aws:requesttag/", "aws:tagkeys")))
    return any(met(test, principal, request) is False for test in tests)

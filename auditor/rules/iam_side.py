"""What identities may do in IAM itself, as far as rules about becoming somebody need it: create, assume, tag roles.

A plain reading of policies, not an authorization engine: identity policies, boundary and SCPs, with conditions on
``aws:PrincipalArn`` and tag keys understood. Any other condition on an Allow is taken as met, on a Deny as not met:
these rules warn of what could be, and the evaluator decides about keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.glob import matches
from auditor.evaluator.operators import parse_operator
from auditor.model.policy import ConditionTest, Policy, Statement
from auditor.model.principal import Principal
from auditor.rules.view import View


def identities_of(view: View, account: str) -> list[Principal]:
    """The collected users and roles of an account."""

    def make() -> dict[str, list[Principal]]:
        found: dict[str, list[Principal]] = {}
        for who in view.snapshot.principals:
            found.setdefault(who.account or "", []).append(who)
        return found

    return view.once("identities-by-account", make).get(account, [])


def _acts(statement: Statement, action: str) -> bool:
    lowered = action.lower()
    if statement.actions is not None:
        return any(matches(pattern.lower(), lowered) for pattern in statement.actions)
    if statement.not_actions is not None:
        return not any(matches(pattern.lower(), lowered) for pattern in statement.not_actions)
    return False


def speaks_of(principal: Principal, action: str) -> bool:
    """Whether any Allow of the identity covers the action at all: a cheap first look before ``may``."""
    return any(
        statement.effect == "Allow" and _acts(statement, action)
        for attached in principal.identity_policies
        for statement in attached.policy.statements
    )


def _reaches(statement: Statement, resource: str) -> bool:
    if statement.resources is not None:
        return any(matches(pattern, resource) for pattern in statement.resources)
    if statement.not_resources is not None:
        return not any(matches(pattern, resource) for pattern in statement.not_resources)
    return False


def _met(test: ConditionTest, principal: Principal, tag: str | None) -> bool | None:
    """Whether a test holds for the caller (and a tag key it sets); None when the rules here cannot tell."""
    operator = parse_operator(test.operator)
    if operator is None:
        return None
    name = test.key.lower()
    if name == "aws:principalarn":
        hit = any(matches(value, principal.iam_arn) for value in test.values)
        return hit != operator.negated
    if name in ("aws:tagkeys", "aws:requesttag") and tag is not None and not operator.negated:
        return any(matches(value.lower(), tag.lower()) for value in test.values)
    if name.startswith("aws:requesttag/") and tag is not None and name != f"aws:requesttag/{tag.lower()}":
        return operator.negated or operator.if_exists
    return None


def _says(policy: Policy, effect: str, principal: Principal, action: str, resource: str, tag: str | None) -> bool:
    for statement in policy.statements:
        if statement.effect != effect or not _acts(statement, action) or not _reaches(statement, resource):
            continue
        answers = [_met(test, principal, tag) for test in statement.conditions]
        unsure = effect == "Allow"
        if all(unsure if answer is None else answer for answer in answers):
            return True
    return False


def _limits(view: View, principal: Principal) -> Iterator[tuple[Policy, ...]]:
    """The layers that must each allow: the boundary, and every SCP level."""
    if principal.boundary is not None:
        yield (principal.boundary.policy,)
    organization = view.snapshot.organization
    if organization is None or organization.management_account == principal.account:
        return
    for level in organization.levels(principal.account or "") or ():
        if level.scps is not None:
            yield tuple(attached.policy for attached in level.scps)


def likeness(view: View, principal: Principal) -> object:
    """What identities that no policy tells apart share: their documents and account, and the ARN where one is named."""
    memo = view.once("iam-likeness", dict[str, object])
    if principal.arn not in memo:
        texts = tuple(sorted(attached.policy.text for attached in principal.identity_policies))
        boundary = principal.boundary.policy.text if principal.boundary else ""
        named = any("principalarn" in text.lower() for text in (*texts, boundary, *_scp_texts(view, principal)))
        memo[principal.arn] = (texts, boundary, principal.account, principal.arn if named else "")
        interned = view.once("iam-likeness-numbers", dict[object, int])
        memo[principal.arn] = interned.setdefault(memo[principal.arn], len(interned))
    return memo[principal.arn]


def _scp_texts(view: View, principal: Principal) -> tuple[str, ...]:
    memo = view.once("scp-texts", dict[str, tuple[str, ...]])
    account = principal.account or ""
    if account not in memo:
        bare = replace(principal, boundary=None)
        memo[account] = tuple(policy.text for layer in _limits(view, bare) for policy in layer)
    return memo[account]


def may(view: View, principal: Principal, action: str, resource: str, tag: str | None = None) -> bool:
    """Whether the identity's own side lets it call an IAM or STS action on ``resource``; ``tag``: a tag key it sets."""
    memo = view.once("iam-answers", dict[object, bool])
    question = (likeness(view, principal), action, resource, tag)
    if question not in memo:
        memo[question] = _may(view, principal, action, resource, tag)
    return memo[question]


def _may(view: View, principal: Principal, action: str, resource: str, tag: str | None) -> bool:
    own = tuple(attached.policy for attached in principal.identity_policies)
    layers = tuple(_limits(view, principal))
    everything = (*own, *(policy for layer in layers for policy in layer))
    if any(_says(policy, "Deny", principal, action, resource, tag) for policy in everything):
        return False
    if not any(_says(policy, "Allow", principal, action, resource, tag) for policy in own):
        return False
    return all(any(_says(policy, "Allow", principal, action, resource, tag) for policy in layer) for layer in layers)

"""What sort of identity a principal is: a person, a vendor's way in, a service's own; by kind and trust policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from auditor.evaluator.glob import has_wildcard
from auditor.model.arn import SERVICE_LINKED_PATH, account_of, is_account_id, is_root
from auditor.model.policy import Policy, Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.acting import acts
from auditor.rules.closing import closed_by, demanding
from auditor.rules.trust import Trust

SSO_PATH = "/aws-reserved/sso.amazonaws.com/"
ASSUME = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


@dataclass(frozen=True, slots=True)
class Admission:
    """One way into a role: ``kind`` is everyone, organization, account, principal, oidc, saml or service.

    ``value`` is the principal as written; the id for an account or organization that conditions fix.
    """

    kind: str
    value: str
    statement: Statement

    @property
    def account(self) -> str | None:
        """The account that is let in, if it is one."""
        return account_of(self.value)


_ADMISSIONS: dict[str, tuple[Admission, ...]] = {}
_ADMISSIONS_LIMIT = 65_536


def service_linked(principal: Principal) -> bool:
    """Whether an AWS service owns the role."""
    return principal.kind is PrincipalKind.SERVICE_LINKED_ROLE or SERVICE_LINKED_PATH in principal.iam_arn


def sso_role(principal: Principal) -> bool:
    """Whether IAM Identity Center made the role."""
    return SSO_PATH in principal.iam_arn


def federated_person(principal: Principal) -> bool:
    """Whether people reach the role through SAML or IAM Identity Center."""
    return sso_role(principal) or any(admission.kind == "saml" for admission in admissions(principal))


def has_usable_credentials(principal: Principal) -> bool:
    """Whether a user can sign in or sign requests; True when the credential report was not read."""
    facts = principal.credentials
    return facts is None or facts.password_enabled or any(key.active for key in facts.access_keys)


def assumes(statement: Statement, effect: str = "Allow") -> bool:
    """Whether a trust statement allows (or denies) some form of AssumeRole."""
    return statement.effect == effect and any(acts(statement, action) for action in ASSUME)


def admissions(principal: Principal) -> tuple[Admission, ...]:
    """Everybody whom the role's trust policy lets in; every text of a policy is read once."""
    trust = principal.trust_policy
    if trust is None or not trust.readable:
        return ()
    found = _ADMISSIONS.get(trust.text)
    if found is None:
        if len(_ADMISSIONS) >= _ADMISSIONS_LIMIT:
            _ADMISSIONS.clear()
        found = _ADMISSIONS[trust.text] = tuple(_admissions(trust))
    return found


def _admissions(trust: Policy) -> Iterator[Admission]:
    for statement in trust.statements:
        if not assumes(statement):
            continue
        if statement.not_principals is not None:
            yield Admission("everyone", "*", statement)
        for entry in statement.principals or ():
            left = _left(trust, statement, entry.value)
            if left is not None and entry.kind == "AWS" and entry.value == "*":
                yield from _everybody(left)
            elif left is not None:
                yield Admission(_kind(entry.kind, entry.value), entry.value, left)


def _left(trust: Policy, statement: Statement, who: str) -> Statement | None:
    """The statement with what the Deny statements of the policy demand of a principal; None: they refuse it."""
    tests = closed_by(trust, statement, [name for name in ASSUME if acts(statement, name)], who)
    if tests is None:
        return None
    return replace(statement, conditions=(*statement.conditions, *tests)) if tests else statement


def _everybody(statement: Statement) -> Iterator[Admission]:
    """What a wildcard principal lets in, after the conditions that fix accounts or the organization."""
    arns = condition_values(statement, "aws:principalarn")
    accounts = {account_of(value) for value in condition_values(statement, "aws:principalaccount") or arns}
    if accounts and None not in accounts:
        yield from (Admission("account", account, statement) for account in sorted(a for a in accounts if a))
        return
    organizations = condition_values(statement, "aws:principalorgid", "aws:principalorgpaths")
    named = sorted({value.split("/")[0] for value in organizations})
    if named and not any(map(has_wildcard, named)):
        yield from (Admission("organization", name, statement) for name in named)
    else:
        yield Admission("everyone", "*", statement)


def _kind(kind: str, value: str) -> str:
    if kind == "Service":
        return "service"
    if kind == "Federated":
        return "saml" if ":saml-provider/" in value else "oidc"
    return "account" if is_account_id(value) or is_root(value) else "principal"


def condition_values(statement: Statement, *names: str) -> tuple[str, ...]:
    """The values that positive tests of the statement demand for one of the condition keys (lower case)."""
    found: list[str] = []
    for test in demanding(statement.conditions):
        operator = test.operator.lower()
        if test.key.lower() in names and "not" not in operator and not operator.endswith("ifexists"):
            if operator.startswith(("forallvalues:", "null")):
                continue
            found += test.values
    return tuple(found)


def fixed_values(statement: Statement, *names: str) -> tuple[str, ...]:
    """Those values, when none of them holds a wildcard or a variable; else nothing."""
    values = condition_values(statement, *names)
    return values if values and not any(has_wildcard(value) or "${" in value for value in values) else ()


def pinned(statement: Statement) -> bool:
    """Whether a trust statement names who may come in by a fixed principal ARN, a source identity or a tag."""
    tags = [test.key.lower() for test in statement.conditions if test.key.lower().startswith("aws:principaltag/")]
    return any(fixed_values(statement, name) for name in ("aws:principalarn", "sts:sourceidentity", *tags))


def requires_mfa(statement: Statement) -> bool:
    """Whether a trust statement demands multi-factor authentication."""
    present = condition_values(statement, "aws:multifactorauthpresent")
    aged = any(test.key.lower() == "aws:multifactorauthage" for test in statement.conditions)
    return {value.lower() for value in present} == {"true"} or aged


def outside_admissions(principal: Principal, trust: Trust) -> list[Admission]:
    """The ways into a role from outside the organization: strangers, partners, public identity providers."""
    owner = principal.account or ""
    return [
        admission
        for admission in admissions(principal)
        if admission.kind == "everyone"
        or (admission.kind == "organization" and trust.foreign_organization(admission.value))
        or (admission.account and trust.standing(admission.account, owner).foreign)
    ]


def reachable_from_outside(principal: Principal, trust: Trust) -> bool:
    """Whether somebody outside the organization may become this principal."""
    return bool(outside_admissions(principal, trust))

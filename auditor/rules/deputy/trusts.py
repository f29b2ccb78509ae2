"""Rules about the ways into roles that can use keys: vendors, federations, and roles that too many may assume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.evaluator.glob import has_wildcard
from auditor.evaluator.operators import parse_operator
from auditor.model.actions import POWER, READ_PLAINTEXT, SENSITIVE
from auditor.model.finding import Evidence
from auditor.model.policy import Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.corrections import with_tests_alone
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing, naming
from auditor.rules.iam_side import identities_of, may, speakers
from auditor.rules.principals import (
    Admission,
    admissions,
    condition_values,
    fixed_values,
    pinned,
    requires_mfa,
    sso_role,
)
from auditor.rules.privilege.combined import holding_hit
from auditor.rules.privilege.holding import Holding
from auditor.rules.privilege.power import power
from auditor.rules.privilege.steps import admits
from auditor.rules.reach import Openness
from auditor.rules.statements import as_written, render
from auditor.rules.trust import Standing
from auditor.rules.view import View

PUBLIC_PROVIDERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "agent.buildkite.com",
    "oidc.circleci.com",
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "www.amazon.com",
)
WEB_PROVIDERS = ("cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com")
"""Providers that tell their customers apart by the audience alone."""


def powerful_roles(view: View) -> list[Holding]:
    """Roles that hold reading, forging, takeover or destruction on a key today."""

    def make() -> list[Holding]:
        import numpy as np

        own = power(view)
        levels = np.maximum(np.maximum(own.read(), own.takeover()), own.destroy())
        levels = np.where(levels >= int(Openness.MAYBE), levels, np.int8(0))
        found = own.holdings(levels, SENSITIVE)
        return [holding for holding in found if holding.principal.kind is PrincipalKind.ROLE]

    return view.once("powerful-roles", make)


def _hit(
    view: View,
    holding: Holding,
    way: Admission,
    summary: str,
    raised: tuple[str, ...],
    lowered: tuple[str, ...] = (),
    more: tuple[Evidence, ...] = (),
    tests: dict[str, str] | None = None,
) -> Hit:
    label = way.statement.label
    base = holding_hit(
        view,
        holding,
        summary,
        raised=raised,
        lowered=lowered,
        more=(Evidence("trust statement", f"{label}: {way.kind} {way.value}"), *more),
    )
    written = as_written(holding.principal.trust_policy, way.statement.index) if holding.principal.trust_policy else {}
    remedy = render(with_tests_alone(written, "StringEquals", tests)) if written and tests else ""
    admitted = way.account if way.kind == "account" and way.account else way.value
    identity = (*base.identity, meaning(way.statement), admitted)
    return replace(base, kind="role", identity=identity, remedy=remedy)


def _assumers(view: View, role: Principal) -> list[str]:
    memo = view.commons.once("assumers", dict[str, list[str]])
    if role.arn not in memo:
        memo[role.arn] = sorted(
            who.arn
            for who in speakers(view, role.account or "", "sts:AssumeRole")
            if who.arn != role.arn and may(view, who, "sts:AssumeRole", role.arn) and _let_in(view, role, who)
        )
    return memo[role.arn]


def guests(view: View, role: Principal) -> list[Principal]:
    """Those who may assume the role through its trust in the whole account, administrators of the account aside."""
    names = set(_assumers(view, role))
    own = identities_of(view, role.account or "")
    return [who for who in own if who.arn in names and not view.trust.account_admin(who)]


def _let_in(view: View, role: Principal, who: Principal) -> bool:
    return any(way.kind == "account" and admits(view, way, who) for way in admissions(role))


def assumed_by_many(view: View, role: Principal) -> bool:
    """Whether the role trusts its account as a whole and more than ``max_assumers`` identities there may assume it."""
    wide = any(
        way.kind == "account" and way.account == role.account and not pinned(way.statement) for way in admissions(role)
    )
    return wide and len(_assumers(view, role)) > view.settings.max_assumers


def role_widely_assumable(view: View) -> Iterator[Hit]:
    """A role that can use a key can be assumed by too many.

    Told for a trust policy that lets in everybody, the whole organization, an outside account as a whole, or the own
    account as a whole while more than ``max_assumers`` identities hold sts:AssumeRole on it. Silent when a fixed
    principal ARN, a source identity or a tag narrows the statement.

    Fix: name the assuming roles, and require a source identity or MFA where people are involved.
    """
    limit = view.settings.max_assumers
    for holding in powerful_roles(view):
        role = holding.principal
        for way in admissions(role):
            if pinned(way.statement):
                continue
            standing = view.trust.standing(way.account, role.account or "") if way.account else None
            assumers: list[str] = []
            if way.kind == "account" and standing is Standing.OWN and way.account == role.account:
                assumers = _assumers(view, role)
                if len(assumers) <= limit:
                    continue
            elif (way.kind == "account" and (standing is None or not standing.foreign)) or way.kind not in (
                "everyone",
                "organization",
                "account",
            ):
                continue
            foreign = way.kind == "organization" and view.trust.foreign_organization(way.value)
            outside = standing is not None and standing.outside and not view.trust.unsure_of(way.account)
            strangers = way.kind == "everyone" or foreign or outside
            known = way.kind == "organization" and _person_known(way.statement)
            yield _hit(
                view,
                holding,
                way,
                f"{role.arn} can use {holding.on_what} and may be assumed by {_who(way, assumers)}.",
                given((strangers and holding.mask & READ_PLAINTEXT, "wildcard trust or unknown")),
                given((known, "organization-wide trust with MFA")),
                (naming("assumers", assumers),) if assumers else (),
                {"aws:PrincipalArn": _one_role(role, way)},
            )


def _one_role(role: Principal, way: Admission) -> str:
    """The role that should be let in instead of all; whoever knows it has to name it."""
    partition = role.arn.split(":")[1]
    account = way.account if way.kind == "account" and way.account else "ACCOUNT-ID"
    return f"arn:{partition}:iam::{account}:role/NAME-OF-THE-ROLE"


def _person_known(statement: Statement) -> bool:
    """Whether a trust statement demands multi-factor authentication or a source identity."""
    return requires_mfa(statement) or bool(condition_values(statement, "sts:sourceidentity"))


def _who(way: Admission, assumers: list[str]) -> str:
    if assumers:
        return f"{len(assumers)} identities of its account"
    words = {"everyone": "anybody", "organization": f"the whole organization {way.value}"}
    return words.get(way.kind, f"anybody in account {way.account}")


def vendor_role_without_external_id(view: View) -> Iterator[Hit]:
    """A role for a vendor can use a key, and the trust policy asks for no external id.

    A vendor that serves many customers can be tricked by one of them into using another's role; the external id tells
    them apart. Accounts that the trust register marks ``single_tenant`` are silent.

    Fix: ask the vendor for your external id and require it.
    """
    for holding in powerful_roles(view):
        role = holding.principal
        for way in admissions(role):
            account = way.account
            if way.kind not in ("account", "principal") or account is None:
                continue
            entry = view.trust.entry(account)
            foreign = view.trust.standing(account, role.account or "").foreign
            if not holding.mask & POWER or not foreign:
                continue
            if fixed_values(way.statement, "sts:externalid") or (entry and entry.single_tenant):
                continue
            reads = bool(holding.mask & READ_PLAINTEXT) and view.restricted(holding.arns)
            summary = f"{role.arn} can use {holding.on_what} and lets account {account} in without an external id."
            raised = given(
                (reads, "READ_PLAINTEXT on a T1"),
                (entry is None and view.trust.membership_known, "vendor not in the register"),
            )
            yield _hit(view, holding, way, summary, raised, tests={"sts:ExternalId": "VALUE-ISSUED-BY-THE-VENDOR"})


def _looseness(way: Admission) -> str:
    """What the trust of a federated provider leaves open, or an empty text."""
    if way.kind == "saml":
        return "" if condition_values(way.statement, "saml:aud") else "SAML:aud is not checked"
    provider = way.value.split("oidc-provider/", 1)[-1].lower()
    subjects = _demanded(way.statement, f"{provider}:sub")
    if provider in WEB_PROVIDERS:
        audience = condition_values(way.statement, *(f"{provider}:{claim}" for claim in ("aud", "app_id", "oaud")))
        return "" if audience or subjects else "no audience is checked"
    if not subjects:
        return "no subject is checked"
    unowned = [value for value in subjects if _unowned(value)]
    if unowned:
        return f"the subject {listing(unowned)} leaves the owner open"
    loose = [value for value in subjects if has_wildcard(_project(value))]
    return f"the subject {listing(loose)} leaves the {_project_word(loose[0])} open" if loose else ""


def _demanded(statement: Statement, name: str) -> tuple[str, ...]:
    """The values that a claim is asked for; a wildcard that StringEquals takes for a letter is quoted away."""
    found = []
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        like = operator is not None and operator.base == "stringlike"
        for value in condition_values(replace(statement, conditions=(test,)), name):
            found.append(value if like else value.replace("*", "").replace("?", "") or "-")
    return tuple(found)


def _parts(value: str) -> list[str]:
    """The claims of a subject: ``repo:OWNER/NAME:…``, ``system:serviceaccount:NAMESPACE:NAME``, or one bare name; of
    CircleCI ``org/OWNER/project/NAME/…``, of Bitbucket, whose provider has the workspace in its name, ``{NAME}:…``."""
    if value.startswith("system:serviceaccount:"):
        return [*value.split(":")[2:4], ""]
    if value.startswith("org/"):
        pieces = [*value.split("/"), "*", "*"]  # what a short pattern leaves out is open
        return [pieces[1], pieces[3], *pieces[4:]]
    parts = value.split(":")
    if value.startswith("{"):
        return [parts[0], parts[0], *parts[1:]]
    owner, _, name = (parts[1] if len(parts) > 1 else parts[0]).partition("/")
    return [owner, name, *parts[2:]]


def _unowned(value: str) -> bool:
    """Whether a subject fits names of any owner: nothing fixed, or a wildcard in the organization or namespace."""
    return set(value) <= set("*?") or has_wildcard(_parts(value)[0])


def _project(value: str) -> str:
    """The repository, project or service account of a subject; later claims (branch, environment) may be patterns."""
    return _parts(value)[1]


def _project_word(value: str) -> str:
    return "service account" if value.startswith("system:") else "repository"


def _claims(way: Admission) -> dict[str, str]:
    """The claims that the trust should ask for; what only the owner of the pipeline knows is left to be named."""
    if way.kind == "saml":
        return {"SAML:aud": "https://signin.aws.amazon.com/saml"}
    provider = way.value.split("oidc-provider/", 1)[-1]
    if provider.lower() in WEB_PROVIDERS:
        return {f"{provider}:aud": "ID-OF-YOUR-APPLICATION"}
    if provider == "token.actions.githubusercontent.com":
        return {f"{provider}:sub": "repo:OWNER/REPOSITORY:ref:refs/heads/main"}
    return {f"{provider}:sub": "SUBJECT-OF-YOUR-WORKLOAD"}


def federated_role_loose_subject(view: View) -> Iterator[Hit]:
    """A role with key access trusts an identity provider and accepts too many of its subjects.

    An OIDC provider needs a check of ``sub`` that fixes organization and repository; a web identity provider one of the
    audience; SAML one of ``SAML:aud``. On a public provider an unchecked subject lets anybody in.

    Fix: bind the subject to the repository and branch that deploys.
    """
    for holding in powerful_roles(view):
        for way in () if sso_role(holding.principal) else admissions(holding.principal):
            loose = _looseness(way) if way.kind in ("oidc", "saml") else ""
            if not loose:
                continue
            unbound = loose.startswith("no ") or loose.endswith("owner open")
            public = unbound and any(provider in way.value for provider in PUBLIC_PROVIDERS)
            summary = f"{holding.principal.arn} can use {holding.on_what} and trusts {way.value}, but {loose}."
            raised = given((public and way.kind == "oidc", "public identity provider"))
            yield _hit(view, holding, way, summary, raised, tests=_claims(way))

"""Rules about the ways into roles that can use keys: vendors, federations, and roles that too many may assume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.model.actions import POWER, READ_PLAINTEXT, SENSITIVE
from auditor.model.finding import Evidence
from auditor.model.policy import Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.corrections import with_tests_alone
from auditor.rules.deputy.subjects import PUBLIC_PROVIDERS, claims, looseness
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, naming
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


def federated_role_loose_subject(view: View) -> Iterator[Hit]:
    """A role with key access trusts an identity provider and accepts too many of its subjects.

    An OIDC provider needs a check of ``sub`` that fixes organization and repository; a web identity provider one of the
    audience; SAML one of ``SAML:aud``. On a public provider an unchecked subject lets anybody in.

    Fix: bind the subject to the repository and branch that deploys.
    """
    for holding in powerful_roles(view):
        for way in () if sso_role(holding.principal) else admissions(holding.principal):
            loose = looseness(way) if way.kind in ("oidc", "saml") else ""
            if not loose:
                continue
            unbound = loose.startswith("no ") or loose.endswith("owner open")
            public = unbound and any(provider in way.value for provider in PUBLIC_PROVIDERS)
            summary = f"{holding.principal.arn} can use {holding.on_what} and trusts {way.value}, but {loose}."
            raised = given((public and way.kind == "oidc", "public identity provider"))
            yield _hit(view, holding, way, summary, raised, tests=claims(way))

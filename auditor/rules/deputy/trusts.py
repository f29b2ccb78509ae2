"""Rules about the ways into roles that can use keys: vendors, federations, and roles that too many may assume."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.glob import has_wildcard
from auditor.model.actions import DESTROY, FORGE, READ_PLAINTEXT, TAKEOVER
from auditor.model.finding import Evidence
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.fingerprint import meaning
from auditor.rules.hit import Hit, given, listing
from auditor.rules.iam_side import identities_of, may
from auditor.rules.principals import Admission, admissions, condition_values, fixed_values, pinned, requires_mfa
from auditor.rules.privilege.combined import holding_hit
from auditor.rules.privilege.power import Holding, power
from auditor.rules.reach import Openness
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


def powerful_roles(view: View) -> list[Holding]:
    """Roles that hold reading, forging, takeover or destruction on a key today."""

    def make() -> list[Holding]:
        import numpy as np

        own = power(view)
        levels = np.maximum(np.maximum(own.read(), own.takeover()), own.destroy())
        levels = np.where(levels >= int(Openness.MAYBE), levels, np.int8(0))
        found = own.holdings(levels, READ_PLAINTEXT | FORGE | TAKEOVER | DESTROY)
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
    from dataclasses import replace

    return replace(base, kind="role", identity=(*base.identity, meaning(way.statement), way.value))


def _assumers(view: View, role: Principal) -> list[str]:
    memo = view.once("assumers", dict[str, list[str]])
    if role.arn not in memo:
        memo[role.arn] = sorted(
            who.arn
            for who in identities_of(view, role.account or "")
            if who.arn != role.arn and may(view, who, "sts:AssumeRole", role.arn)
        )
    return memo[role.arn]


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
            strangers = way.kind == "everyone" or standing in (Standing.UNKNOWN, Standing.EXPIRED)
            yield _hit(
                view,
                holding,
                way,
                f"{role.arn} can use {holding.on_what} and may be assumed by {_who(way, assumers)}.",
                given((strangers and holding.mask & READ_PLAINTEXT, "wildcard trust or unknown")),
                given((way.kind == "organization" and requires_mfa(way.statement), "organization-wide trust with MFA")),
                (Evidence("assumers", listing(assumers)),) if assumers else (),
            )


def _who(way: Admission, assumers: list[str]) -> str:
    if assumers:
        return f"{len(assumers)} identities of its account"
    words = {"everyone": "anybody", "organization": "the whole organization"}
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
            if not foreign or fixed_values(way.statement, "sts:externalid") or (entry and entry.single_tenant):
                continue
            reads = bool(holding.mask & READ_PLAINTEXT) and view.restricted(holding.arns)
            summary = f"{role.arn} can use {holding.on_what} and lets account {account} in without an external id."
            raised = given(
                (reads, "READ_PLAINTEXT on a T1"),
                (entry is None and view.trust.membership_known, "vendor not in the register"),
            )
            yield _hit(view, holding, way, summary, raised)


def _looseness(way: Admission) -> str:
    """What the trust of a federated provider leaves open, or an empty text."""
    names = {test.key.lower() for test in way.statement.conditions}
    if way.kind == "saml":
        return "" if condition_values(way.statement, "saml:aud") or "saml:aud" in names else "SAML:aud is not checked"
    provider = way.value.split("oidc-provider/", 1)[-1].lower()
    subjects = condition_values(way.statement, f"{provider}:sub")
    if provider in ("cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com"):
        audience = condition_values(way.statement, f"{provider}:aud", f"{provider}:app_id", f"{provider}:oaud")
        return "" if audience or subjects else "no audience is checked"
    if not subjects:
        return "no subject is checked"
    open_values = [value for value in subjects if _open_subject(value)]
    return f"the subject {listing(open_values)} leaves the owner open" if open_values else ""


def _open_subject(value: str) -> bool:
    """Whether organization or repository of a subject stay open; later parts (branch, environment) may be patterns."""
    if set(value) <= set("*"):
        return True
    parts = value.split(":")
    owner = parts[1] if len(parts) > 1 else parts[0]
    return has_wildcard(owner.split("/")[0])


def federated_role_loose_subject(view: View) -> Iterator[Hit]:
    """A role with key access trusts an identity provider and accepts too many of its subjects.

    An OIDC provider needs a check of ``sub`` that fixes organization and repository; a web identity provider one of the
    audience; SAML one of ``SAML:aud``. On a public provider an unchecked subject lets anybody in.

    Fix: bind the subject to the repository and branch that deploys.
    """
    for holding in powerful_roles(view):
        for way in admissions(holding.principal):
            loose = _looseness(way) if way.kind in ("oidc", "saml") else ""
            if not loose:
                continue
            public = any(provider in way.value for provider in PUBLIC_PROVIDERS)
            summary = f"{holding.principal.arn} can use {holding.on_what} and trusts {way.value}, but {loose}."
            yield _hit(view, holding, way, summary, given((public and way.kind == "oidc", "public identity provider")))


def attestation_bypass_path(view: View) -> Iterator[Hit]:
    """A key demands enclave attestation on one path, and another path gives plaintext without it.

    Looks for key policies with a ``kms:RecipientAttestation`` condition, then for every identity that reads or makes
    data keys with no such condition left. Break-glass principals are silent.

    Fix: close the key with a Deny for requests that carry no attestation document.
    """
    from auditor.model.actions import NEW_DATA_KEYS, actions_in

    mask = READ_PLAINTEXT | NEW_DATA_KEYS
    prefix = "kms:recipientattestation:"
    from auditor.rules.conditions import demands

    for key in view.keys:
        attested = [
            located
            for located in view.statements(key)
            if any(test.key.lower().startswith(prefix) for test in located.statement.conditions)
        ]
        if not attested:
            continue
        position = view.reach.key_at[key.arn]
        bypassing: dict[str, Principal] = {}
        for row, who in enumerate(view.reach.principals):
            if who.kind not in (PrincipalKind.USER, PrincipalKind.ROLE) or view.trust.named(
                who, view.settings.break_glass
            ):
                continue
            profile = view.reach.profile(row, position)
            held = view.reach.held(profile, position, Openness.OPEN, Openness.GUARDED) & mask
            if any(
                not demands(
                    view.reach.decision(profile, action.bit).residual,
                    lambda leaf, _: leaf.key.lower().startswith(prefix),
                )
                for action in actions_in(held)
            ):
                bypassing[who.arn] = who
        if bypassing:
            from auditor.rules.principals import reachable_from_outside

            outside = any(reachable_from_outside(who, view.trust) for who in bypassing.values())
            yield Hit(
                subject=key.arn,
                kind="key",
                summary=f"{key.label} demands attestation, but {listing(bypassing)} can read without it.",
                keys=(key.arn,),
                principals=tuple(bypassing),
                evidence=(
                    *(Evidence("attested statement", str(item.ref), item.ref) for item in attested),
                    Evidence("bypassing", listing(bypassing)),
                ),
                raised=given((outside, "external or widely assumable")),
                identity=tuple(bypassing),
            )

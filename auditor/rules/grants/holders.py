"""Who holds a grant: telling service grants, which are normal and many, from grants to identities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.evaluator.grants import operations_mask
from auditor.model.access import Decision, Role
from auditor.model.actions import actions_in
from auditor.model.arn import SERVICE_LINKED_PATH, account_of, is_infrastructure, session_role_name
from auditor.model.finding import Confidence, Evidence
from auditor.model.grant import Grant
from auditor.model.key import Fact, Key
from auditor.model.policy import Layer, Statement
from auditor.model.principal import PrincipalKind
from auditor.rules.hit import Hit, listing
from auditor.rules.trust import Standing
from auditor.rules.view import View


@dataclass(frozen=True, slots=True)
class Held:
    """A grant to an identity (not to a service), with its key."""

    key: Key
    grant: Grant
    grantee: str
    account: str | None
    mask: int


def service_held(grant: Grant) -> bool:
    """Whether an AWS service holds the grant: by field, name, service-linked role or infrastructure session."""
    if grant.service is not None or grant.grantee is None:
        return True
    if SERVICE_LINKED_PATH in grant.grantee or ":role/AWSServiceRole" in grant.grantee:
        return True
    session = session_role_name(grant.grantee)
    return is_infrastructure(grant.grantee) or (session is not None and session[0].startswith("AWSServiceRoleFor"))


def identity_grants(view: View) -> tuple[Held, ...]:
    """All grants to identities on customer managed keys whose grants could be read."""
    return view.once("identity-grants", lambda: tuple(_identity_grants(view)))


def identity_grants_on(view: View, key: Key) -> list[Held]:
    """Those of them that are on one key."""
    found = view.once("identity-grants-by-key", lambda: _by_key(identity_grants(view)))
    return found.get(key.arn, [])


def _by_key(grants: Iterable[Held]) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = {}
    for held in grants:
        found.setdefault(held.key.arn, []).append(held)
    return found


def _identity_grants(view: View) -> Iterator[Held]:
    for key in view.keys_with(Fact.GRANTS):
        for grant in key.grants:
            if grant.grantee is not None and not service_held(grant):
                yield Held(key, grant, grant.grantee, account_of(grant.grantee), operations_mask(grant))


def row_of(view: View, grantee: str) -> int | None:
    """The row of the access table that speaks of a grantee: its own, for a session that of its role."""
    own = view.reach.principal_at.get(grantee)
    session = session_role_name(grantee)
    if own is not None or session is None:
        return own
    roles = view.once("rows-of-roles", lambda: _rows_of_roles(view))
    return roles.get((account_of(grantee) or "", session[0]))


def in_table(view: View, held: Held, row: int, mask: int) -> list[Decision]:
    """The table's decisions of the grantee on the key for the actions of ``mask`` that the key can serve."""
    column = view.reach.key_at[held.key.arn]
    profile = view.reach.profile(row, column)
    return [view.reach.decision(profile, action.bit) for action in actions_in(mask & view.reach.usable[column])]


def _rows_of_roles(view: View) -> dict[tuple[str, str], int]:
    """Account and name → row of the role: the ARN of a session does not tell the path of its role."""
    return {
        (who.account or "", who.name): row
        for row, who in enumerate(view.reach.principals)
        if who.kind is PrincipalKind.ROLE
    }


def constrained(grant: Grant) -> bool:
    """Whether an encryption context or a source is demanded."""
    return bool(grant.context_equals or grant.context_subset or grant.source_arn)


def constraints_in_words(grant: Grant) -> str:
    """The constraints as text."""
    parts = [f"{key}={value} (exactly)" for key, value in grant.context_equals or ()]
    parts += [f"{key}={value} (at least)" for key, value in grant.context_subset or ()]
    return ", ".join(parts + ([f"source {grant.source_arn}"] if grant.source_arn else [])) or "none"


def standing_of(view: View, held: Held) -> Standing:
    """How the grantee's account stands to the key; a grantee without an account is a deleted one of ours."""
    return view.trust.standing(held.account, held.key.account)


def stopped(view: View, held: Held, mask: int) -> str:
    """What stops every operation of the grant that is in ``mask`` today, or an empty text when one of them works."""
    row = row_of(view, held.grantee)
    row = view.reach.principal_at.get(held.account or "") if row is None else row
    decisions = in_table(view, held, row, held.mask & mask) if row is not None else []
    if not decisions or not all(decision.outcome.denied for decision in decisions):
        return ""
    causes = [cause for decision in decisions for cause in decision.causes]
    stops = [str(cause.statement or cause.note) for cause in causes if cause.role in (Role.DENIES, Role.LIMITS)]
    stops += [
        f"{cause.layer} of {cause.owner}: {cause.note}"
        for cause in causes
        if cause.role is Role.MISSING and cause.layer is Layer.SCP
    ]
    return listing(stops)


def grant_hit(
    view: View,
    held: Held,
    summary: str,
    *,
    raised: tuple[str, ...] = (),
    lowered: tuple[str, ...] = (),
    stops: str = "",
    more: tuple[Evidence, ...] = (),
    commands: str = "",
    about_grantee: bool = False,
    from_outside: bool = False,
) -> Hit:
    """A hit about one grant, with everything that a reviewer asks about it.

    ``stops`` is what ``stopped`` says; ``commands`` replace those of the catalogue; ``about_grantee``: the finding is
    about the holder, not about the key; ``from_outside``: it rests on the holder being of another organization.
    """
    grant = held.grant
    evidence = (
        Evidence("grant", grant.grant_id, None, grant.grant_id),
        Evidence("name", grant.name or "none"),
        Evidence("grantee", held.grantee),
        Evidence("operations", listing(grant.operations, 20)),
        Evidence("constraints", constraints_in_words(grant)),
        Evidence("created", grant.created or "unknown"),
        Evidence("issued by account", grant.issuing_account or "unknown"),
        *((Evidence("stopped today by", stops),) if stops else ()),
        *more,
    )
    return Hit(
        subject=held.grantee if about_grantee else held.key.arn,
        kind="principal" if about_grantee else "grant",
        summary=summary,
        account=held.key.account if about_grantee else "",
        region=held.key.region if about_grantee else "",
        keys=(held.key.arn,),
        principals=(held.grantee,),
        evidence=evidence,
        raised=raised,
        lowered=lowered,
        latent=bool(stops),
        confidence=Confidence.POTENTIAL
        if from_outside and view.trust.unsure_of(held.account)
        else Confidence.CONFIRMED,
        identity=(held.key.arn, held.grantee, grant.grant_id) if about_grantee else (held.grantee, grant.grant_id),
        fix=(("GRANT_ID", grant.grant_id), ("OLD_GRANT_ID", grant.grant_id)),
        remedy=commands,
        remedy_kind="cli" if commands else "",
    )


def operation_names(held: Held, mask: int) -> str:
    """The operations of a grant that are in ``mask``, for a summary."""
    return listing((action.name for action in actions_in(held.mask & mask)), 4)


def names_principal(statement: Statement, arn: str) -> bool:
    """Whether a statement's Principal element names exactly this ARN."""
    return any(entry.kind == "AWS" and entry.value == arn for entry in statement.principals or ())

"""Rules about grants that identities hold: delegable, unconstrained, old, duplicate, orphaned."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.grants import operations_mask
from auditor.evaluator.statements import action_mask
from auditor.model.actions import CREATE_GRANT, META, READ_PLAINTEXT, WRAP, key_type
from auditor.model.arn import is_account_id, is_root, is_unique_id, parse_arn, session_role_name
from auditor.model.finding import Evidence
from auditor.model.grant import Grant
from auditor.model.key import Fact, Key
from auditor.model.key_events import KeyCalls
from auditor.model.moments import instant
from auditor.rules.grants.holders import (
    Held,
    constrained,
    grant_hit,
    identity_grants,
    names_principal,
    operation_names,
    service_held,
    standing_of,
    stopped,
)
from auditor.rules.grants.reissuing import constraints_of, reissued
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.identity.names import creators
from auditor.rules.key_use import caller_of, key_use, names_for, used
from auditor.rules.view import View

DUPLICATE_LIMIT = 50
RECENT_DAYS = 30
"""A use so long ago is recent (catalogue, grant-stale)."""
GRANT_QUOTA = 50_000
"""Grants per key (KMS resource quotas)."""


def missing_reason(view: View, held: Held) -> str:
    """Why the grantee does not exist any more, or an empty text; looked up once per grantee."""
    memo = view.once("missing-grantees", dict[str, str])
    if held.grantee not in memo:
        memo[held.grantee] = _missing_reason(view, held)
    return memo[held.grantee]


def _missing_reason(view: View, held: Held) -> str:
    if is_unique_id(held.grantee):
        return "the grantee is the unique id of a deleted principal"
    organization = view.snapshot.organization
    target = organization.target(held.account) if organization and held.account else None
    if target is not None and target.status != "ACTIVE":
        return f"account {held.account} is {target.status.lower()}"
    facts = view.snapshot.account(held.account or "")
    if facts is None or Fact.IDENTITIES in facts.unread or is_root(held.grantee) or ":" not in held.grantee:
        return ""
    names, arns = view.commons.once("known-identities", lambda: _known(view)).get(held.account or "", (set(), set()))
    if not arns:
        return ""
    session = session_role_name(held.grantee)
    if session is not None:
        return "" if session[0] in names else f"role {session[0]} does not exist"
    if not (parsed := parse_arn(held.grantee)) or not parsed.resource.startswith(("role/", "user/")):
        return ""
    return "" if held.grantee in arns else f"{held.grantee} does not exist"


def _known(view: View) -> dict[str, tuple[set[str], set[str]]]:
    """Account → names and ARNs of its collected identities."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for who in view.snapshot.principals:
        names, arns = found.setdefault(who.account or "", (set(), set()))
        names.add(who.name)
        arns.add(who.arn)
    return found


def grant_to_deleted_principal(view: View) -> Iterator[Hit]:
    """A grant is held by a principal that no longer exists, or by a closed account.

    Grants survive their grantee. Recognised by a bare unique id, by an ARN of a collected account that is not in its
    IAM, and by accounts that Organizations reports as suspended. Silent for accounts that were not collected.

    Fix: revoke the grant after checking that no running resource of the old principal depends on it.
    """
    for held in identity_grants(view):
        reason = missing_reason(view, held)
        if not reason:
            continue
        again = bool(held.mask & READ_PLAINTEXT) and _recreatable(view, held)
        raised = given((again, "recreated in the account by a non-administrator"))
        lowered = given((not held.mask & ~(WRAP | META), "WRAP or META only"))
        summary = f"A grant on {held.key.label} is held by {held.grantee}, but {reason}."
        yield grant_hit(view, held, summary, raised=raised, lowered=lowered, more=(Evidence("unresolved", reason),))


def _recreatable(view: View, held: Held) -> bool:
    """Whether somebody who is no account administrator may create an identity of the grantee's name."""
    session = session_role_name(held.grantee)
    parsed = parse_arn(held.grantee)
    if parsed is None or held.account is None:
        return False
    target = f"arn:{parsed.partition}:iam::{held.account}:role/{session[0]}" if session else held.grantee
    return parsed.resource != "root" and bool(creators(view, target, held.account)[0])


def grant_delegable(view: View) -> Iterator[Hit]:
    """A grant contains CreateGrant, so its holder can pass the key on to others.

    Children must keep the constraints of the parent, which bounds the harm when there are any. Service grants are
    silent, and so are those of principals that no longer exist.

    Fix: revoke it and issue it again without CreateGrant.
    """
    for held in identity_grants(view):
        if not held.mask & CREATE_GRANT or missing_reason(view, held):
            continue
        raised = given((standing_of(view, held).foreign, "outside the organization"))
        lowered = given((constrained(held.grant), "constraints present"))
        why = stopped(view, held, CREATE_GRANT)
        summary = f"{held.grantee} {_may(why)} pass its grant on {held.key.label} on to others."
        kept = tuple(name for name in held.grant.operations if name != "CreateGrant")
        commands = reissued(held, kept, constraints_of(held.grant))
        yield grant_hit(
            view, held, summary, raised=raised, lowered=lowered, commands=commands, stops=why, from_outside=True
        )


def _may(stops: str) -> str:
    return "could, were it not denied today," if stops else "may"


def _by_key_policy(view: View, held: Held) -> bool:
    return any(
        located.statement.effect == "Allow"
        and not located.statement.conditions
        and names_principal(located.statement, held.grantee)
        and not held.mask & READ_PLAINTEXT & ~action_mask(located.statement)
        for located in view.statements(held.key)
    )


def grant_unconstrained_plaintext(view: View) -> Iterator[Hit]:
    """A grant lets an identity read plaintext with no encryption context or source demanded.

    An exact context ties the grant to one piece of data. Keys without encryption context (asymmetric, HMAC) only ask
    for a source, and are told as information. Silent for principals that no longer exist.

    Fix: issue it again with EncryptionContextEquals.
    """
    for held in identity_grants(view):
        if not held.mask & READ_PLAINTEXT or constrained(held.grant) or standing_of(view, held).foreign:
            continue
        if missing_reason(view, held):
            continue
        symmetric = key_type(held.key.spec, held.key.usage) == "symmetric_encryption"
        age = view.age(held.grant.created)
        old = age is not None and age > view.settings.grant_max_age
        raised = given((old and view.tier(held.key) == "T1", "older than `grant_max_age`"))
        lowered = given(
            (_by_key_policy(view, held), "same action by key policy"), (not symmetric, "asymmetric or HMAC")
        )
        names = operation_names(held, READ_PLAINTEXT)
        why = stopped(view, held, READ_PLAINTEXT)
        summary = f"{held.grantee} {_may(why)} {names} everything under {held.key.label} by an unconstrained grant."
        wanted = "EncryptionContextEquals={KEY=VALUE}" if symmetric else "SourceArn=ARN-OF-THE-RESOURCE"
        commands = reissued(held, held.grant.operations, wanted)
        yield grant_hit(view, held, summary, raised=raised, lowered=lowered, commands=commands, stops=why)


def standing_grant(view: View, grant: Grant) -> bool:
    """Whether the settings list the grant as one that lives long on purpose, and its review is not overdue."""
    return any(
        entry.grant in (grant.grant_id, grant.name) and (instant(entry.review) or view.as_of) >= view.as_of
        for entry in view.settings.standing_grants
    )


def grant_stale(view: View) -> Iterator[Hit]:
    """A grant to an identity is older than ``grant_max_age`` days.

    Grants are meant for short tasks and never expire by themselves. Standing grants that the settings list with owner
    and review date are silent, and so are service grants, and grants whose holder did with the key what they allow in
    the last 30 days, where events tell that (``--key-events``).

    Fix: retire or revoke it; permanent access belongs in the key policy, where reviewers look.
    """
    for held in identity_grants(view):
        age = view.age(held.grant.created)
        if age is None or age <= view.settings.grant_max_age or standing_grant(view, held.grant):
            continue
        last = _last_use(view, held)
        days = view.age(last.last) if last else None
        if days is not None and days <= RECENT_DAYS:
            continue
        restricted = view.tier(held.key) == "T1" and held.mask & READ_PLAINTEXT
        raised = given((standing_of(view, held).foreign or restricted, "external grantee or T1"))
        lowered = given((not held.mask & ~(WRAP | META), "WRAP or META operations only"))
        summary = f"The grant of {held.grantee} on {held.key.label} is {age} days old."
        yield grant_hit(
            view,
            held,
            summary,
            raised=raised,
            lowered=lowered,
            more=(
                Evidence("age", f"{age} days"),
                Evidence("last use", f"{last.operation} at {last.last}" if last else _not_seen(view, held)),
            ),
        )


def _last_use(view: View, held: Held) -> KeyCalls | None:
    """The last calls by which the holder of a grant did with the key what the grant allows, by the grant or not."""
    names, whole = names_for(view, held.grantee), held.account if _of_account(held.grantee) else None
    found = (
        calls
        for calls in key_use(view).of_key(held.key.arn)
        if used(calls.operation) & held.mask
        and not calls.error
        and (caller_of(calls) in names or (whole is not None and calls.caller_account == whole))
    )
    return max(found, key=lambda calls: (calls.last, calls.operation), default=None)


def _of_account(grantee: str) -> bool:
    return is_root(grantee) or is_account_id(grantee)


def _not_seen(view: View, held: Held) -> str:
    window = key_use(view).window(held.key.account, held.key.region)
    return f"no call in the events from {window.start} to {window.end}" if window else "not known (--key-events)"


def _likeness(grant: Grant) -> tuple[object, ...]:
    return (
        grant.grantee,
        tuple(sorted(grant.operations)),
        grant.context_equals,
        grant.context_subset,
        grant.source_arn,
        grant.retiring,
        grant.issuing_account,
    )


def grant_duplicate(view: View) -> Iterator[Hit]:
    """Several grants on a key are alike, so revoking one of them changes nothing.

    Alike means the same grantee, operations, constraints, retiring principal and issuing account. Service grants are
    silent: services make one per resource.

    Fix: revoke all but one, and set a name in the code that creates them, so that retries do not duplicate.
    """
    for key in view.keys_with(Fact.GRANTS):
        groups: dict[tuple[object, ...], list[Grant]] = {}
        for grant in key.grants:
            if not service_held(grant):
                groups.setdefault(_likeness(grant), []).append(grant)
        for grants in groups.values():
            if len(grants) > 1:
                yield _duplicates(key, sorted(grants, key=lambda grant: grant.grant_id))


def _duplicates(key: Key, grants: list[Grant]) -> Hit:
    first = grants[0]
    spare = [grant.grant_id for grant in grants[1:]]
    commands = "\n".join(f"aws kms revoke-grant --key-id {key.arn} --grant-id {grant}" for grant in spare[:20])
    return Hit(
        subject=key.arn,
        kind="grant",
        summary=f"{count(len(grants), 'equal grant')} on {key.label} for {first.grantee}.",
        keys=(key.arn,),
        principals=(first.grantee or "",),
        evidence=(
            Evidence("grant ids", listing(grant.grant_id for grant in grants)),
            Evidence("operations", listing(first.operations, 20)),
        ),
        raised=given((len(grants) > DUPLICATE_LIMIT or len(key.grants) > 0.8 * GRANT_QUOTA, "more than 50 duplicates")),
        identity=(first.grantee or "", str(operations_mask(first))),
        remedy=commands,
        remedy_kind="cli",
    )

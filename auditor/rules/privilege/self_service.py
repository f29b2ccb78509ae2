"""Rule about access that hangs on a tag of the caller, when callers can tag themselves."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.statements import action_mask
from auditor.model.actions import READ_PLAINTEXT, SENSITIVE
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.hit import Hit, Located, count, given, listing
from auditor.rules.iam_request import tag_locked
from auditor.rules.iam_side import identities_of, may_tag, speakers
from auditor.rules.policy.delegation import delegated_mask
from auditor.rules.policy.places import key_statements
from auditor.rules.principals import admissions, service_linked
from auditor.rules.privilege.attributes import opening
from auditor.rules.privilege.doors import PREFIX, Door, Entry, Means, Tried
from auditor.rules.privilege.steps import ASSUME, admits, step_to, ways_into
from auditor.rules.privilege.wide import resources_reach
from auditor.rules.statements import Document
from auditor.rules.view import View

TAG_SESSION = "sts:TagSession"


def _tags(statement: Statement) -> Iterator[tuple[str, tuple[str, ...]]]:
    for test in statement.conditions:
        if not test.key.lower().startswith(PREFIX):
            continue
        if values := opening(test):
            yield test.key[len(PREFIX) :], values


def _key_doors(view: View) -> Iterator[Door]:
    for placed in key_statements(view):
        statement = placed.located.statement
        if (
            statement.effect == "Allow"
            and placed.key is not None
            and action_mask(statement) & _served(view, placed.key)
        ):
            for tag, values in _tags(statement):
                yield Door(tag, values, placed.located, f"the key policy of {placed.key.label}", (placed.key,))


def _served(view: View, key: Key) -> int:
    """The powerful actions that the key is made for."""
    return SENSITIVE & view.reach.usable[view.reach.key_at[key.arn]]


def _spoken_of(door: Door, who: Principal) -> bool:
    """Whether the key policy statement speaks of the identity, by name or as one of its account."""
    if who.account != door.keys[0].account:
        return False
    return any(
        entry.value in ("*", who.arn, who.iam_arn)
        or (is_account_principal(entry.value) and account_of(entry.value) == who.account)
        for entry in door.statement.principals or ()
    )


def _identity_doors(view: View) -> Iterator[tuple[Door, tuple[Principal, ...]]]:
    keys = view.keys_by_account
    for document, located in view.commons.once("tagged-statements", lambda: _tagged(view.commons.identity_documents)):
        statement = located.statement
        mask = action_mask(statement) & SENSITIVE
        for tag, values in _tags(statement):
            opened = tuple(
                key
                for key in keys.get(document.account, [])
                if resources_reach(statement, key.arn) and delegated_mask(view, key) & mask & _served(view, key)
            )
            if opened:
                yield Door(tag, values, located, document.title, opened), document.holders


def _tagged(documents: tuple[Document, ...]) -> list[tuple[Document, Located]]:
    """The statements of identity policies that give a power to whoever has a tag."""
    return [
        (document, located)
        for document in documents
        if any(map(_gives_power_to_a_tag, document.policy.statements))
        for located in document.statements
        if _gives_power_to_a_tag(located.statement)
    ]


def _gives_power_to_a_tag(statement: Statement) -> bool:
    return (
        statement.effect == "Allow" and any(True for _ in _tags(statement)) and bool(action_mask(statement) & SENSITIVE)
    )


def _doors_of(view: View) -> Iterator[tuple[Door, tuple[Principal, ...]]]:
    """Every door with the identities that it speaks of."""
    for door in _key_doors(view):
        yield door, tuple(who for who in identities_of(view, door.keys[0].account) if _spoken_of(door, who))
    yield from _identity_doors(view)


def _how(view: View, who: Principal, door: Door) -> Means | None:
    """How the identity gets the tag: by tagging itself, or a session of its own; None when it cannot."""
    if service_linked(who):
        return None
    action = "iam:TagUser" if who.kind is PrincipalKind.USER else "iam:TagRole"
    if may_tag(view, who, action, who.arn, door.tag, door.values):
        return Means(f"{action} on itself")
    for way in admissions(who):
        if way.kind in ("account", "principal") and _tags_sessions(way.statement, who, door):
            guest = _guest(view, who, door)
            if guest is not None:
                return Means(f"{TAG_SESSION} by {guest.arn}", (guest.arn,))
    return None


def _through(view: View, role: Principal, door: Door) -> Iterator[tuple[Principal, Means]]:
    """Those who may put the tag on a role and then assume it."""
    if role.kind is not PrincipalKind.ROLE or service_linked(role):
        return
    for who in speakers(view, role.account or "", "iam:TagRole"):
        if who.arn == role.arn or service_linked(who):
            continue
        if not may_tag(view, who, "iam:TagRole", role.arn, door.tag, door.values):
            continue
        step = step_to(view, who, role, ways_into(role), frozenset({ASSUME}))
        if step is not None and step.action == ASSUME:
            yield who, Means(f"iam:TagRole on {role.arn}, which it may assume", (role.arn,))


def _tags_sessions(statement: Statement, role: Principal, door: Door) -> bool:
    """Whether a trust statement lets callers give the session the tag with a value that opens the door."""
    named = any(pattern.lower() in (TAG_SESSION.lower(), "sts:*", "*") for pattern in statement.actions or ())
    return named and not tag_locked(statement, role, door.tag, door.values)


def _guest(view: View, role: Principal, door: Door) -> Principal | None:
    """An ordinary identity that may assume the role with the session tag."""
    ways = [way for way in admissions(role) if _tags_sessions(way.statement, role, door)]
    for who in identities_of(view, role.account or ""):
        if who.arn == role.arn or view.trust.account_admin(who) or not any(admits(view, way, who) for way in ways):
            continue
        if may_tag(view, who, TAG_SESSION, role.arn, door.tag, door.values):
            return who
    return None


def _entries(view: View) -> Iterator[Entry]:
    """Every door with each identity that it speaks of and that can be given the tag."""
    trusted = {tag.lower() for tag in view.settings.trusted_session_tags}
    for door, callers in _doors_of(view):
        if door.tag.lower() in trusted or not door.values:
            continue
        for who in callers:
            own = [(who, how)] if (how := _how(view, who, door)) else []
            if hands := [*own, *_through(view, who, door)]:
                yield door, who, hands


def _opened(view: View) -> Iterator[Entry]:
    """The entries whose tag gives its holder something, account by account: no door leads into another."""
    by_account: dict[str | None, list[Entry]] = {}
    for entry in _entries(view):
        by_account.setdefault(entry[1].account, []).append(entry)
    for entries in by_account.values():
        tried = Tried(view, entries)
        yield from ((door, who, hands) for door, who, hands in entries if tried.opens(door, who))


def abac_principal_tag_self_service(view: View) -> Iterator[Hit]:
    """Access depends on a tag of the principal, and the principal can give itself that tag.

    Looks at ``aws:PrincipalTag`` conditions of key policies and identity policies, and asks who may call iam:TagRole or
    iam:TagUser on itself or on a role that it may assume, or whose trust policy lets callers choose session tags. Tags
    that come from a directory are listed in ``trusted_session_tags``. A tag that gives its holder nothing, as it
    has the power anyway, or as a Deny, guardrail or boundary stops what it would give, is silent. Administrators of an
    account are told once, where nobody else can.

    Fix: deny tagging of the authorization tag to everybody but the identity pipeline.
    """
    found: dict[tuple[str, str], list[tuple[Door, Means]]] = {}
    people: dict[str, Principal] = {}
    for door, _, hands in _opened(view):
        for one, how in hands:
            people[one.arn] = one
            found.setdefault((one.arn, door.tag.lower()), []).append((door, how))
    admins: dict[tuple[str, str], list[str]] = {}
    ordinary = {tag for arn, tag in found if not view.trust.account_admin(people[arn])}
    for (arn, tag), doors in sorted(found.items()):
        if not view.trust.account_admin(people[arn]):
            yield _hit(view, arn, people[arn].account or "", (arn,), doors, (people[arn].unique_id or arn,), ())
        elif tag not in ordinary:
            admins.setdefault((people[arn].account or "", tag), []).append(arn)
    for (account, tag), arns in sorted(admins.items()):
        doors = [door for arn in arns for door in found[arn, tag]]
        yield _hit(view, account, account, tuple(arns), doors, tuple(arns), ("only by account administrators",))


def _hit(
    view: View,
    subject: str,
    account: str,
    who: tuple[str, ...],
    doors: list[tuple[Door, Means]],
    identity: tuple[str, ...],
    lowered: tuple[str, ...],
) -> Hit:
    door, how = doors[0]
    keys = {key.arn: key for one, _ in doors for key in one.keys}
    reads = any(one.mask & READ_PLAINTEXT for one, _ in doors) and view.restricted(keys)
    label = next(iter(keys.values())).label if len(keys) == 1 else count(len(keys), "key")
    name = subject if subject in who else count(len(who), "administrator") + f" of account {account}"
    return Hit(
        subject=subject,
        kind="principal" if subject in who else "account",
        summary=f"{name} can obtain the tag {door.tag} ({how.words}), which {door.place} trusts, and with it {label}.",
        account=account,
        keys=tuple(keys),
        principals=who,
        evidence=(
            Evidence("tag", f"{door.tag}={listing(door.values)}"),
            *(Evidence("trusted by", one.place, one.located.ref) for one, _ in doors[:5]),
            Evidence("how", how.words, names=how.others),
            Evidence("keys", listing(keys)),
        ),
        raised=given((reads and not lowered, "T1 key readable")),
        lowered=lowered,
        identity=(*identity, door.tag.lower()),
        fix=(("key-reader", door.tag),),
    )

"""Rule about access that hangs on a tag of the caller, when callers can tag themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from auditor.evaluator.matrix import build_table
from auditor.evaluator.naming import is_account_principal
from auditor.evaluator.statements import action_mask
from auditor.model.access import Decision
from auditor.model.actions import DESTROY, FORGE, READ_PLAINTEXT, TAKEOVER, actions_in
from auditor.model.arn import account_of
from auditor.model.finding import Evidence
from auditor.model.key import Key
from auditor.model.policy import Statement
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.conditions import mentions
from auditor.rules.hit import Hit, Located, count, given, listing
from auditor.rules.iam_side import identities_of, may_tag, speakers, tag_locked
from auditor.rules.policy.delegation import delegated_mask
from auditor.rules.policy.places import key_statements
from auditor.rules.principals import admissions, service_linked
from auditor.rules.privilege.attributes import opening
from auditor.rules.privilege.naming import fitting
from auditor.rules.privilege.steps import ASSUME, admits, step_to, ways_into
from auditor.rules.privilege.wide import resources_reach
from auditor.rules.statements import Document
from auditor.rules.view import View, keys_by_account

POWER = READ_PLAINTEXT | FORGE | TAKEOVER | DESTROY
PREFIX = "aws:principaltag/"
TAG_SESSION = "sts:TagSession"


@dataclass(frozen=True, slots=True)
class Door:
    """An Allow that asks for a tag of the caller: the tag, where it stands, and the keys that it opens."""

    tag: str
    values: tuple[str, ...]
    located: Located
    place: str
    keys: tuple[Key, ...]

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.located.statement

    @property
    def mask(self) -> int:
        """The powerful actions behind it."""
        return action_mask(self.statement) & POWER


@dataclass(frozen=True, slots=True)
class Means:
    """How a tag is got, in words, and the ARNs of the other identities that it takes."""

    words: str
    others: tuple[str, ...] = ()


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
    return POWER & view.reach.usable[view.reach.key_at[key.arn]]


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
    keys = view.once("keys-by-account", lambda: keys_by_account(view))
    for document, located in view.commons.once("tagged-statements", lambda: _tagged(view.commons.identity_documents)):
        statement = located.statement
        mask = action_mask(statement) & POWER
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
    return statement.effect == "Allow" and any(True for _ in _tags(statement)) and bool(action_mask(statement) & POWER)


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


def _ways_through(view: View) -> Iterator[tuple[Door, list[tuple[Principal, list[tuple[Principal, Means]]]]]]:
    """Every door with those that it would let in with the tag, and who can give each of them the tag, and how."""
    trusted = {tag.lower() for tag in view.settings.trusted_session_tags}
    for door, callers in _doors_of(view):
        if door.tag.lower() in trusted:
            continue
        ways = []
        for who in callers:
            own = [(who, how)] if (how := _how(view, who, door)) else []
            if hands := [*own, *_through(view, who, door)]:
                ways.append((who, hands))
        if ways:
            yield door, ways


def _opens(view: View, door: Door, callers: Sequence[Principal]) -> frozenset[str]:
    """The callers (ARNs) to whom the tag gives, or may give, a power on one of the keys that they have not without."""
    if not door.values:
        return frozenset()
    if "${" in door.values[0]:
        return frozenset(who.arn for who in callers)
    plain = [tuple(one for one in who.tags if one[0].lower() != door.tag.lower()) for who in callers]
    tagged = [tuple(sorted([*tags, (door.tag, fitting(door.values[0]))])) for tags in plain]
    both = [replace(who, tags=tags) for row in (plain, tagged) for who, tags in zip(callers, row, strict=True)]
    table = build_table(tuple(both), door.keys, view.evaluation.surroundings, door.mask)

    def gains(before: int, after: int) -> bool:
        return any(
            not table.decisions[table.profiles[after][action.bit]].outcome.denied
            and not _without(table.decisions[table.profiles[before][action.bit]], door.tag)
            for action in actions_in(door.mask)
        )

    cells, number = table.cells.tolist(), len(callers)
    known = {pair: gains(*pair) for row in range(number) for pair in zip(cells[row], cells[number + row], strict=True)}
    return frozenset(
        who.arn
        for row, who in enumerate(callers)
        if any(known[pair] for pair in zip(cells[row], cells[number + row], strict=True))
    )


def _without(decision: Decision, tag: str) -> bool:
    """Whether something gives the action, or may, that does not ask for the tag, which a session may bring."""
    asked = PREFIX + tag.lower()
    asks = decision.residual is not None and mentions(decision.residual, lambda leaf, _: leaf.key.lower() == asked)
    return not decision.outcome.denied and not asks


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
    for door, ways in _ways_through(view):
        opened = _opens(view, door, [who for who, _ in ways])
        for one, how in (way for who, hands in ways if who.arn in opened for way in hands):
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

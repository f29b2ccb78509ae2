"""Rule about access that hangs on a tag of the caller, when callers can tag themselves."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.actions import READ_PLAINTEXT
from auditor.model.finding import Evidence
from auditor.model.principal import Principal
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.privilege.doors import Change, Door, Entry, Hands, Means, Tried, changes
from auditor.rules.privilege.tag_doors import doors_of
from auditor.rules.privilege.tag_means import hands_of, requested
from auditor.rules.view import View

TRUSTS, SPARES, SHED, OTHERWISE = "trusts", "spares", "without", "otherwise"
"""What opens a door: a tag that it asks for, one that a Deny spares, no tag, and another value of it."""
WORDS = {
    TRUSTS: "{who} can obtain the tag {tag} ({how}), which {place} trusts, and with it {keys}.",
    SPARES: "{who} can obtain the tag {tag} ({how}), which {place} spares, and with it {keys}.",
    SHED: "{who} can do without the tag {tag} ({how}), on which {place} depends, and gets {keys}.",
    OTHERWISE: "{who} can have another value of the tag {tag} ({how}), on which {place} depends, and gets {keys}.",
}
Got = list[tuple[Door, Means]]


def _sort(door: Door, change: Change) -> str:
    if change.asked:
        return TRUSTS
    if change.value is None:
        return SHED
    return SPARES if door.spares else OTHERWISE


def _entries(view: View) -> Iterator[Entry]:
    """Every door with each identity that it speaks of, and the changes of its tag that open it and can be made."""
    trusted = {tag.lower() for tag in view.settings.trusted_session_tags}
    values: dict[tuple[str, str], tuple[str, ...]] = {}
    hands: dict[tuple[str, str, Change], Hands] = {}
    for door, callers in doors_of(view):
        tag = door.tag.lower()
        for who in callers if tag not in trusted else ():
            if (who.arn, tag) not in values:
                values[who.arn, tag] = requested(who, tag)
            for change in changes(door, who, values[who.arn, tag]):
                asked = (who.arn, tag, change)
                if asked not in hands:
                    hands[asked] = hands_of(view, who, door, change)
                if hands[asked]:
                    yield Entry(door, who, change, hands[asked])


def _opened(view: View) -> Iterator[Entry]:
    """The entries whose tag gives its holder something, account by account: no door leads into another. Of each door
    and identity the first alone."""
    by_account: dict[str | None, list[Entry]] = {}
    for entry in _entries(view):
        by_account.setdefault(entry.who.account, []).append(entry)
    for entries in by_account.values():
        tried, told = Tried(view, entries), set[tuple[int, str]]()
        for entry in entries:
            place = (id(entry.door), entry.who.arn)
            if place not in told and tried.opens(entry):
                told.add(place)
                yield entry


def abac_principal_tag_self_service(view: View) -> Iterator[Hit]:
    """Access depends on a tag of the principal, and the principal can give itself that tag, or rid itself of it.

    Looks at ``aws:PrincipalTag`` conditions of key policies, identity policies and boundaries, and of SCPs that deny
    whoever has a tag, and asks who may call iam:TagRole, iam:TagUser or the calls that take tags away on itself or on
    a role that it may assume, or whose trust policy lets callers choose session tags. Tags
    that come from a directory are listed in ``trusted_session_tags``. A tag that gives its holder nothing, as it
    has the power anyway, or as a Deny, guardrail or boundary stops what it would give, is silent. Administrators of an
    account are told once, where nobody else can.

    Fix: deny tagging of the authorization tag to everybody but the identity pipeline.
    """
    found: dict[tuple[str, str, str], Got] = {}
    people: dict[str, Principal] = {}
    for entry in _opened(view):
        for one, how in entry.hands:
            people[one.arn] = one
            what = (one.arn, entry.door.tag.lower(), _sort(entry.door, entry.change))
            found.setdefault(what, []).append((entry.door, how))
    admins: dict[tuple[str, str, str], list[str]] = {}
    ordinary = {(tag, sort) for arn, tag, sort in found if not view.trust.account_admin(people[arn])}
    for (arn, tag, sort), doors in sorted(found.items(), key=lambda item: item[0]):
        if not view.trust.account_admin(people[arn]):
            yield _hit(view, arn, people[arn].account or "", (arn,), doors, (people[arn].unique_id or arn,), sort)
        elif (tag, sort) not in ordinary:
            admins.setdefault((people[arn].account or "", tag, sort), []).append(arn)
    for (account, tag, sort), arns in sorted(admins.items()):
        doors = [door for arn in arns for door in found[arn, tag, sort]]
        yield _hit(view, account, account, tuple(arns), doors, tuple(arns), sort)


def _hit(
    view: View,
    subject: str,
    account: str,
    who: tuple[str, ...],
    doors: Got,
    identity: tuple[str, ...],
    sort: str,
) -> Hit:
    door, how = doors[0]
    keys = {key.arn: key for one, _ in doors for key in one.keys}
    alone = subject in who
    reads = any(one.mask & READ_PLAINTEXT for one, _ in doors) and view.restricted(keys)
    label = next(iter(keys.values())).label if len(keys) == 1 else count(len(keys), "key")
    name = subject if alone else count(len(who), "administrator") + f" of account {account}"
    label_of_place = "trusted by" if sort == TRUSTS else "depends on it"
    return Hit(
        subject=subject,
        kind="principal" if alone else "account",
        summary=WORDS[sort].format(who=name, tag=door.tag, how=how.words, place=door.place, keys=label),
        account=account,
        keys=tuple(keys),
        principals=who,
        evidence=(
            Evidence("tag", f"{door.tag}={door.shown}" if sort in (TRUSTS, SPARES) else door.tag),
            *(Evidence(label_of_place, one.place, one.located.ref) for one, _ in doors[:5]),
            Evidence("how", how.words, names=how.others),
            Evidence("keys", listing(keys)),
        ),
        raised=given((reads and alone, "T1 key readable")),
        lowered=given((not alone, "only by account administrators")),
        identity=(*identity, door.tag.lower(), *given((sort != TRUSTS, sort))),
        fix=(("key-reader", door.tag),),
    )

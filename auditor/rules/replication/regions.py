"""Rules about related multi-Region keys: the same material in several Regions, each with its own policy."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.evaluator.glob import matches
from auditor.model.actions import CROSS_ACCOUNT_EFFECTIVE, META, SENSITIVE_CLASSES
from auditor.model.arn import parse_arn
from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import Fact, Key
from auditor.model.principal import Principal
from auditor.rules.detection.seen import watchers_hidden
from auditor.rules.detection.sinks import covering
from auditor.rules.doubt import also_in_doubt
from auditor.rules.exposure.strangers import held_by_strangers
from auditor.rules.hit import Hit, given, listing, naming
from auditor.rules.principals import service_linked
from auditor.rules.privilege.given import SHOWN, given_by
from auditor.rules.privilege.power import power
from auditor.rules.reach import CERTAIN, LIVE, Openness
from auditor.rules.view import View

YOUNG_DAYS = 30
CROSS_ACCOUNT_USE = CROSS_ACCOUNT_EFFECTIVE & ~META
WORDS = {
    "read": "read with it",
    "forge": "sign with it",
    "takeover": "take it over",
    "destroy": "destroy it",
    "use": "use it from other accounts",
}


def related_keys(view: View) -> dict[str, list[Key]]:
    """Key id of a multi-Region set → its keys, where every one of them was collected and could be read."""
    found: dict[str, list[Key]] = {}
    named: dict[str, set[str]] = {}
    for key in view.keys:
        if key.multi_region:
            name = f"{key.account}/{key.key_id}"
            named.setdefault(name, set()).update((*key.replica_arns, key.primary_arn or key.arn, key.arn))
            if not key.unread & {Fact.KEY_POLICY, Fact.GRANTS}:
                found.setdefault(name, []).append(key)
    return {name: keys for name, keys in sorted(found.items()) if len(keys) == len(named[name]) > 1}


@also_in_doubt
def replica_policy_weaker(view: View) -> Iterator[Hit]:
    """A related multi-Region key is open to principals that its siblings refuse: same material, other policy.

    Compares the evaluated access of the whole set by principal and kind of action. Roles that belong to one Region are
    listed in ``regional_principals``; sets that were not fully collected are silent.

    Fix: decide on one policy and apply it in every Region; key policies and grants are never synchronised.
    """
    for keys in related_keys(view).values():
        differences: dict[str, set[str]] = {}
        names: set[str] = set()
        causes: list[Evidence] = []
        for row, who in enumerate(view.reach.principals):
            if service_linked(who) or view.trust.named(who, view.settings.regional_principals):
                continue
            for word, mask in _classes_for(view, who, keys).items():
                open_on = [key for key in keys if _holds(view, row, key, mask)]
                shut_on = [key for key in keys if _refused(view, row, key, mask)]
                if open_on and shut_on:
                    differences.setdefault(word, set()).update(f"{who.arn} only in {key.region}" for key in open_on)
                    names.add(who.arn)
                    causes += given_by(view, [who.arn], open_on[0], mask) if len(causes) < SHOWN else ()
        if differences:
            yield _weaker_hit(view, keys, differences, names, tuple(dict.fromkeys(causes)))


def _classes_for(view: View, who: Principal, keys: list[Key]) -> dict[str, int]:
    """What counts for a principal: for outside ones, whatever works across accounts and does not only look."""
    outside = who.assume_allowed or _strangers(view, who, keys)
    return {"use": CROSS_ACCOUNT_USE} if outside else SENSITIVE_CLASSES


def _strangers(view: View, who: Principal, keys: list[Key]) -> bool:
    """Whether it is everybody, and strangers are among them on one of the keys."""
    return any(held_by_strangers(view, who, key, CROSS_ACCOUNT_USE) is not Openness.CLOSED for key in keys)


def _holds(view: View, row: int, key: Key, mask: int) -> bool:
    position = view.reach.key_at[key.arn]
    profile = view.reach.profile(row, position)
    return bool(power(view).held(row, profile, position, *CERTAIN) & mask)


def _refused(view: View, row: int, key: Key, mask: int) -> bool:
    """Whether every action of the mask is denied: what is unknown is no difference."""
    position = view.reach.key_at[key.arn]
    profile = view.reach.profile(row, position)
    known = view.reach.mask_at(profile, *LIVE, Openness.BLIND)
    usable = mask & view.reach.usable[position]
    return bool(usable) and not known & usable


def _weaker_hit(
    view: View, keys: list[Key], differences: dict[str, set[str]], names: set[str], causes: tuple[Evidence, ...]
) -> Hit:
    callers = [view.principal_by_arn[name] for name in names]
    outside = any(
        _strangers(view, who, keys)
        or (who.assume_allowed and view.trust.standing(who.account, keys[0].account).foreign)
        for who in callers
    )
    primary = next((key for key in keys if key.multi_region_key_type == "PRIMARY"), keys[0])
    return Hit(
        subject=primary.arn,
        kind="key-set",
        summary=f"The Regions of {primary.label} differ in who may {listing(WORDS[word] for word in differences)}.",
        keys=tuple(key.arn for key in keys),
        principals=tuple(sorted(names)),
        evidence=(*(Evidence(word, listing(who)) for word, who in sorted(differences.items())), *causes),
        raised=given((outside, "public or external")),
        lowered=given((set(differences) == {"destroy"}, "difference in DESTROY only")),
        identity=tuple(sorted(names)),
        fix=(("PRIMARY", primary.region), ("REPLICA", next((k.region for k in keys if k is not primary), ""))),
    )


def replica_in_unapproved_region(view: View) -> Iterator[Hit]:
    """A replica exists in a Region that is not approved, or where nothing logs what happens to it.

    Approved Regions come from the settings; an empty list switches that part off. Replicas in Regions that were not
    collected are told as well, because nobody knows their policy.

    Fix: delete the replica after moving its users, or approve the Region and add logging.
    """
    approved = view.settings.approved_regions
    for key in view.keys_with(Fact.KEY_METADATA):
        if key.multi_region_key_type == "REPLICA":
            reasons = _region_reasons(view, key.account, key.region, approved)
            if reasons:
                yield _replica_hit(view, key.arn, key, reasons)
        elif key.multi_region_key_type == "PRIMARY":
            for arn in key.replica_arns:
                if arn not in view.key_by_arn:
                    yield _replica_hit(view, arn, key, ["its Region was not collected"])


def unwatched(view: View) -> Iterator[SkippedScope]:
    """Replicas of whose Region nobody could look for logs."""
    for key in view.keys_with(Fact.KEY_METADATA):
        if key.multi_region_key_type == "REPLICA" and not _logs_read(view, key.account, key.region):
            yield SkippedScope(key.arn, Fact.TRAILS)


def _logs_read(view: View, account: str, region: str) -> bool:
    """Whether it is known which logs cover a place, those of the whole organization included."""
    evidence = view.snapshot.evidence
    read = evidence.read(Fact.TRAILS, account, region) or evidence.read(Fact.TRAILS, account)
    return read and not watchers_hidden(view, Fact.TRAILS)


def _region_reasons(view: View, account: str, region: str, approved: tuple[str, ...]) -> list[str]:
    found = []
    if approved and not any(matches(pattern, region) for pattern in approved):
        found.append(f"{region} is not an approved Region")
    if _logs_read(view, account, region) and not covering(view, account, region):
        found.append(f"no log covers {region}")
    return found


def _set_of(key: Key, arn: str) -> set[str]:
    return {arn, key.arn, key.primary_arn or key.arn, *key.replica_arns}


def _replica_hit(view: View, arn: str, key: Key, reasons: list[str]) -> Hit:
    age = view.age(key.created)
    recorded = any(change.key in (arn, key.key_id) for change in view.settings.approved_changes)
    young = arn == key.arn and age is not None and age < YOUNG_DAYS and not recorded
    parsed = parse_arn(arn)
    return Hit(
        subject=arn,
        kind="key",
        summary=f"Replica {arn}: {listing(reasons)}.",
        keys=(arn,),
        evidence=(
            Evidence("reason", listing(reasons)),
            naming("primary", [key.primary_arn or key.arn]),
            Evidence("Regions of the set", listing(one.split(":")[3] for one in _set_of(key, arn))),
        ),
        raised=given((young, "younger than 30 days")),
        fix=(("REPLICA", parsed.region if parsed else ""), ("mrk-ID", arn.rsplit("/", 1)[-1])),
    )

"""Rules about change since the baseline, and about reviews that are due."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.access import AccessTable, Decision, Outcome, Role
from auditor.model.actions import ALL, CONTROL, SENSITIVE_CLASSES, actions_in
from auditor.model.finding import Evidence
from auditor.model.inventory import Inventory
from auditor.model.key import Fact, Key
from auditor.model.principal import Principal, PrincipalKind
from auditor.rules.cited import meanings
from auditor.rules.doubt import also_in_doubt
from auditor.rules.exposure.strangers import held_by_strangers
from auditor.rules.hit import Hit, given, listing
from auditor.rules.principals import service_linked
from auditor.rules.privilege.power import power
from auditor.rules.reach import Openness
from auditor.rules.view import View

INVENTORIED = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.ROOT)
ALLOWED = (Outcome.ALLOWED, Outcome.CONDITIONAL)


def held(table: AccessTable, profile: int, outcomes: tuple[Outcome, ...]) -> int:
    """The actions of a profile that have one of the outcomes, as a mask."""
    mask = 0
    for bit, decision in enumerate(table.profiles[profile]):
        if table.decisions[decision].outcome in outcomes:
            mask |= 1 << bit
    return mask


@also_in_doubt
def new_plaintext_access_since_baseline(view: View) -> Iterator[Hit]:
    """A principal gained reading, forging, takeover or destruction on a key since the baseline.

    Compares the evaluated access of both runs, so a removed SCP counts like an added statement. What the baseline could
    not decide, or did not look at, is no news. Access to keys that are new themselves, and changes that the settings
    record as approved, are information.

    Fix: attach the change ticket and take a new baseline, or remove the access.
    """
    before = view.baseline
    if before is None:
        return
    rows = {arn: row for row, arn in enumerate(before.access.principals)}
    columns = {arn: column for column, arn in enumerate(before.access.keys)}
    # What the baseline could not decide may have been there already: only what was denied then is new.
    old = [held(before.access, profile, (*ALLOWED, Outcome.UNKNOWN)) for profile in range(len(before.access.profiles))]
    now = [held(view.reach.table, profile, ALLOWED) for profile in range(len(view.reach.table.profiles))]
    own_power, seen = power(view), Inventory(before.snapshot)
    pairs = view.reach.pairs(ALL, inside=False)
    for row, own in pairs.by_principal():
        who = view.reach.principals[row]
        if service_linked(who):
            continue
        gained: dict[str, int] = {}
        earlier: dict[str, Decision | None] = {}
        for profile, position in zip(own.profiles.tolist(), own.keys.tolist(), strict=True):
            key = view.reach.keys[position]
            then_row, column = rows.get(who.arn), columns.get(key.arn)
            place = int(before.access.cells[then_row, column]) if then_row is not None and column is not None else None
            looked = (then_row is not None or _looked_for(seen, who)) and (
                column is not None or seen.keys_read(key.account, key.region)
            )
            if not looked:
                continue
            then = old[place] if place is not None else 0
            for mask in SENSITIVE_CLASSES.values():
                here = now[profile] & mask & own_power.held(row, profile, position, *Openness)
                if here and not then & mask:
                    gained[key.arn] = gained.get(key.arn, 0) | here
                    first = next(actions_in(here))
                    earlier.setdefault(key.arn, _earlier(before.access, place, first.bit))
        for arn, mask in gained.items():
            yield _gained_hit(view, who, view.key_by_arn[arn], mask, arn not in columns, earlier[arn])


def _looked_for(seen: Inventory, who: Principal) -> bool:
    """Whether the baseline would know the principal, had it been there; others are known by policies that name them."""
    return who.kind not in INVENTORIED or seen.identities_read(who.arn)


def _earlier(table: AccessTable, profile: int | None, bit: int) -> Decision | None:
    """The decision of the baseline; None when it knew the principal or the key not."""
    return table.decisions[table.profiles[profile][bit]] if profile is not None else None


def _before(then: Decision | None) -> str:
    """What the baseline says, and what stopped the principal then."""
    if then is None:
        return "the principal or the key was not there"
    stops = [str(c.statement or c.note) for c in then.causes if c.role in (Role.DENIES, Role.LIMITS, Role.MISSING)]
    return f"denied ({listing(stops)})" if stops else "denied"


def _causes(decision: Decision, then: Decision | None) -> tuple[Evidence, ...]:
    """What gives the access: what is new in it, else all of it, and the denials that are gone."""
    then_cited = {(c.role, c.layer, c.statement, c.grant) for c in then.causes} if then is not None else set()
    allows = [cause for cause in decision.causes if cause.role is Role.ALLOWS]
    new = [cause for cause in allows if (cause.role, cause.layer, cause.statement, cause.grant) not in then_cited]
    given_by = [Evidence("cause", str(c.statement or c.grant or c.note), c.statement, c.grant) for c in new or allows]
    denials = [c for c in then.causes if c.role is Role.DENIES and c.statement is not None] if then is not None else []
    return (*given_by, *(Evidence("cause", f"{cause.statement} no longer denies it") for cause in denials))


def _gained_hit(view: View, who: Principal, key: Key, mask: int, new_key: bool, then: Decision | None) -> Hit:
    first = next(actions_in(mask))
    decision = view.reach.decision(
        view.reach.profile(view.reach.principal_at[who.arn], view.reach.key_at[key.arn]), first.bit
    )
    ticket = next(
        (c.ticket for c in view.settings.approved_changes if c.principal == who.arn and c.key in (key.arn, key.key_id)),
        "",
    )
    outside = who.assume_allowed and view.trust.standing(who.account, key.account).foreign
    strangers = held_by_strangers(view, who, key, mask)
    serious = view.tier(key) == "T1" or outside or strangers is not Openness.CLOSED or bool(mask & CONTROL)
    excused = new_key or bool(ticket)
    return Hit(
        subject=who.arn,
        kind="principal",
        account=key.account,
        region=key.region,
        summary=f"{who.arn} gained {listing((a.name for a in actions_in(mask)), 4)} on {key.label} since the baseline.",
        keys=(key.arn,),
        principals=(who.arn,),
        evidence=(
            Evidence("before", _before(then)),
            Evidence("after", listing((action.name for action in actions_in(mask)), 12)),
            *_causes(decision, then),
            Evidence("approved by", ticket or "nobody on record"),
        ),
        raised=given(
            (serious and not excused, "T1 key, external principal"),
            (strangers is Openness.OPEN and not excused, "OUTSIDER became allowed"),
        ),
        lowered=given((new_key, "key itself is new"), (ticket, "`approved_changes`")),
        identity=(who.unique_id or who.arn, key.arn, *meanings(view, decision.causes, who)),
    )


def _review_days(view: View, key: Key) -> int:
    """The interval of the key's tier; of a key whose tags could not be read, the longest."""
    days = view.settings.review_days
    tiers = ("T1", "T2", "T3", "T4") if Fact.TAGS in key.unread else (view.tier(key),)
    return max(map(days.of, tiers))


def access_review_overdue(view: View) -> Iterator[Hit]:
    """Nobody has reviewed and signed who may use the key within ``review_days`` of its tier.

    Works when ``reviews`` is switched on and the settings record the signed reviews. Keys that are younger than the
    interval are silent; a review that is dated after the run has not taken place.

    Fix: run the review: the owner confirms each principal, removes the rest, and the record is kept.
    """
    for key in view.keys:
        limit = _review_days(view, key)
        created = view.age(key.created)
        ages = [
            age
            for record in view.settings.attestations
            if record.key in (key.arn, key.key_id) and (age := view.age(record.date)) is not None and age >= 0
        ]
        last = min(ages, default=None)
        if last is None and Fact.KEY_METADATA in key.unread:
            continue  # it may be younger than the interval
        if (last is not None and last <= limit) or (last is None and created is not None and created <= limit):
            continue
        waited = last if last is not None else created
        late = waited is not None and waited > 2 * limit
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"Access to {key.label} was "
            + (f"last reviewed {last} days ago." if last is not None else "never reviewed."),
            keys=(key.arn,),
            evidence=(
                Evidence("last review", f"{last} days ago" if last is not None else "none on record"),
                Evidence("interval", f"{limit} days"),
            ),
            raised=given((late and view.tier(key) == "T1", "more than twice")),
        )

"""Rules about what the run could not see or decide. They exist so that silence is never read as assurance."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.access import Outcome
from auditor.model.actions import META, actions_in
from auditor.model.arn import is_account_id
from auditor.model.coverage import OF_THE_ORGANIZATION, THE_ORGANIZATION
from auditor.model.finding import Evidence
from auditor.model.key import Fact, Key
from auditor.model.snapshot import Gap
from auditor.rules.hit import Hit, count, given, listing, naming
from auditor.rules.view import View

READS = {Fact.KEY_METADATA: "DescribeKey", Fact.KEY_POLICY: "GetKeyPolicy", Fact.GRANTS: "ListGrants"}
LAYER_FACTS = (Fact.SCP, Fact.RCP, Fact.ORGANIZATION, Fact.IDENTITIES, Fact.IDENTITY_POLICY, Fact.BOUNDARY)
PLACE_FACTS = (Fact.ACCOUNT, Fact.REGIONS, Fact.KEY_LIST)
INCONCLUSIVE_SHARE = 0.05


def key_policy_unreadable(view: View) -> Iterator[Hit]:
    """The policy, the grants or the metadata of a key could not be read, so what rests on them is unknown.

    Every verdict that rests on the missing fact is *unknown*, not denied. Raised when AWS names a Deny of the key's
    policy as the reason, or when this key alone resists among those of its account, which such a Deny looks like. Keys
    of AWS services are silent, and so are keys that are still being created.

    Fix: give the audit role read access in the key policy, or have the owner run the collection.
    """
    blind = [key for key in view.keys if _refused(key) and key.state != "Creating"]
    for key in blind:
        neighbours = [other for other in view.keys if other.account == key.account]
        alone = len(neighbours) > 1 and not any(other in blind for other in neighbours if other.arn != key.arn)
        refused = sorted(READS[fact] for fact in _refused(key))
        caller = view.snapshot.provenance.caller
        yield Hit(
            subject=key.arn,
            kind="key",
            summary=f"{listing(refused)} failed for {key.label}: {_unknown(key)}.",
            keys=(key.arn,),
            evidence=(
                Evidence("operation", listing(refused)),
                *(Evidence("error", f"{gap.code}: {gap.message}".strip(": ")) for gap in _gaps(view, key)),
                Evidence("caller", caller or "not recorded"),
            ),
            raised=given((alone or _by_deny(view, key), "an explicit Deny names the audit role")),
            identity=tuple(refused),
            fix=((f"arn:aws:iam::{key.account}:role/kms-audit", caller),) if ":role/" in caller else (),
        )


def _refused(key: Key) -> frozenset[Fact]:
    """What could not be read; that a document which was read is no policy, is for ``malformed-statement`` to tell."""
    garbled = not all(attached.policy.readable for attached in key.policies)
    return key.unread & (set(READS) - {Fact.KEY_POLICY} if garbled else set(READS))


def _by_deny(view: View, key: Key) -> bool:
    """Whether AWS refused a read because of a Deny in the key's own policy."""
    return any("explicit deny in a resource-based policy" in gap.message.lower() for gap in _gaps(view, key))


def _unknown(key: Key) -> str:
    """What the missing facts leave open; the policy may well have been read."""
    if Fact.KEY_POLICY in key.unread:
        return "who can use it is unknown"
    if Fact.GRANTS in key.unread:
        return "who can use it through grants is unknown"
    return "its policy and grants were read, but its state, origin and type are unknown"


def _gaps(view: View, key: Key) -> list[Gap]:
    """What says why: the gaps of the key, and those that stand for every key of its account and Region."""
    here = (key.account, key.region)
    return [
        gap
        for gap in view.snapshot.gaps
        if gap.fact in key.unread & set(READS)
        and (gap.subject in (key.arn, key.key_id) or (not gap.subject and (gap.account, gap.region) == here))
    ]


def scope_not_collected(view: View) -> Iterator[Hit]:
    """An account, a Region or a policy layer of the declared scope was not read, so verdicts there are upper bounds.

    A missing account or Region may hold any number of keys; a missing SCP, RCP or identity layer turns allowed into
    unknown. Closed and suspended accounts are silent.

    Fix: give access, or record the exclusion with a reason and an approver.
    """
    places: dict[tuple[str, str, Fact], list[Gap]] = {}
    for gap in view.snapshot.gaps:
        if gap.fact in PLACE_FACTS or (gap.fact in LAYER_FACTS and not _closed(view, gap.account)):
            # Gaps of the organization name the account that asked; it is not the one that they are about.
            account = "" if gap.fact in OF_THE_ORGANIZATION else gap.account
            places.setdefault((account, gap.region, gap.fact), []).append(gap)
    for (account, region, fact), gaps in sorted(places.items()):
        if _closed(view, account):
            continue
        wide = fact in OF_THE_ORGANIZATION and not all(is_account_id(gap.subject) for gap in gaps)
        where = "/".join(part for part in (account, region) if part) or THE_ORGANIZATION
        yield Hit(
            subject=where,
            kind="scope",
            summary=f"The {fact}{_of(fact, where)} could not be read ({count(len(gaps), 'gap')}).",
            account=account,
            region=region,
            evidence=tuple(
                Evidence("error", f"{gap.operation} {gap.subject} {gap.code}: {gap.message}".strip())
                for gap in gaps[:5]
            ),
            raised=given((wide or _held_restricted(view, account, region), "missing part holds T1")),
            identity=(str(fact),),
            advice=gaps[0].remedy,
        )


def _of(fact: Fact, where: str) -> str:
    return "" if fact is Fact.ORGANIZATION and not is_account_id(where) else f" of {where}"


def _closed(view: View, account: str) -> bool:
    organization = view.snapshot.organization
    target = organization.target(account) if organization and account else None
    return target is not None and target.status in ("SUSPENDED", "CLOSED", "PENDING_CLOSURE")


def _held_restricted(view: View, account: str, region: str) -> bool:
    """Whether the missing place held keys of tier T1 in the baseline."""
    keys = view.baseline.snapshot.keys if view.baseline else ()
    return any(view.tier(key) == "T1" for key in keys if key.account == account and region in ("", key.region))


def evaluation_inconclusive(view: View) -> Iterator[Hit]:
    """Some verdicts on a key could not be decided: a fact is missing, or a condition is not understood.

    Reading metadata alone does not count. The reasons are listed, so that a reviewer can decide the cases by hand.

    Fix: extend what the auditor may read, or record a reviewer's decision.
    """
    import numpy as np

    table = view.evaluation.table
    unknown = np.array([decision.outcome is Outcome.UNKNOWN for decision in table.decisions], dtype=bool)
    if not unknown.any():
        return
    rows = np.array(table.profiles, dtype=np.int64)
    bits = [bit for bit in range(rows.shape[1]) if not META >> bit & 1]
    undecided = unknown[rows[:, bits]].any(axis=1)
    for position, key in enumerate(view.reach.keys):
        if not key.customer_managed or _refused(key) & {Fact.KEY_POLICY, Fact.GRANTS}:
            continue  # what nobody could read is told by key-policy-unreadable
        column = np.asarray(undecided)[table.cells[:, position]]
        if not column.any():
            continue
        yield _inconclusive(view, key, np.flatnonzero(column).tolist(), float(np.mean(column)))


def _inconclusive(view: View, key: Key, rows: list[int], share: float) -> Hit:
    position = view.reach.key_at[key.arn]
    reasons: set[str] = set()
    for profile in {view.reach.profile(row, position) for row in rows}:
        for action in actions_in(((1 << len(view.reach.table.profiles[profile])) - 1) & ~META):
            decision = view.reach.decision(profile, action.bit)
            if decision.outcome is Outcome.UNKNOWN:
                reasons |= {cause.note or str(cause.layer) for cause in decision.causes if cause.role == "unread"}
                reasons.add(decision.reason)
    names = [view.reach.principals[row].arn for row in rows]
    return Hit(
        subject=key.arn,
        kind="key",
        summary=f"Access of {count(len(rows), 'principal')} to {key.label} could not be decided.",
        keys=(key.arn,),
        evidence=(Evidence("reasons", listing(reasons)), naming("principals", names)),
        raised=given((view.tier(key) == "T1" or share > INCONCLUSIVE_SHARE, "T1 key or more than 5%")),
        fix=(("PRINCIPAL_ARN", names[0]),),
    )

"""Where logs, alarms and analyzers could be looked for, so that their absence proves something, and findings about
such places."""

from __future__ import annotations

from auditor.model.evidence import Evidence as Facts
from auditor.model.finding import Confidence, Evidence
from auditor.model.key import Fact, Key
from auditor.rules.hit import Hit
from auditor.rules.view import View

Place = tuple[str, str]
"""An account and a Region of it."""


def places(view: View, fact: Fact) -> dict[Place, list[Key]]:
    """Account and Region → customer managed keys, for places where ``fact`` was fully read."""
    found: dict[Place, list[Key]] = {}
    facts: Facts = view.snapshot.evidence
    for key in view.keys:
        if facts.read(fact, key.account, key.region) or facts.read(fact, key.account):
            found.setdefault((key.account, key.region), []).append(key)
    return dict(sorted(found.items()))


def watchers_hidden(view: View, fact: Fact, region: str = "") -> bool:
    """Whether what watches the whole organization may be hidden: the account that manages it could not be entered, or
    ``fact`` not be read there (in ``region``, where only what is in the same Region counts)."""
    organization = view.snapshot.organization
    if organization is None:
        return False
    unread = view.snapshot.evidence.unread
    return any(
        account == organization.management_account
        and (one is Fact.ACCOUNT or (one is fact and (not region or place in ("", region))))
        for one, account, place in unread
    )


def worth(hidden: bool) -> Confidence:
    """What it is worth that nobody watches."""
    return Confidence.POTENTIAL if hidden else Confidence.CONFIRMED


def place_hit(
    place: Place,
    keys: list[Key],
    summary: str,
    evidence: tuple[Evidence, ...],
    *,
    raised: tuple[str, ...] = (),
    lowered: tuple[str, ...] = (),
    fix: tuple[tuple[str, str], ...] = (),
    confidence: Confidence = Confidence.CONFIRMED,
) -> Hit:
    """A finding about an account and Region, and the keys there."""
    account, region = place
    return Hit(
        subject=f"{account}/{region}",
        kind="account-region",
        summary=summary,
        account=account,
        region=region,
        keys=tuple(key.arn for key in keys),
        evidence=evidence,
        raised=raised,
        lowered=lowered,
        fix=fix,
        confidence=confidence,
    )

"""Power: what each principal could do over all keys, whatever the findings say.

Reads the bulk table in whole columns: one number per profile and kind of key, looked up for every pair at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model.actions import CREATE_GRANT, CREATE_KEY, DESTROY, NEW_DATA_KEYS, STORE_BREAKERS, USE, mask_of
from auditor.model.finding import Finding
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.score import CONDITIONAL_WEIGHT, TIER_WEIGHTS, PrincipalPower, posture
from auditor.rules.deputy.trusts import assumed_by_many
from auditor.rules.principals import has_usable_credentials, reachable_from_outside
from auditor.rules.privilege.power import PUT_POLICY, REPLICATE, limited_grants
from auditor.rules.reach import Openness
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FULL = (Openness.OPEN, Openness.MAYBE, Openness.BLIND)
WITH_UNDO = mask_of(["ScheduleKeyDeletion", "DisableKey"])
WITHOUT_UNDO = DESTROY & ~WITH_UNDO & ~STORE_BREAKERS
DIGITS = 9
"""Rounding that keeps the last bits of a sum from depending on its order."""
BLOCK = 512
"""Principals whose cells are looked up at once: an organization's at once would take a gigabyte."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """Keys that count alike: same usable actions and tier, and the account whose key store holds them, if one does."""

    usable: int
    tier: str
    store_account: str


def _weights(view: View, mask: int) -> NDArray[np.float64]:
    """Profile → 1 where an action of ``mask`` is open or unknown, 0.7 where all are behind S2 or stronger, else 0."""
    import numpy as np

    masks, wanted = view.reach.masks, np.uint64(mask)
    full = np.zeros(len(view.reach.table.profiles), dtype=bool)
    for level in FULL:
        full |= (masks[level] & wanted) != 0
    guarded = (masks[Openness.GUARDED] & wanted) != 0
    return np.where(full, 1.0, np.where(guarded, CONDITIONAL_WEIGHT, 0.0))


def _losses(view: View, kind: KeyKind, *, creator: bool, breaker: float) -> NDArray[np.float64]:
    """Profile → log(1 - tier weight x power) for keys of a kind."""
    import numpy as np

    usable = kind.usable
    grants = np.where(limited_grants(view.reach), 0.0, _weights(view, CREATE_GRANT))
    takeover = np.maximum(_weights(view, PUT_POLICY), grants)
    if creator:
        takeover = np.maximum(takeover, _weights(view, REPLICATE & usable))
    without = np.maximum(_weights(view, WITHOUT_UNDO & usable), breaker)
    destroying = np.maximum(3 * without, 2 * _weights(view, WITH_UNDO & usable))
    reading = _weights(view, USE & usable)
    total = 3 * reading + 3 * takeover + destroying + _weights(view, NEW_DATA_KEYS & usable)
    found: NDArray[np.float64] = np.log1p(-TIER_WEIGHTS.get(kind.tier, TIER_WEIGHTS["T2"]) * total / 10)
    return found


def _kinds(view: View) -> dict[KeyKind, list[int]]:
    found: dict[KeyKind, list[int]] = {}
    for position, key in enumerate(view.reach.keys):
        if key.customer_managed:
            store = key.account if key.custom_key_store_id is not None else ""
            found.setdefault(KeyKind(view.reach.usable[position], view.tier(key), store), []).append(position)
    return found


def _reaches(view: View) -> NDArray[np.float64]:
    """Row of the table → reach, 0 to 1."""
    import numpy as np

    reach = view.reach
    total = np.zeros(len(reach.principals), dtype=np.float64)
    level = reach.table.account_level
    creators = _weights(view, CREATE_KEY)[level] > 0
    breakers = _weights(view, STORE_BREAKERS)[level]
    for kind, columns in sorted(_kinds(view).items(), key=lambda item: item[1]):
        owners = np.array([who.account == kind.store_account for who in reach.principals], dtype=bool)
        breaking = np.where(owners, breakers, 0.0)
        for creator in (False, True):
            for breaker in np.unique(breaking).tolist():
                rows = np.flatnonzero((creators == creator) & (breaking == breaker))
                losses = _losses(view, kind, creator=creator, breaker=breaker)
                for part in np.split(rows, range(BLOCK, len(rows), BLOCK)):
                    total[part] += losses[reach.table.cells[np.ix_(part, np.array(columns))]].sum(axis=1)
    found: NDArray[np.float64] = np.asarray(np.round(-np.expm1(total), DIGITS), dtype=np.float64)
    return found


def _posture(view: View, who: Principal) -> float:
    facts, user = who.credentials, who.kind is PrincipalKind.USER
    return posture(
        long_lived=user and has_usable_credentials(who),
        without_mfa=user and facts is not None and facts.password_enabled and not facts.mfa,
        outside=reachable_from_outside(who, view.trust),
        many=assumed_by_many(view, who),
        idle=_idle(view, who),
    )


def _idle(view: View, who: Principal) -> bool:
    """Whether the last recorded use of the identity lies before the observation window; not known is not idle."""
    facts = who.credentials
    moments = [who.last_used]
    if facts is not None:
        moments += [facts.password_last_used, *(key.last_used for key in facts.access_keys)]
    ages = [age for moment in moments if (age := view.age(moment)) is not None]
    return bool(ages) and min(ages) > view.settings.unused_window


def principal_powers(view: View, findings: list[Finding]) -> tuple[PrincipalPower, ...]:
    """One entry per collected user or role that has any power or that a finding names, in the order of the table."""
    named = {arn for finding in findings for arn in finding.principals}
    collected = {who.arn for who in view.snapshot.principals}
    return tuple(
        PrincipalPower(who.arn, reach, _posture(view, who))
        for who, reach in zip(view.reach.principals, _reaches(view).tolist(), strict=True)
        if who.arn in collected and (reach > 0 or who.arn in named)
    )

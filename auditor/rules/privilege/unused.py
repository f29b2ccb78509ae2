"""Power over keys that its holder has not used for the whole observation window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.model.actions import actions_in
from auditor.model.finding import Confidence, Evidence
from auditor.model.principal import LastAccessed
from auditor.rules.hit import Hit, given, listing
from auditor.rules.privilege.combined import holding_hit
from auditor.rules.privilege.disuse import CLASSES, Window, disuse, idle
from auditor.rules.privilege.earlier import Earlier
from auditor.rules.privilege.holding import Holding
from auditor.rules.privilege.power import power
from auditor.rules.reach import Pairs
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOT_COUNTED = (
    "any call to KMS counts, also one that was refused; which key was meant is not recorded, and whether calls of AWS "
    "services on behalf of the principal count is not documented"
)


def unused_key_permission(view: View) -> Iterator[Hit]:
    """A principal may read, forge, take over or destroy with a key, and did nothing of the kind in ``unused_window``.

    Rests on IAM's last-accessed data (``--last-accessed``): no call to KMS at all by the principal in the whole window,
    or none of an action that IAM tracks by itself. Silent where the data proves nothing: access that no identity policy
    gives, Regions that AWS does not record, access through AWS services alone unless the principal was idle altogether,
    principals and keys younger than the window, access that the baseline shows to be newer. Silent for emergency
    principals (settings, or the tag ``purpose``), and for takeover and destruction by listed administrators. Certain
    only for an idle principal whose access a baseline from before the window shows: AWS does not record since when a
    policy gives it, nor document whether calls of services on somebody's behalf count.

    Fix: take the unused actions away, after looking for them in CloudTrail.
    """
    own, earlier = power(view), _earlier(view)
    if not disuse(view).of_principal.any():
        return
    masks = _masks(view, own.pairs, earlier)
    for holding in own.holdings(own.strongest(masks), CLASSES):
        unused = _masks(view, holding.pairs, earlier) & own.held_each(holding.pairs, *holding.levels)
        sample = own.telling(int(holding.pairs.profiles[0]), int(unused[0]), holding.level)
        told = replace(holding, mask=_joined(unused), sample=sample)
        proven = earlier is not None and not (unused & ~earlier.held(holding.pairs)).any()
        yield _hit(view, told, proven)


def _earlier(view: View) -> Earlier | None:
    return Earlier(view, view.baseline, disuse(view).window.start) if view.baseline is not None else None


def _masks(view: View, pairs: Pairs, earlier: Earlier | None) -> NDArray[np.uint64]:
    """Per pair: the unused actions that are not known to be newer than the window."""
    masks = disuse(view).masks(pairs)
    return masks if earlier is None else masks & ~earlier.denied(pairs)


def _joined(masks: NDArray[np.uint64]) -> int:
    import numpy as np

    return int(np.bitwise_or.reduce(masks))


def _hit(view: View, holding: Holding, long_held: bool) -> Hit:
    who, window = holding.principal, disuse(view).window
    at_rest, report = idle(window, who), who.last_accessed or LastAccessed(reported="")
    hit = holding_hit(
        view,
        holding,
        f"{_what_not(who.arn, holding, window, report)} on {holding.on_what}.",
        raised=given((at_rest, "idle for the whole window"), (view.restricted(holding.arns), "T1 key")),
        more=_evidence(window, report, at_rest, long_held),
    )
    certain = at_rest and long_held and hit.confidence is Confidence.CONFIRMED
    return hit if certain else replace(hit, confidence=Confidence.POTENTIAL)


def _what_not(name: str, holding: Holding, window: Window, report: LastAccessed) -> str:
    actions = listing((action.name for action in actions_in(holding.mask)), 4)
    if window.unused(report.kms):
        return f"{name} has not called KMS for {window.days} days and may still use {actions}"
    return f"{name} calls KMS, has not used {actions} for {window.days} days and still may"


def _evidence(window: Window, report: LastAccessed, at_rest: bool, long_held: bool) -> tuple[Evidence, ...]:
    last = f"{report.kms} in {report.region or 'an unknown Region'}" if report.kms else "no call to KMS recorded"
    return (
        Evidence("last use", last),
        Evidence("window", f"{window.days} days before {window.end.date()}"),
        Evidence("log coverage", f"IAM last-accessed report of {report.reported}: {NOT_COUNTED}"),
        Evidence("the identity itself", "idle for the whole window" if at_rest else "not known to be idle"),
        Evidence("held since", "before the window (baseline)" if long_held else "not recorded by AWS"),
    )

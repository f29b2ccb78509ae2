"""Power over keys that its holder has not used for the whole observation window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.model.actions import actions_in
from auditor.model.finding import Confidence, Evidence
from auditor.model.principal import LastAccessed
from auditor.rules.hit import Hit, given, listing
from auditor.rules.key_use import key_use, names_of
from auditor.rules.privilege.combined import holding_hit
from auditor.rules.privilege.disuse import CLASSES, disuse, idle
from auditor.rules.privilege.earlier import Earlier
from auditor.rules.privilege.holding import Holding
from auditor.rules.privilege.power import power
from auditor.rules.privilege.window import Window
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

    Rests on CloudTrail's event history (``--key-events``) where that of the principal's account was read whole for the
    whole window: no call of a class of actions on the key, directly, through a service, or refused. Elsewhere on IAM's
    last-accessed data (``--last-accessed``): no call to KMS at all by the principal in the whole window, or none of an
    action that IAM tracks by itself. Reports prove nothing about access that no identity policy gives, Regions that AWS
    does not record, and access through AWS services alone unless the principal was idle altogether. Silent for
    principals and keys younger than the window, access that the baseline shows to be newer, emergency principals
    (settings, or the tag ``purpose``), and takeover and destruction by listed administrators. Certain only where a
    baseline from before the window shows the access, as AWS does not record since when a policy gives it, and events
    or an idle principal show the disuse: nobody documents whether reports count calls of services.

    Fix: take the unused actions away, after looking for them in the logs of more days.
    """
    own, earlier = power(view), _earlier(view)
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
    who, found = holding.principal, disuse(view)
    by_events = bool(found.events.covers(holding.pairs).all())
    at_rest, report = idle(found.window, who), who.last_accessed or LastAccessed(reported="")
    told = _by_events(view, holding) if by_events else _by_report(report)
    hit = holding_hit(
        view,
        holding,
        f"{who.arn} {_what_not(holding, found.window, report, by_events)} on {holding.on_what}.",
        raised=given((at_rest, "idle for the whole window"), (view.restricted(holding.arns), "T1 key")),
        more=(
            *told,
            Evidence("window", f"{found.window.days} days before {found.window.end.date()}"),
            Evidence("the identity itself", "idle for the whole window" if at_rest else "not known to be idle"),
            Evidence("held since", "before the window (baseline)" if long_held else "not recorded by AWS"),
        ),
    )
    certain = (at_rest or by_events) and long_held and hit.confidence is Confidence.CONFIRMED
    return hit if certain else replace(hit, confidence=Confidence.POTENTIAL)


def _what_not(holding: Holding, window: Window, report: LastAccessed, by_events: bool) -> str:
    actions = listing((action.name for action in actions_in(holding.mask)), 4)
    if by_events:
        return f"has not used {actions} for {window.days} days and still may"
    if window.unused(report.kms):
        return f"has not called KMS for {window.days} days and may still use {actions}"
    return f"calls KMS, has not used {actions} for {window.days} days and still may"


def _by_report(report: LastAccessed) -> tuple[Evidence, ...]:
    last = f"{report.kms} in {report.region or 'an unknown Region'}" if report.kms else "no call to KMS recorded"
    return (
        Evidence("last use", last),
        Evidence("log coverage", f"IAM last-accessed report of {report.reported}: {NOT_COUNTED}"),
    )


def _by_events(view: View, holding: Holding) -> tuple[Evidence, ...]:
    """When any of the keys was last called by the principal, for whatever; and the histories that say so."""
    use, names = key_use(view), names_of(holding.principal)
    own = [calls for arn in holding.arns for calls in use.by(names, arn)]
    last = max(own, key=lambda calls: (calls.last, calls.operation), default=None)
    account = holding.principal.account or ""
    windows = {region: use.window(account, region) for region in sorted({key.region for key in holding.keys})}
    read = (f"{account}/{region} from {item.start} to {item.end}" for region, item in windows.items() if item)
    return (
        Evidence("last use", f"{last.operation} at {last.last}, of another class" if last else "no call in the events"),
        Evidence("log coverage", f"CloudTrail event history, read whole: {listing(read)}"),
    )

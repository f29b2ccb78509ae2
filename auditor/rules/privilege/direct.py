"""Reading with a key directly, where AWS services alone use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.evaluator.vocabulary import via_services
from auditor.model.access import Role
from auditor.model.actions import READ_PLAINTEXT, actions_in, key_type
from auditor.model.arn import place_of
from auditor.model.finding import Evidence, SkippedScope
from auditor.model.key import Fact, Key
from auditor.model.key_events import EventWindow, KeyCalls
from auditor.model.moments import instant
from auditor.model.policy import Layer
from auditor.model.residual import Leaf
from auditor.rules.cited import cited_as_written
from auditor.rules.conditions import asks_for_key, asks_for_values, demands, holds
from auditor.rules.corrections import one_or_many, statements, with_tests, without_actions
from auditor.rules.grants.holders import service_held
from auditor.rules.hit import Hit, count, given, listing
from auditor.rules.key_use import Name, caller_of, key_use, of_data, relatives, rows_by_name
from auditor.rules.privilege.combined import holding_hit, human
from auditor.rules.privilege.disuse import actions_where
from auditor.rules.privilege.holding import Holding
from auditor.rules.privilege.marks import Marks
from auditor.rules.privilege.power import power
from auditor.rules.reach import LIVE, Pairs
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SYMMETRIC = "symmetric_encryption"
CONTEXT = ("kms:encryptioncontext:", "kms:recipientattestation:")
NAMES = "kms:encryptioncontextkeys"
OF_GRANTS = "kms:encryptioncontext"
"""How the constraint of a grant stands in a residual."""
UNNAMED = "an AWS service that the events do not name"


@dataclass(frozen=True, slots=True)
class Serving:
    """A key that AWS services alone use: their calls, how many grants they hold, and when that was looked at."""

    calls: tuple[KeyCalls, ...]
    grants: int
    window: EventWindow


class Unbound:
    """Who may read directly, and with any encryption context, with keys that AWS services alone use."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._own = power(view)
        found = ((column, _serving(view, key)) for column, key in enumerate(self._own.reach.keys))
        self.serving = {column: serving for column, serving in found if serving is not None}

    def masks(self, pairs: Pairs) -> NDArray[np.uint64]:
        """Per pair: the reading actions that neither a service nor a context binds, of those that never used the key
        directly."""
        import numpy as np

        wanted = self._serves[pairs.keys] & (self._direct.at(pairs.principals, pairs.keys) == 0)
        held = self._own.held_each(pairs, *LIVE) & np.uint64(READ_PLAINTEXT)
        found: NDArray[np.uint64] = np.where(wanted, held & ~self._bound[pairs.profiles], np.uint64(0))
        return found

    @cached_property
    def _serves(self) -> NDArray[np.bool_]:
        import numpy as np

        return np.array([column in self.serving for column in range(len(self._own.reach.keys))], dtype=bool)

    @cached_property
    def _bound(self) -> NDArray[np.uint64]:
        return actions_where(self._own.reach, lambda decision: demands(decision.residual, _binds))

    @cached_property
    def _direct(self) -> Marks:
        """A mark on the pairs whose principal used the key directly, or tried to."""
        reach, use, rows = self._own.reach, key_use(self._view), rows_by_name(self._view)
        anywhere = {region: set(_directly(use.unplaced(region))) for region in {key.region for key in reach.keys}}
        found = set()
        for column in self.serving:
            key = reach.keys[column]
            for name in {*_directly(use.of_key(key.arn)), *anywhere[key.region]}:
                found |= {(row, column) for row in rows.get(name, ())}
        return Marks(len(reach.keys), dict.fromkeys(found, 1))


def _directly(calls: Iterable[KeyCalls]) -> Iterator[Name | None]:
    """Who used a key on data without a service in between, or tried to."""
    return (caller_of(item) for item in calls if of_data(item) and not item.service)


def unbound(view: View) -> Unbound:
    """The same, found once."""
    return view.once("unbound", lambda: Unbound(view))


def direct_plaintext_without_context(view: View) -> Iterator[Hit]:
    """A principal may read with a key directly, whatever the encryption context, and AWS services alone use the key.

    Rests on CloudTrail's event history (``--key-events``), where it was read whole: no call on the key's data that did
    not come through an AWS service, by whomever, also with other keys of a multi-Region set; and such calls, or grants
    of services. Silent where one of the principal's own direct calls failed, for keys without encryption context, and
    where every way to read demands a service (``kms:ViaService``), an encryption context or an attested enclave.

    Fix: give the reading actions with ``kms:ViaService``, or the encryption context that the service sends.
    """
    own, open_keys = power(view), unbound(view)
    if not open_keys.serving:
        return
    for holding in own.holdings(own.strongest(open_keys.masks(own.pairs)), READ_PLAINTEXT):
        masks = open_keys.masks(holding.pairs) & own.held_each(holding.pairs, *holding.levels)
        sample = own.telling(int(holding.pairs.profiles[0]), int(masks[0]), holding.level)
        mask = 0
        for one in masks.tolist():
            mask |= one
        yield _hit(view, replace(holding, mask=mask, sample=sample))


def unseen_use(view: View) -> Iterator[SkippedScope]:
    """Places whose history nobody asked for, and keys with a relative in one that was not read; Gaps tell the rest."""
    asked = {(account, region) for fact, account, region in view.snapshot.evidence.asked if fact is Fact.KEY_EVENTS}
    for key in filter(_symmetric, view.keys):
        if (key.account, key.region) not in asked:
            yield SkippedScope(f"{key.account}/{key.region}", Fact.KEY_EVENTS)
        elif key_use(view).window(key.account, key.region) is not None and _window(view, key) is None:
            yield SkippedScope(key.arn, Fact.KEY_EVENTS)


def _serving(view: View, key: Key) -> Serving | None:
    """How services use a key; None where somebody else does, where none does, or where that is not known."""
    window = _window(view, key) if key.customer_managed and _symmetric(key) else None
    if window is None:
        return None
    use = key_use(view)
    calls = [item for arn in relatives(key) for item in use.told_to_owner(arn) if of_data(item) and not item.error]
    if not all(item.service for item in calls):
        return None
    grants = 0 if Fact.GRANTS in key.unread else sum(map(service_held, key.grants))
    return Serving(tuple(calls), grants, window) if calls or grants else None


def _symmetric(key: Key) -> bool:
    return key_type(key.spec, key.usage) == SYMMETRIC and Fact.KEY_METADATA not in key.unread


def _window(view: View, key: Key) -> EventWindow | None:
    """The shortest window in which everything about the key and its relatives is known."""
    found = [key_use(view).window(*place_of(arn)) for arn in relatives(key)]
    known = [window for window in found if window is not None]
    return max(known, key=lambda window: window.start) if len(known) == len(found) else None


def _binds(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only calls through a service, with an encryption context, or of an attested enclave."""
    name = leaf.key.lower()
    if name == OF_GRANTS:
        return not negated
    if name.startswith(CONTEXT) or name == NAMES:
        return asks_for_key(leaf, negated)
    if name == "aws:viaawsservice":
        return holds(leaf, negated, "true")
    return name in ("kms:viaservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast") and (
        asks_for_values(leaf, negated) or asks_for_key(leaf, negated)
    )


def _hit(view: View, holding: Holding) -> Hit:
    found = [unbound(view).serving[column] for column in holding.pairs.keys.tolist()]
    services = sorted({calls.service for serving in found for calls in serving.calls})
    start = max(serving.window.start for serving in found)
    days = _days(start, min(serving.window.end for serving in found))
    who, them = holding.principal.arn, holding.them
    seen = f"used {them} in {days}" if services else f"hold grants on {them}, and nobody used {them} in {days}"
    remedy = _through(view, holding, services)
    hit = holding_hit(
        view,
        holding,
        f"{who} may read with {holding.on_what} directly and in any encryption context; only AWS services {seen}.",
        raised=given((human(holding.principal) and view.restricted(holding.arns), "human principal on a T1 key")),
        more=_evidence(found, services, days),
        remedy=remedy,
    )
    advice = f"Take reading out of the statement, and give it with {holding.on_what} through services alone."
    return replace(hit, advice=advice) if remedy else hit


def _evidence(found: list[Serving], services: list[str], days: str) -> tuple[Evidence, ...]:
    total = sum(calls.count for serving in found for calls in serving.calls)
    names = {name for serving in found for calls in serving.calls for name in calls.context}
    return (
        Evidence("observed services", listing(map(_spelt, services)) or "none called"),
        Evidence("observed calls", f"{count(total, 'call')} through services, none directly, in {days}"),
        Evidence("names in encryption contexts", listing(names) or "none seen"),
        Evidence("grants of services", str(sum(serving.grants for serving in found))),
    )


def _spelt(service: str) -> str:
    return UNNAMED if service == "AWS Internal" else service


def _days(start: str, end: str) -> str:
    """The window in words."""
    first, last = instant(start), instant(end)
    length = (last - first).days if first and last else 0
    return f"{count(length, 'day')} up to {end}"


def _through(view: View, holding: Holding, services: Iterable[str]) -> str:
    """The statement that gives the access, for reading alone and through the services that do; empty where the events
    do not name them all."""
    named = {service.split(".", 1)[0] for service in services}
    regions = {key.region for key in holding.keys}
    if not named or not named <= via_services():
        return ""
    through = one_or_many(f"{name}.{region}.amazonaws.com" for name in named for region in regions)
    reading = sorted(action.name for action in actions_in(holding.mask))
    for cause in reversed(holding.sample.causes):
        if cause.role is Role.ALLOWS and cause.statement is not None:
            written = without_actions(
                cited_as_written(view, cause.statement, holding.principal.arn, holding.keys[0]), (), reading
            )
            if cause.layer is Layer.IDENTITY:  # which may speak of keys that are used directly, too
                written = {**written, "Resource": one_or_many(holding.arns)}
                written.pop("NotResource", None)
            if "Effect" in written:
                return statements(with_tests(written, "StringEquals", {"kms:ViaService": through}))
    return ""

"""What CloudTrail's events tell of a key on its way out: who used it last, who still tries to, and who took it away.

All of it is told by events that are there; that there are none proves nothing here, however much was read.
"""

from __future__ import annotations

from datetime import datetime

from auditor.model.finding import Evidence
from auditor.model.key import Key, LastUsage
from auditor.model.key_events import KeyCalls
from auditor.model.moments import before, instant
from auditor.rules.hit import count, listing
from auditor.rules.key_use import key_use, of_data, principal_of
from auditor.rules.view import View

BLOCKED = frozenset({"Disabled", "KMSInvalidState", "KeyUnavailable", "CustomKeyStoreInvalidState"})
"""Why calls fail for the state of a key and for nothing else (KMS API reference); AWS adds ``Exception`` to each."""
STILL_TRYING = 30
JUST_NOW = 1
"""Days."""


def last_use(view: View, key: Key) -> LastUsage | None:
    """When the key was last used on data, as KMS itself says or the events, whichever is later."""
    found = [] if key.last_usage is None or key.last_usage.last_used is None else [key.last_usage]
    calls = [calls for calls in key_use(view).of_key(key.arn) if of_data(calls) and not calls.error]
    found += [LastUsage(item.last, item.operation) for item in calls]
    return max(found, key=lambda item: (item.last_used or "", item.operation or ""), default=None)


def failed_calls(view: View, key: Key) -> list[Evidence]:
    """The calls that failed for the state of the key: in the last 30 days, or since its deletion was scheduled."""
    since = _scheduled(key) or before(view.as_of, STILL_TRYING)
    found = [
        calls
        for calls in key_use(view).of_key(key.arn)
        if of_data(calls) and calls.error.removesuffix("Exception") in BLOCKED and _from(calls, since)
    ]
    if not found:
        return []
    # A call that two accounts were told of counts once.
    found = [calls for calls in found if calls.account == key.account] or found
    callers = listing({calls.caller for calls in found}, 4)
    number, last = sum(calls.count for calls in found), max(calls.last for calls in found)
    return [Evidence("failed calls", f"{count(number, 'call')} by {callers}, the last at {last}")]


def done_by(view: View, key: Key, operation: str) -> KeyCalls | None:
    """The last calls that did something to the key, and by whom."""
    calls = (calls for calls in key_use(view).of_key(key.arn) if calls.operation == operation and not calls.error)
    return max(calls, key=lambda item: (item.last, item.caller), default=None)


def disabled_by_stranger(view: View, key: Key) -> bool:
    """Whether somebody who is known, and no administrator of keys, disabled the key within 24 hours."""
    found = done_by(view, key, "DisableKey")
    who = principal_of(view, found) if found and _from(found, before(view.as_of, JUST_NOW)) else None
    return who is not None and not view.trust.key_admin(who) and not view.trust.key_destroyer(who)


def told(label: str, calls: KeyCalls | None, otherwise: str) -> Evidence:
    """Evidence of who did it and when."""
    return Evidence(label, f"{calls.caller} at {calls.last}" if calls else otherwise)


def _scheduled(key: Key) -> datetime | None:
    """When the deletion of a key was scheduled; None for one that is not, or of which that is not known."""
    end = instant(key.deletion_date) if key.state.startswith("Pending") else None
    return before(end, key.pending_window_days or 30) if end else None


def _from(calls: KeyCalls, since: datetime) -> bool:
    moment = instant(calls.last)
    return moment is not None and moment >= since

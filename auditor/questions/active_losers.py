"""Who of those that lose access has been active lately, as far as last-used facts exist.

AWS says when an identity was last active at all, when it last called KMS (where IAM's reports were collected) and when
a key was last used, not which identity used which key. Nobody is left out for not having called KMS: what AWS services
call on somebody's behalf need not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.key import Key
from auditor.model.moments import instant
from auditor.model.principal import Principal
from auditor.model.snapshot import Snapshot
from auditor.questions.change_kinds import Change
from auditor.questions.differences import AccessChange

LATELY = 90
"""Days."""


@dataclass(frozen=True, slots=True, order=True)
class ActiveLoser:
    """One principal that loses access. ``last_active`` is an ISO 8601 time, ``days`` before the time of the question
    (0 where it is later, as on the day that was asked for).

    ``keys`` are those that it loses access to; ``used`` tells, where it is known, when each was last used and how.
    ``kms_known``: whether IAM's report tells of its calls to KMS, of which ``kms`` is the last one, empty for none.
    """

    days: int
    principal: str
    last_active: str
    keys: tuple[str, ...]
    used: tuple[tuple[str, str], ...] = ()
    kms_known: bool = False
    kms: str = ""


def active_losers(before: Snapshot, changes: Iterable[AccessChange], as_of: str) -> tuple[ActiveLoser, ...]:
    """The losers that were active within ``LATELY`` days, the latest first; ``before`` has the last-used facts."""
    lost: dict[str, set[str]] = {}
    for change in changes:
        if change.change is Change.LOST:
            lost.setdefault(change.principal, set()).add(change.key)
    keys = {key.arn: key for key in before.keys}
    moment, found = instant(as_of), []
    for principal in before.principals:
        active = _last_active(principal) if principal.arn in lost else None
        last = instant(active)
        if active is None or moment is None or last is None or (days := max(0, (moment - last).days)) > LATELY:
            continue
        arns = tuple(sorted(lost[principal.arn]))
        used = tuple((arn, words) for arn in arns if arn in keys and (words := _use(keys[arn])))
        report = principal.last_accessed
        calls = (report.listed, report.kms or "") if report is not None else (False, "")
        found.append(ActiveLoser(days, principal.arn, active, arns, used, *calls))
    return tuple(sorted(found))


def _last_active(principal: Principal) -> str | None:
    credentials, report = principal.credentials, principal.last_accessed
    times = [principal.last_used, *([report.latest] if report else [])]
    if credentials is not None:
        times += [credentials.password_last_used, *(key.last_used for key in credentials.access_keys)]
    dated = [(moment, time) for time in times if time and (moment := instant(time))]
    return max(dated, default=(None, None))[1]


def _use(key: Key) -> str:
    usage = key.last_usage
    if usage is None or not usage.last_used:
        return ""
    return f"{usage.last_used} ({usage.operation})" if usage.operation else usage.last_used

"""What IAM's last-accessed data proves about permissions that nobody used, and where it proves nothing.

A report tells of a principal's calls to KMS where identity policies allow something there, in the Regions that AWS
lists and for at least 400 days; refused calls count too. It tells neither which key was meant nor, unless a principal
was idle altogether, of calls that AWS services made on its behalf: AWS does not document whether these count.
Source: IAM user guide, "Refine permissions using last accessed information" (things to know; where AWS tracks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from auditor.model.access import Decision, Role
from auditor.model.actions import DESTROY, FORGE, READ_PLAINTEXT, STORE_BREAKERS, TAKEOVER, find_action
from auditor.model.finding import SkippedScope
from auditor.model.key import Fact, Key
from auditor.model.moments import instant
from auditor.model.policy import Layer
from auditor.model.principal import LastAccessed, Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.conditions import demands, for_services
from auditor.rules.privilege.holding import LIVE
from auditor.rules.privilege.power import power
from auditor.rules.reach import Pairs, Reach
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT_DAYS = 400
"""How long AWS keeps the data at least: silence about longer windows proves nothing."""
FRESH = timedelta(days=1)
"""A report this much older than the time of the run still tells of the window's end."""
CLASSES = (READ_PLAINTEXT | FORGE | TAKEOVER | DESTROY) & ~STORE_BREAKERS
"""What is worth telling; power over key stores is power over no single key."""
RARE = TAKEOVER | DESTROY
"""What administrators hold and hardly ever use."""
EMERGENCY = ("dr", "break-glass")
SERVICE_KEYS = ("kms:viaservice", "aws:viaawsservice", "kms:grantisforawsresource")
TRACKED_SINCE = {
    "us-east-1": "2015-10-01",
    "us-east-2": "2017-10-27",
    "us-west-1": "2015-10-01",
    "us-west-2": "2015-10-01",
    "af-south-1": "2020-04-22",
    "ap-east-1": "2019-04-24",
    "ap-south-1": "2016-06-27",
    "ap-south-2": "2022-11-22",
    "ap-northeast-1": "2015-10-01",
    "ap-northeast-2": "2016-01-06",
    "ap-northeast-3": "2018-02-11",
    "ap-southeast-1": "2015-10-01",
    "ap-southeast-2": "2015-10-01",
    "ap-southeast-3": "2021-12-13",
    "ap-southeast-4": "2023-01-23",
    "ca-central-1": "2017-10-28",
    "eu-central-1": "2015-10-01",
    "eu-central-2": "2022-11-08",
    "eu-west-1": "2015-10-01",
    "eu-west-2": "2017-10-28",
    "eu-west-3": "2017-12-18",
    "eu-south-1": "2020-04-28",
    "eu-south-2": "2022-11-15",
    "eu-north-1": "2018-12-12",
    "il-central-1": "2023-08-01",
    "me-south-1": "2019-07-29",
    "me-central-1": "2022-08-30",
    "sa-east-1": "2015-12-11",
    "us-gov-east-1": "2023-07-01",
    "us-gov-west-1": "2023-07-01",
}
"""Regions in which AWS records last access, and since when; no other Region does (as of October 2026)."""


class Window:
    """The days before the run in which a use would count."""

    def __init__(self, view: View) -> None:
        self.days = view.settings.unused_window
        self.end = view.as_of
        self.start = view.as_of - timedelta(days=self.days)

    def before(self, time: str | None) -> bool:
        """Whether a time lies before the window."""
        moment = instant(time)
        return moment is not None and moment < self.start

    def unused(self, last: str | None) -> bool:
        """Whether a last use, None for none in the time that AWS keeps, shows that there was none in the window."""
        return self.before(last) if last is not None else self.days <= KEPT_DAYS

    def covered_by(self, report: LastAccessed | None) -> bool:
        """Whether a report tells of KMS, and up to the end of the window."""
        made = instant(report.reported) if report is not None and report.listed else None
        return made is not None and self.end - made <= FRESH

    def tracked(self, key: Key) -> bool:
        """Whether calls that use a key are recorded for the whole window, in which it was there all the time."""
        since = TRACKED_SINCE.get(key.region)
        return since is not None and self.before(since) and self.before(key.created)


class Disuse:
    """Per principal, key and profile: what is proven to be unused, as masks of actions."""

    def __init__(self, view: View) -> None:
        import numpy as np

        own, window = power(view), Window(view)
        self._own = own
        self.window = window
        callers = own.reach.principals
        masks = (_unused(view, window, who) for who in callers)
        self.of_principal = np.fromiter(masks, dtype=np.uint64, count=len(callers))
        self._idle = np.array([idle(window, who) for who in callers], dtype=bool)
        self._by_identity = actions_where(own.reach, _by_identity)
        self._for_services = actions_where(own.reach, lambda one: demands(one.residual, _through_services))
        self._tracked = np.array([window.tracked(key) for key in own.reach.keys], dtype=bool)

    def masks(self, pairs: Pairs) -> NDArray[np.uint64]:
        """Per pair: the actions that it holds today and that were not used in the whole window."""
        import numpy as np

        held = self._own.held_each(pairs, *LIVE) & np.uint64(CLASSES)
        proven = self.of_principal[pairs.principals] & self._by_identity[pairs.profiles]
        sure = np.where(self._idle[pairs.principals], proven, proven & ~self._for_services[pairs.profiles])
        found: NDArray[np.uint64] = np.where(self._tracked[pairs.keys], held & sure, np.uint64(0))
        return found


def disuse(view: View) -> Disuse:
    """What is unused in a view, found once."""
    return view.once("disuse", lambda: Disuse(view))


def idle(window: Window, who: Principal) -> bool:
    """Whether the identity itself was there, and made no call at all, in the whole window."""
    report = who.last_accessed
    if report is None or not window.unused(report.latest) or not window.before(who.created):
        return False
    if who.kind is PrincipalKind.ROLE:
        return window.unused(who.last_used)
    facts = who.credentials
    if facts is None:
        return False
    used = (facts.password_last_used, *(key.last_used for key in facts.access_keys))
    return all(time is None or window.before(time) for time in used)


def blind_spots(view: View) -> Iterator[SkippedScope]:
    """Holders of power over keys of whose use no report tells, and keys where AWS records nothing."""
    import numpy as np

    if not view.decided:
        return
    own, found = power(view), disuse(view)
    held = own.held_each(own.pairs, *LIVE) & np.uint64(CLASSES)
    pairs = own.pairs.select(held != 0)
    for row in np.unique(pairs.principals).tolist():
        who = own.reach.principals[row]
        if who.kind in (PrincipalKind.USER, PrincipalKind.ROLE) and not found.window.covered_by(who.last_accessed):
            yield SkippedScope(who.arn, Fact.LAST_ACCESSED)
    for column in np.unique(pairs.keys).tolist():
        if own.reach.keys[column].region not in TRACKED_SINCE:
            yield SkippedScope(own.reach.keys[column].arn, Fact.LAST_ACCESSED)


def _unused(view: View, window: Window, who: Principal) -> int:
    """The actions that a principal used on no key in the whole window; none where that is not known."""
    report = who.last_accessed
    if report is None or not window.covered_by(report) or not window.before(who.created) or _emergency(view, who):
        return 0
    if window.unused(report.kms):
        found = CLASSES
    else:
        known = (find_action(f"kms:{name}") for name, last in report.actions if window.unused(last))
        found = sum({1 << action.bit for action in known if action is not None}) & CLASSES
    named = view.trust.key_admin(who) or view.trust.key_destroyer(who)
    return found & ~RARE if named else found


def _emergency(view: View, who: Principal) -> bool:
    """Whether the principal is meant for emergencies, by the settings or by its tag."""
    purpose = next((value.lower() for name, value in who.tags if name.lower() == "purpose"), "")
    return purpose in EMERGENCY or view.trust.named(who, view.settings.break_glass)


def actions_where(reach: Reach, test: Callable[[Decision], bool]) -> NDArray[np.uint64]:
    """Profile → the mask of the actions whose decision passes a test; every decision is asked once."""
    import numpy as np

    passed = np.array([test(decision) for decision in reach.table.decisions], dtype=bool)
    bits = np.left_shift(np.uint64(1), np.arange(reach.rows.shape[1], dtype=np.uint64))
    found: NDArray[np.uint64] = np.bitwise_or.reduce(np.where(passed[reach.rows], bits, np.uint64(0)), axis=1)
    return found


def _by_identity(decision: Decision) -> bool:
    """Whether an identity policy allows it: of access by key policies and grants alone, reports need not tell."""
    return any(cause.role is Role.ALLOWS and cause.layer is Layer.IDENTITY for cause in decision.causes)


def _through_services(leaf: Leaf, negated: bool) -> bool:
    """Whether a test leaves only what AWS services ask for on behalf of the principal."""
    return leaf.key.lower() in SERVICE_KEYS and for_services(leaf, negated)

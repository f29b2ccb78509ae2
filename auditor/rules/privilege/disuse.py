"""What IAM's last-accessed data, and events, prove about permissions that nobody used, and where they prove nothing.

A report tells of a principal's calls to KMS where identity policies allow something there, in the Regions that AWS
lists and for at least 400 days; refused calls count too. It tells neither which key was meant nor, unless a principal
was idle altogether, of calls that AWS services made on its behalf: AWS does not document whether these count.
Source: IAM user guide, "Refine permissions using last accessed information" (things to know; where AWS tracks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from auditor.model.access import Decision, Role
from auditor.model.actions import CONTROL, SENSITIVE, STORE_BREAKERS, find_action
from auditor.model.finding import SkippedScope
from auditor.model.key import Fact
from auditor.model.policy import Layer
from auditor.model.principal import LastAccessed, Principal, PrincipalKind
from auditor.model.residual import Leaf
from auditor.rules.conditions import demands, for_services
from auditor.rules.privilege.eventless import Eventless
from auditor.rules.privilege.power import power
from auditor.rules.privilege.window import TRACKED_SINCE, Window
from auditor.rules.reach import LIVE, Pairs, Reach
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASSES = SENSITIVE & ~STORE_BREAKERS
"""What is worth telling; power over key stores is power over no single key."""
EMERGENCY = ("dr", "break-glass")
SERVICE_KEYS = ("kms:viaservice", "aws:viaawsservice", "kms:grantisforawsresource")


class Disuse:
    """Per principal, key and profile: what is proven to be unused, as masks of actions.

    Events prove it where they tell of a pair, IAM's reports elsewhere. What events show to be used never is unused.
    """

    def __init__(self, view: View) -> None:
        import numpy as np

        own, window = power(view), Window(view)
        self._own = own
        self.window = window
        callers = own.reach.principals
        worth = np.array([_worth_telling(view, window, who) for who in callers], dtype=np.uint64)
        self._worth = worth
        self.events = Eventless(view, window)
        self._of_principal = worth & np.array([_unused(window, who.last_accessed) for who in callers], dtype=np.uint64)
        self._idle = np.array([idle(window, who) for who in callers], dtype=bool)
        self._by_identity = actions_where(own.reach, _by_identity)
        self._for_services = actions_where(own.reach, lambda one: demands(one.residual, _through_services))
        self._tracked = np.array([window.tracked(key) for key in own.reach.keys], dtype=bool)

    def masks(self, pairs: Pairs) -> NDArray[np.uint64]:
        """Per pair: the actions that it holds today and that were not used in the whole window."""
        import numpy as np

        held = self._own.held_each(pairs, *LIVE) & np.uint64(CLASSES)
        proven = self._of_principal[pairs.principals] & self._by_identity[pairs.profiles]
        sure = np.where(self._idle[pairs.principals], proven, proven & ~self._for_services[pairs.profiles])
        reported = np.where(self._tracked[pairs.keys], sure, np.uint64(0))
        silent = np.where(self.events.there(pairs), self._worth[pairs.principals], np.uint64(0))
        unused = np.where(self.events.covers(pairs), silent, reported)
        found: NDArray[np.uint64] = held & unused & ~self.events.used(pairs)
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
    """Where events tell nothing of the use of a power: histories that could not be read, holders without a report, keys
    where AWS records nothing, or where no reports were asked for all the histories that are missing."""
    import numpy as np

    if not view.decided:
        return
    own, found = power(view), disuse(view)
    held = own.held_each(own.pairs, *LIVE) & np.uint64(CLASSES)
    pairs = own.pairs.select((held != 0) & ~found.events.covers(own.pairs))
    if not any(fact is Fact.LAST_ACCESSED for fact, *_ in view.snapshot.evidence.asked):
        yield from _histories(own.reach, pairs)
        return
    refused = {f"{one}/{region}" for fact, one, region in view.snapshot.evidence.unread if fact is Fact.KEY_EVENTS}
    yield from (scope for scope in _histories(own.reach, pairs) if scope.place in refused)
    for row in np.unique(pairs.principals).tolist():
        who = own.reach.principals[row]
        if who.kind in (PrincipalKind.USER, PrincipalKind.ROLE) and not found.window.covered_by(who.last_accessed):
            yield SkippedScope(who.arn, Fact.LAST_ACCESSED)
    for column in np.unique(pairs.keys).tolist():
        if own.reach.keys[column].region not in TRACKED_SINCE:
            yield SkippedScope(own.reach.keys[column].arn, Fact.LAST_ACCESSED)


def _histories(reach: Reach, pairs: Pairs) -> Iterator[SkippedScope]:
    """The event histories that would tell of the pairs."""
    whose = [who.account or "" for who in reach.principals]
    places = {(whose[row], reach.keys[column].region) for row, column, _ in pairs.rows()}
    yield from (SkippedScope(f"{account}/{region}", Fact.KEY_EVENTS) for account, region in sorted(places))


def _unused(window: Window, report: LastAccessed | None) -> int:
    """The actions that a principal used on no key in the whole window by its report; none where it does not tell."""
    if report is None or not window.covered_by(report):
        return 0
    if window.unused(report.kms):
        return CLASSES
    known = (find_action(f"kms:{name}") for name, last in report.actions if window.unused(last))
    return sum({1 << action.bit for action in known if action is not None}) & CLASSES


def _worth_telling(view: View, window: Window, who: Principal) -> int:
    """The actions that a principal, which was there for the whole window, should have used in it."""
    if not window.before(who.created) or _emergency(view, who):
        return 0
    named = view.trust.key_admin(who) or view.trust.key_destroyer(who)
    return CLASSES & ~CONTROL if named else CLASSES


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

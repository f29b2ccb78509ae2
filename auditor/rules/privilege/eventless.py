"""What CloudTrail's event history proves about permissions that nobody used: per principal, key and class of actions.

The history of a principal's own account holds all its calls, also those that were refused, that services made on its
behalf, or that were about the keys of other accounts. A class counts as used when any action of it was tried.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor.model.actions import DESTROY, FORGE, READ_PLAINTEXT, TAKEOVER
from auditor.model.arn import is_unique_id, parse_arn
from auditor.model.key_events import KeyCalls
from auditor.rules.key_use import caller_of, key_use, rows_by_name, used
from auditor.rules.privilege.marks import Marks
from auditor.rules.privilege.window import Window
from auditor.rules.reach import Pairs
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GROUPS = (READ_PLAINTEXT, FORGE, TAKEOVER, DESTROY)
Marked = dict[tuple[int, int], int]


class Eventless:
    """Which pairs of a view the histories tell about, and the actions that they show to be in use there."""

    def __init__(self, view: View, window: Window) -> None:
        import numpy as np

        reach, use = view.reach, key_use(view)
        self._accounts = {name: at for at, name in enumerate(sorted({who.account or "" for who in reach.principals}))}
        self._regions = {name: at for at, name in enumerate(sorted({key.region for key in reach.keys}))}
        told = [window.seen_in(use.window(who, where)) for who in self._accounts for where in self._regions]
        self._told = np.array(told, dtype=bool).reshape(len(self._accounts), len(self._regions))
        self._account = np.array([self._accounts[who.account or ""] for who in reach.principals], dtype=np.int64)
        self._region = np.array([self._regions[key.region] for key in reach.keys], dtype=np.int64)
        self._old = np.array([window.before(key.created) for key in reach.keys], dtype=bool)
        named, nameless_ = self._placed(view)
        self._by_principal, self._by_account = (Marks(len(reach.keys), marks) for marks in (named, nameless_))
        named, nameless_ = self._unplaced(view)
        self._loose, self._looser = (Marks(len(self._regions), marks) for marks in (named, nameless_))

    def covers(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Per pair: whether every call of the principal in the whole window is known."""
        found: NDArray[np.bool_] = self._told[self._account[pairs.principals], self._region[pairs.keys]]
        return found

    def there(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Per pair: whether the key was there for the whole window."""
        found: NDArray[np.bool_] = self._old[pairs.keys]
        return found

    def used(self, pairs: Pairs) -> NDArray[np.uint64]:
        """Per pair: the actions of the classes that the principal used, or tried to use, on the key, or may have."""
        accounts, regions = self._account[pairs.principals], self._region[pairs.keys]
        sure = self._by_principal.at(pairs.principals, pairs.keys) | self._loose.at(pairs.principals, regions)
        return sure | self._by_account.at(accounts, pairs.keys) | self._looser.at(accounts, regions)

    def _placed(self, view: View) -> tuple[Marked, Marked]:
        """Row and key, or account and key, → what was used there, by callers with a name and without."""
        columns = enumerate(view.reach.keys)
        return self._sorted(view, ((column, call) for column, key in columns for call in key_use(view).of_key(key.arn)))

    def _unplaced(self, view: View) -> tuple[Marked, Marked]:
        """The same for Regions in place of keys: calls of which nothing says which key they were about."""
        regions = self._regions.items()
        return self._sorted(view, ((at, call) for name, at in regions for call in key_use(view).unplaced(name)))

    def _sorted(self, view: View, placed: Iterable[tuple[int, KeyCalls]]) -> tuple[Marked, Marked]:
        named: Marked = defaultdict(int)
        unnamed: Marked = defaultdict(int)
        rows = rows_by_name(view)
        for place, calls in placed:
            mask = sum(group for group in GROUPS if used(calls.operation) & group)
            if mask and nameless(calls):
                unnamed[self._accounts.get(calls.account, -1), place] |= mask
            for row in rows.get(caller_of(calls), ()) if mask else ():
                named[row, place] |= mask
        return named, unnamed


def nameless(calls: KeyCalls) -> bool:
    """Whether somebody of the account whose history it is made the calls, and any of its principals may have."""
    name = caller_of(calls)
    if name is not None and (name[1] or is_unique_id(name[2])):
        return False
    itself = bool(calls.service) and parse_arn(calls.caller) is None
    return not itself and calls.caller_account in ("", calls.account)

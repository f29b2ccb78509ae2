"""How long access has been held, as far as the baseline tells: AWS does not record since when a statement stands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from auditor.model.access import Outcome
from auditor.model.moments import instant
from auditor.model.report import Report
from auditor.rules.privilege.disuse import actions_where
from auditor.rules.reach import Pairs, Reach
from auditor.rules.view import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Earlier:
    """The access of a baseline, for the pairs of a view; ``start`` is the beginning of the observation window."""

    def __init__(self, view: View, baseline: Report, start: datetime) -> None:
        import numpy as np

        rows = {arn: row for row, arn in enumerate(baseline.access.principals)}
        columns = {arn: column for column, arn in enumerate(baseline.access.keys)}
        moment = instant(baseline.as_of)
        self._old = moment is not None and moment < start
        self._within = moment is not None and moment >= start
        self._reach = Reach(baseline.access, baseline.principals, baseline.snapshot.keys)
        self._rows = np.array([rows.get(who.arn, -1) for who in view.reach.principals], dtype=np.int64)
        self._columns = np.array([columns.get(key.arn, -1) for key in view.reach.keys], dtype=np.int64)

    def denied(self, pairs: Pairs) -> NDArray[np.uint64]:
        """Per pair: the actions that were denied within the window, so that they are held for less than it."""
        return self._of(pairs, [outcome for outcome in Outcome if outcome.denied] if self._within else [])

    def held(self, pairs: Pairs) -> NDArray[np.uint64]:
        """Per pair: the actions that were allowed already before the window."""
        return self._of(pairs, [Outcome.ALLOWED, Outcome.CONDITIONAL] if self._old else [])

    def _of(self, pairs: Pairs, outcomes: list[Outcome]) -> NDArray[np.uint64]:
        """Per pair: the actions whose outcome in the baseline is one of ``outcomes``; none of what it did not know."""
        import numpy as np

        none = np.zeros(len(pairs), dtype=np.uint64)
        cells = self._reach.table.cells
        if not outcomes or not cells.size:
            return none
        masks = actions_where(self._reach, lambda decision: decision.outcome in outcomes)
        rows, columns = self._rows[pairs.principals], self._columns[pairs.keys]
        found: NDArray[np.uint64] = np.where((rows >= 0) & (columns >= 0), masks[cells[rows, columns]], none)
        return found

"""What changed between two evaluations: access gained, lost and under another condition, and the facts that changed.

What one side could not read is never shown as a change of access: it is listed as a difference of coverage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.evaluator import Evaluation
from auditor.evaluator.matrix import build_table
from auditor.model.access import RANK, AccessTable, Decision, Outcome
from auditor.model.actions import CAPABILITY_MASKS, ON_KEY, Action, Capability, actions_in, usable_mask
from auditor.model.key import Key
from auditor.model.snapshot import Snapshot
from auditor.questions.changed_facts import FactChange, changed_facts
from auditor.questions.coverage import Coverage
from auditor.questions.wording import blocked_by, condition_words, source_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Change(StrEnum):
    """What happened to an access."""

    GAINED = "gained"
    LOST = "lost"
    CONDITION = "condition"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class AccessChange:
    """One principal, key and capability whose access differs; None stands for a side without that row or key."""

    change: Change
    principal: str
    key: str
    capability: Capability
    before: Decision | None
    after: Decision | None
    cause: str

    @property
    def was(self) -> str:
        """The access before, in words."""
        return state_words(self.before)

    @property
    def now(self) -> str:
        """The access after, in words."""
        return state_words(self.after)


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything that differs between two evaluations, sorted. Findings are compared by whoever judged them."""

    access: tuple[AccessChange, ...] = ()
    coverage: tuple[AccessChange, ...] = ()
    facts: tuple[FactChange, ...] = ()
    gaps_before: int = 0
    gaps_after: int = 0


@dataclass(slots=True)
class _Side:
    """One evaluation with what the comparison asks of it again and again.

    ``actual`` are the collected principals. A caller that is a row only because a policy of the other side mentions it
    is decided here as well (``extra``): that nobody mentions it any more is no loss of access.
    """

    evaluation: Evaluation
    coverage: Coverage
    tables: tuple[AccessTable, AccessTable]
    rows: dict[str, tuple[int, int]]
    columns: dict[str, int]
    actual: frozenset[str]

    @classmethod
    def of(cls, evaluation: Evaluation, other: Evaluation) -> _Side:
        own = {principal.arn for principal in evaluation.principals}
        collected = {principal.arn for principal in other.snapshot.principals}
        extra = tuple(item for item in other.principals if item.arn not in own and item.arn not in collected)
        keys = evaluation.snapshot.keys
        tables = (evaluation.table, build_table(extra, keys, evaluation.surroundings))
        rows = {item.arn: (0, row) for row, item in enumerate(evaluation.principals)}
        rows |= {item.arn: (1, row) for row, item in enumerate(extra)}
        actual = frozenset(principal.arn for principal in evaluation.snapshot.principals)
        columns = {key.arn: column for column, key in enumerate(keys)}
        return cls(evaluation, Coverage(evaluation.snapshot), tables, rows, columns, actual)

    def codes(self, principals: Sequence[str], keys: Sequence[str]) -> NDArray[np.int64]:
        """One number per principal and key: twice the profile plus the table; -1 where there is no such row or key."""
        import numpy as np

        codes = np.full((len(principals), len(keys)), -1, dtype=np.int64)
        present = [column for column, arn in enumerate(keys) if arn in self.columns]
        source = [self.columns[keys[column]] for column in present]
        for number, table in enumerate(self.tables):
            found = [row for row, arn in enumerate(principals) if self.rows.get(arn, (-1, 0))[0] == number]
            rows = [self.rows[principals[row]][1] for row in found]
            if found and present:
                codes[np.ix_(found, present)] = table.cells[np.ix_(rows, source)].astype(np.int64) * 2 + number
        return codes

    def best(self, code: int, mask: int) -> tuple[Action, Decision] | None:
        """The strongest decision of a code over the actions of ``mask``."""
        return None if code < 0 else self.tables[code % 2].best(code // 2, mask)


_Changed = tuple[Capability, Change, Decision | None, Decision | None]


def differences(old: Evaluation, new: Evaluation) -> Differences:
    """Compare two evaluations of the same estate; the order of the arguments is old, new."""
    before, after = _Side.of(old, new), _Side.of(new, old)
    found = _access(before, after)
    return Differences(
        access=tuple(item for item in found if item.change is not Change.COVERAGE),
        coverage=tuple(item for item in found if item.change is Change.COVERAGE),
        facts=changed_facts(old.snapshot, new.snapshot, before.coverage, after.coverage),
        gaps_before=_essential(old.snapshot),
        gaps_after=_essential(new.snapshot),
    )


def _essential(snapshot: Snapshot) -> int:
    return sum(1 for gap in snapshot.gaps if gap.essential)


def _access(before: _Side, after: _Side) -> list[AccessChange]:
    """All changes, by principal and key. Profiles are compared once per distinct pair, not once per cell."""
    keys = {key.arn: key for side in (before, after) for key in side.evaluation.snapshot.keys}
    arns, principals = sorted(keys), sorted(before.rows.keys() | after.rows.keys())
    old, new = before.codes(principals, arns), after.codes(principals, arns)
    memo: dict[tuple[int, int, int], list[_Changed]] = {}
    found: list[AccessChange] = []
    for row, column in _suspects(before, after, old, new):
        key = keys[arns[column]]
        pair = (int(old[row, column]), int(new[row, column]), usable_mask(key.spec, key.usage, key.origin))
        if pair not in memo:
            memo[pair] = _changes(before, after, pair)
        found += [_change(before, after, principals[row], key, *change) for change in memo[pair]]
    return found


def _suspects(before: _Side, after: _Side, old: NDArray[np.int64], new: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Positions whose profiles differ in any action; only those are looked at one by one."""
    import numpy as np

    base = int(new.max(initial=-1)) + 2
    pairs, inverse = np.unique((old.ravel() + 1) * base + (new.ravel() + 1), return_inverse=True)
    found = [_differ(before, after, int(pair) // base - 1, int(pair) % base - 1) for pair in pairs]
    hits = np.array(found, dtype=bool)[inverse].reshape(old.shape)
    return ((int(row), int(column)) for row, column in zip(*np.nonzero(hits), strict=True))


def _differ(before: _Side, after: _Side, old: int, new: int) -> bool:
    """Whether two profiles differ in the access of any action; what differs in none differs in no capability."""
    if old < 0 or new < 0:
        return old != new
    return any(
        _kind(_single(before, old, action), _single(after, new, action)) is not None for action in actions_in(ON_KEY)
    )


def _single(side: _Side, code: int, action: Action) -> Decision | None:
    found = side.best(code, 1 << action.bit)
    return found[1] if found else None


def _changes(before: _Side, after: _Side, pair: tuple[int, int, int]) -> list[_Changed]:
    """The changes of every capability between two profiles; computed once for all pairs with these profiles."""
    found = []
    for capability in Capability:
        mask = CAPABILITY_MASKS[capability] & pair[2]
        was, now = before.best(pair[0], mask), after.best(pair[1], mask)
        change = _kind(was[1] if was else None, now[1] if now else None)
        if change is not None:
            found.append((capability, change, was[1] if was else None, now[1] if now else None))
    return found


def _kind(was: Decision | None, now: Decision | None) -> Change | None:
    rank_was, rank_now = _rank(was), _rank(now)
    if rank_was == rank_now:
        same = _denied(rank_was) or _condition(was) == _condition(now)
        return None if same else Change.CONDITION
    if RANK[Outcome.UNKNOWN] in (rank_was, rank_now):
        return Change.COVERAGE
    if _denied(rank_was) and _denied(rank_now):
        return None
    if not _denied(rank_was) and not _denied(rank_now):
        return Change.GAINED if rank_now < rank_was else Change.LOST
    return Change.LOST if _denied(rank_now) else Change.GAINED


def _rank(decision: Decision | None) -> int:
    return RANK[decision.outcome] if decision is not None else RANK[Outcome.IMPLICITLY_DENIED]


def _denied(rank: int) -> bool:
    return rank >= RANK[Outcome.IMPLICITLY_DENIED]


def _condition(decision: Decision | None) -> object:
    return decision.residual if decision is not None else None


def _change(
    before: _Side,
    after: _Side,
    principal: str,
    key: Key,
    capability: Capability,
    change: Change,
    was: Decision | None,
    now: Decision | None,
) -> AccessChange:
    missing = _unseen(before, principal, key) if was is None else _unseen(after, principal, key) if now is None else ""
    if missing:
        return AccessChange(Change.COVERAGE, principal, key.arn, capability, was, now, missing)
    return AccessChange(
        change, principal, key.arn, capability, was, now, _cause(before, after, principal, key, was, now)
    )


def _unseen(side: _Side, principal: str, key: Key) -> str:
    """Why a side without this row or key says nothing about it; empty when it was looked for and is not there."""
    if key.arn not in side.columns and not side.coverage.keys_read(key.account, key.region):
        return f"the keys of {key.account} in {key.region} were not read"
    if principal not in side.rows and not side.coverage.identities_read(principal):
        return "the identities of its account were not read"
    return ""


def _cause(before: _Side, after: _Side, principal: str, key: Key, was: Decision | None, now: Decision | None) -> str:
    """The statement, grant or entity behind a change."""
    entities = (("key", key.arn, before.columns, after.columns), ("principal", principal, before.actual, after.actual))
    for name, arn, old, new in entities:
        if (arn in old) != (arn in new):
            return f"the {name} is gone" if arn in old else f"the {name} is new"
    was_words = [source_words(cause) for cause in was.causes] if was else []
    now_words = [source_words(cause) for cause in now.causes] if now else []
    if now is None or now.outcome.denied:
        gone = [words for words in was_words if words not in now_words]
        return "; ".join(
            part for part in (blocked_by(now) if now else "", *(f"no longer {words}" for words in gone)) if part
        )
    fresh = [words for words in now_words if words not in was_words]
    return "; ".join(dict.fromkeys(fresh or now_words)) or "policies changed"


def state_words(decision: Decision | None) -> str:
    """``none``, ``allowed``, the condition, or ``unknown``."""
    if decision is None or decision.outcome.denied:
        return "none"
    if decision.outcome is Outcome.CONDITIONAL:
        return condition_words(decision)
    return str(decision.outcome)

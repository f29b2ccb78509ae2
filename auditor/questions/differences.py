"""What changed between two sets of facts: access gained, lost and under another condition, and the facts that changed.

What one side could not read is never shown as a change of access: it is listed as a difference of coverage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.evaluator.matrix import TableBuilder
from auditor.evaluator.reasons import cause_words, condition_words, source_words
from auditor.model.access import AccessTable, Cause, Decision, Outcome, Role
from auditor.model.actions import CAPABILITY_MASKS, ON_KEY, Action, Capability, actions_in
from auditor.model.key import Key, usable_on
from auditor.model.snapshot import Snapshot
from auditor.questions.affected import Facts, affected
from auditor.questions.change_kinds import Change, condition_of, kind_of, rank_of
from auditor.questions.changed_facts import FactChange, changed_facts
from auditor.questions.pairs import numbered
from auditor.questions.sides import Block, Side
from auditor.questions.wording import blocked_by

SHOWN = 3
_ON_KEY_BITS = tuple(action.bit for action in actions_in(ON_KEY))


@dataclass(frozen=True, slots=True)
class AccessChange:
    """One principal, key and capability whose access differs; None stands for a side without that row or key.

    ``actions`` are those of the capability whose access differs in this way: one that is lost or gained counts, even
    where another action of the capability stays.
    """

    change: Change
    principal: str
    key: str
    capability: Capability
    actions: tuple[str, ...]
    before: Decision | None
    after: Decision | None
    cause: str

    @property
    def what(self) -> str:
        """The capability with the actions, the first few of them."""
        hidden = len(self.actions) - SHOWN
        more = f" and {hidden} more" if hidden > 0 else ""
        return f"{self.capability.label} ({', '.join(self.actions[:SHOWN])}{more})"

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
    """Everything that differs, sorted. Findings are compared by whoever judged them."""

    access: tuple[AccessChange, ...] = ()
    coverage: tuple[AccessChange, ...] = ()
    facts: tuple[FactChange, ...] = ()
    gaps_before: int = 0
    gaps_after: int = 0


_Alike = tuple[Change, int, object, int, object, str]
_Changed = tuple[Change, Capability, tuple[str, ...], Decision | None, Decision | None, str]


def differences(old: Facts, new: Facts) -> Differences:
    """Compare two sets of facts about the same estate; the order of the arguments is old, new.

    Only pairs whose inputs differ are evaluated; the answer is that of comparing two whole evaluations.
    """
    builder = TableBuilder()
    before, after = Side.of(old, new, builder), Side.of(new, old, builder)
    found = sorted(_access(before, after), key=lambda item: (item.principal, item.key))
    return Differences(
        access=tuple(item for item in found if item.change is not Change.COVERAGE),
        coverage=tuple(item for item in found if item.change is Change.COVERAGE),
        facts=changed_facts(old.snapshot, new.snapshot, before.inventory, after.inventory),
        gaps_before=_essential(old.snapshot),
        gaps_after=_essential(new.snapshot),
    )


def _essential(snapshot: Snapshot) -> int:
    return sum(1 for gap in snapshot.gaps if gap.essential)


def _access(before: Side, after: Side) -> Iterator[AccessChange]:
    """All changes: in the rows that are affected, and in the affected columns of all other rows."""
    reached = affected(before.facts, after.facts, before.rows.values(), after.rows.values())
    keys = sorted(before.keys.keys() | after.keys.keys())
    others = sorted((before.rows.keys() | after.rows.keys()) - reached.principals)
    asked = reached.actions & ON_KEY
    yield from _in_block(before, after, sorted(reached.principals), keys, asked)
    yield from _in_block(before, after, others, sorted(reached.keys), asked)


def _in_block(
    before: Side, after: Side, principals: Sequence[str], arns: Sequence[str], asked: int
) -> Iterator[AccessChange]:
    """The changes of one block. Profiles are compared once per distinct pair, not once per cell."""
    if not principals or not arns:
        return
    old, new = (side.block(principals, arns, asked) for side in (before, after))
    memo: dict[tuple[tuple[int, int, int], bool], list[_Changed]] = {}
    for row, column in _suspects(old, new):
        principal, key = principals[row], after.keys.get(arns[column]) or before.keys[arns[column]]
        pair = (int(old.codes[row, column]), int(new.codes[row, column]), usable_on(key))
        missing = _not_comparable(before, after, principal, key, pair)
        entity = missing or _came_or_went(before, after, principal, key)
        if (pair, bool(entity)) not in memo:
            memo[pair, bool(entity)] = _changes(old, new, pair, by_cause=not entity)
        for change, capability, names, was, now, reasons in memo[pair, bool(entity)]:
            kind = Change.COVERAGE if missing else change
            yield AccessChange(kind, principal, key.arn, capability, names, was, now, entity or reasons)


def _suspects(before: Block, after: Block) -> Iterator[tuple[int, int]]:
    """Positions whose profiles differ in any action; only those are looked at one by one."""
    differ = _Differ(before.table, after.table)
    for first, numbers in numbered(before.codes, after.codes, differ.profiles):
        rows, columns = numbers.nonzero()
        yield from zip((rows + first).tolist(), columns.tolist(), strict=True)


class _Differ:
    """Tells which profiles of two tables differ in the access of any action: what differs in none differs in no
    capability."""

    def __init__(self, before: AccessTable, after: AccessTable) -> None:
        self._before, self._after = before, after
        self._known: dict[tuple[int, int], bool] = {}

    def profiles(self, old: int, new: int) -> bool:
        """Whether profiles with these numbers differ; -1 stands for no such pair."""
        if old < 0 or new < 0:
            return old != new
        was, now = self._before.profiles[old], self._after.profiles[new]
        return any(self._decisions(was[bit], now[bit]) for bit in _ON_KEY_BITS)

    def _decisions(self, old: int, new: int) -> bool:
        found = self._known.get((old, new))
        if found is None:
            was, now = self._before.decisions[old], self._after.decisions[new]
            found = self._known[old, new] = kind_of(was, now) is not None
        return found


def _single(side: Block, code: int, action: Action) -> Decision | None:
    found = side.best(code, 1 << action.bit)
    return found[1] if found else None


def _changes(before: Block, after: Block, pair: tuple[int, int, int], *, by_cause: bool) -> list[_Changed]:
    """The changes of every capability between two profiles; computed once for all pairs with these profiles.

    ``by_cause``: actions whose access differs for another cause are told apart.
    """
    found: list[_Changed] = []
    for capability in Capability:
        alike: dict[_Alike, list[tuple[Action, Decision | None, Decision | None]]] = {}
        for action in actions_in(CAPABILITY_MASKS[capability] & pair[2] & ON_KEY):
            was, now = _single(before, pair[0], action), _single(after, pair[1], action)
            change = kind_of(was, now)
            if change is not None:
                ends = (rank_of(was), condition_of(was), rank_of(now), condition_of(now))
                reasons = _reasons(was, now) if by_cause and change is not Change.COVERAGE else ""
                alike.setdefault((change, *ends, reasons), []).append((action, was, now))
        for (change, *_, reasons), items in alike.items():
            names, (_, was, now) = tuple(action.name for action, _, _ in items), items[0]
            found.append((change, capability, names, was, now, reasons or _reasons(was, now)))
    return found


def _not_comparable(before: Side, after: Side, principal: str, key: Key, pair: tuple[int, int, int]) -> str:
    """Why a difference says nothing about access; empty when it does."""
    was, now = (code >= 0 for code in pair[:2])
    missing = "" if was and now else _unseen(after if was else before, principal, key)
    return missing or _assumed(before, after, principal)


def _unseen(side: Side, principal: str, key: Key) -> str:
    """Why a side without this row or key says nothing about it; empty when it was looked for and is not there."""
    if key.arn not in side.keys and not side.inventory.keys_read(key.account, key.region):
        return f"the keys of {key.account} in {key.region} were not read"
    if principal not in side.rows and not side.inventory.identities_read(principal):
        return "the identities of its account were not read"
    return ""


def _assumed(before: Side, after: Side, principal: str) -> str:
    """Why an access says nothing: on one side it was collected, on the other it is assumed to hold everything."""
    rows = (before.rows.get(principal), after.rows.get(principal))
    found = {row.assume_allowed for row in rows if row is not None}
    return "the identities of its account were read on one side alone" if len(found) > 1 else ""


def _came_or_went(before: Side, after: Side, principal: str, key: Key) -> str:
    """The entity behind a change, when one side alone has it."""
    if (key.arn in before.keys) != (key.arn in after.keys):
        return "the key is gone" if key.arn in before.keys else "the key is new"
    if (principal in before.collected) == (principal in after.collected):
        return ""
    without = after if principal in before.collected else before
    if not without.inventory.identities_read(principal):
        return "the identities of its account were not read"
    return "the principal is gone" if without is after else "the principal is new"


def _reasons(was: Decision | None, now: Decision | None) -> str:
    """The statements or grants behind a change."""
    was_words = {source_words(cause) for cause in was.causes} if was else set()
    now_words = {source_words(cause) for cause in now.causes} if now else set()
    if now is None or now.outcome.denied:
        told = [cause for cause in (was.causes if was else ()) if cause.role is not Role.UNREAD]
        gone = [cause_words(cause) for cause in told if source_words(cause) not in now_words]
        parts = [blocked_by(now) if now else "", *(f"no longer {words}" for words in dict.fromkeys(gone))]
        return "; ".join(part for part in parts if part)
    freed = [f"no longer {cause_words(cause)}" for cause in was.causes if cause.role is Role.DENIES] if was else []
    fresh = [_place_words(cause) for cause in now.causes if source_words(cause) not in was_words]
    return "; ".join(dict.fromkeys([*freed, *fresh] or map(_place_words, now.causes))) or "policies changed"


def _place_words(cause: Cause) -> str:
    """Where a cause stands; of a fact that could not be read, that it could not."""
    return cause_words(cause) if cause.role is Role.UNREAD else source_words(cause)


def state_words(decision: Decision | None) -> str:
    """``none``, ``allowed``, the condition, or ``unknown``."""
    if decision is None or decision.outcome.denied:
        return "none"
    if decision.outcome is Outcome.CONDITIONAL:
        return condition_words(decision)
    return str(decision.outcome)

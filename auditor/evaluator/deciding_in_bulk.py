"""All actions of a pair of sides at once. What the same contributions say is decided once, for whatever pair."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache

from auditor.evaluator.contributions import Contribution
from auditor.evaluator.deciding import with_flags
from auditor.evaluator.layers import Layers, Relation
from auditor.evaluator.numbering import Numbers
from auditor.evaluator.statements import split
from auditor.evaluator.verdict import decide_group
from auditor.model.access import Decision
from auditor.model.actions import ACTIONS, ALIAS_ACTIONS, CROSS_ACCOUNT, ON_KEY, RETIRE_GRANT, state_blocks

_CLASSES = (ON_KEY, CROSS_ACCOUNT, RETIRE_GRANT, ALIAS_ACTIONS)
"""Actions that the layers treat by rules of their own."""
Part = tuple[int, Decision]
"""A mask of actions and their common decision."""


class Decider:
    """Decides about contributions by their numbers in ``contributions``."""

    def __init__(self) -> None:
        self.contributions: Numbers[Contribution] = Numbers()
        self._masks: list[int] = []
        self._evidence: list[int] = []
        self._evidences: Numbers[Hashable] = Numbers()
        self._relations: Numbers[Relation] = Numbers()
        self._groups: dict[tuple[int, frozenset[int]], tuple[int, ...]] = {}
        self._memo: dict[tuple[int, int, tuple[int, ...]], Decision] = {}

    def numbers(self, contributions: Iterable[Contribution]) -> tuple[int, ...]:
        """The numbers of the contributions of one side; equal sides have equal numbers."""
        found = tuple([self.contributions.of_object(item) for item in contributions])
        for new in self.contributions.values[len(self._masks) :]:
            self._masks.append(new.mask)
            says = (new.slot, new.residual, new.source, new.grant, new.level, new.flags)
            self._evidence.append(self._evidences.of(says))
        return found

    def parts(
        self, relation: Relation, numbers: tuple[int, ...], flags: tuple[str, ...], state: str, mask: int
    ) -> list[Part]:
        """``mask`` in parts of one decision each, by their lowest bits. ``numbers``: the contributions of both sides;
        ``flags`` and ``state``: those of the key."""
        whose, blocked = self._relations.of(relation), blocked_mask(state)
        found: list[Part] = []
        for group in self._groups_of(mask, numbers):
            decision = self._remembered(whose, group, numbers)
            for part, is_blocked in ((group & ~blocked, False), (group & blocked, True)):
                if part:
                    found.append((part, with_flags(decision, flags, is_blocked)))
        return sorted(found, key=lambda one: one[0] & -one[0])

    def _remembered(self, whose: int, group: int, numbers: tuple[int, ...]) -> Decision:
        masks, evidence = self._masks, self._evidence
        present = tuple([evidence[number] for number in numbers if masks[number] & group])
        identity = (whose, _classes_of(group), present)
        found = self._memo.get(identity)
        if found is None:
            contributions = [self.contributions.values[number] for number in numbers]
            found = self._memo[identity] = decide_group(Layers.of(self._relations.values[whose], group, contributions))
        return found

    def _groups_of(self, mask: int, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """The partition of ``mask`` into actions that no contribution and no class of actions tells apart."""
        masks = frozenset([self._masks[number] for number in numbers])
        found = self._groups.get((mask, masks))
        if found is None:
            found = self._groups[mask, masks] = split([mask], [*_CLASSES, *masks])
        return found


@lru_cache(maxsize=65536)
def _classes_of(group: int) -> int:
    return sum(1 << place for place, kind in enumerate(_CLASSES) if group & kind)


@lru_cache(maxsize=64)
def blocked_mask(state: str) -> int:
    """The actions whose calls fail in this key state although they are authorized."""
    return sum(1 << action.bit for action in ACTIONS if state_blocks(action, state))


@lru_cache(maxsize=65536)
def bits_of(mask: int) -> tuple[int, ...]:
    """The positions of the bits of a mask."""
    return tuple(action.bit for action in ACTIONS if mask >> action.bit & 1)

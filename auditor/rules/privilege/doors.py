"""Statements that open keys to whoever has a tag, and what the tag would give to those that can get it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from auditor.evaluator.statements import action_mask
from auditor.model.access import Decision, Outcome
from auditor.model.actions import SENSITIVE, actions_in
from auditor.model.key import Key
from auditor.model.policy import Statement
from auditor.model.principal import Principal
from auditor.rules.conditions import mentions
from auditor.rules.hit import Located
from auditor.rules.view import View

PREFIX = "aws:principaltag/"
FILLER = "x"


@dataclass(frozen=True, slots=True)
class Door:
    """An Allow that asks for a tag of the caller: the tag, where it stands, and the keys that it opens."""

    tag: str
    values: tuple[str, ...]
    located: Located
    place: str
    keys: tuple[Key, ...]

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.located.statement

    @property
    def mask(self) -> int:
        """The powerful actions behind it."""
        return action_mask(self.statement) & SENSITIVE


@dataclass(frozen=True, slots=True)
class Means:
    """How a tag is got, in words, and the ARNs of the other identities that it takes."""

    words: str
    others: tuple[str, ...] = ()


Hands = list[tuple[Principal, Means]]
"""Who can put a tag on an identity, and how."""
Entry = tuple[Door, Principal, Hands]
Variant = tuple[str, tuple[tuple[str, str], ...]]
"""The ARN of an identity and the tags that it is given."""


class Tried:
    """What identities may do with the keys of the doors, without the tag and with it: one table for all of them."""

    def __init__(self, view: View, entries: Sequence[Entry]) -> None:
        callers: dict[Variant, Principal] = {}
        for door, who, _ in entries:
            for tags in _tags_without_and_with(door, who):
                callers.setdefault((who.arn, tags), replace(who, tags=tags))
        keys = {key.arn: key for door, _, _ in entries for key in door.keys}
        self._rows = {variant: row for row, variant in enumerate(callers)}
        self._columns = {arn: column for column, arn in enumerate(keys)}
        self._table = view.evaluation.table_of(tuple(callers.values()), tuple(keys.values()), SENSITIVE)
        self._known: dict[tuple[int, int, str, int], bool] = {}

    def opens(self, door: Door, who: Principal) -> bool:
        """Whether the tag gives, or may give, the identity a power on one of the keys that it has not without."""
        if "${" in door.values[0]:
            return True
        before, after = (self._table.cells[self._rows[who.arn, tags]] for tags in _tags_without_and_with(door, who))
        columns = [self._columns[key.arn] for key in door.keys]
        pairs = set(zip(before[columns].tolist(), after[columns].tolist(), strict=True))
        return any(self._gains(*pair, door.tag, door.mask) for pair in pairs)

    def _gains(self, before: int, after: int, tag: str, mask: int) -> bool:
        question, table = (before, after, tag.lower(), mask), self._table
        if question not in self._known:
            self._known[question] = any(
                not table.decisions[table.profiles[after][action.bit]].outcome.denied
                and not _without(table.decisions[table.profiles[before][action.bit]], tag)
                for action in actions_in(mask)
            )
        return self._known[question]


def _tags_without_and_with(door: Door, who: Principal) -> tuple[tuple[tuple[str, str], ...], ...]:
    plain = tuple(one for one in who.tags if one[0].lower() != door.tag.lower())
    fitting = door.values[0].replace("*", FILLER).replace("?", FILLER)
    return plain, tuple(sorted([*plain, (door.tag, fitting)]))


def _without(decision: Decision, tag: str) -> bool:
    """Whether something gives the action that does not ask for the tag, which a session may bring."""
    asked = PREFIX + tag.lower()
    asks = decision.residual is not None and mentions(decision.residual, lambda leaf, _: leaf.key.lower() == asked)
    return decision.outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL) and not asks

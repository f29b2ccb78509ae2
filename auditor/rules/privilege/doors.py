"""Statements that open keys by a tag of the caller, and what a change of its tags would give to those that can get it.

A door is an Allow that asks for a tag, one that leaves callers with it out, or a Deny that depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from auditor.evaluator.operators import parse_operator, satisfied
from auditor.evaluator.statements import action_mask
from auditor.model.access import Decision, Outcome
from auditor.model.actions import SENSITIVE, actions_in
from auditor.model.key import Key
from auditor.model.policy import ConditionTest, Statement
from auditor.model.principal import Principal
from auditor.rules.conditions import mentions
from auditor.rules.hit import Located, listing
from auditor.rules.privilege.attributes import opening
from auditor.rules.privilege.naming import ANY_VALUES, fitting, fitting_each
from auditor.rules.view import View

PREFIX = "aws:principaltag/"
Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Door:
    """A test of a tag of the caller, where it stands, and the keys that it opens when it holds; in a Deny, when not."""

    test: ConditionTest
    located: Located
    place: str
    keys: tuple[Key, ...]

    @property
    def tag(self) -> str:
        """The tag key."""
        return self.test.key[len(PREFIX) :]

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.located.statement

    @property
    def wanted(self) -> bool:
        """Whether the test has to hold."""
        return self.statement.effect == "Allow"

    @property
    def values(self) -> tuple[str, ...]:
        """The values that an Allow asks for; none where it leaves callers out."""
        return opening(self.test) if self.wanted else ()

    @property
    def spares(self) -> bool:
        """Whether the values that it lists, or any, are those that open it."""
        operator = parse_operator(self.test.operator)
        positive = operator is not None and not operator.negated and operator.base != "null"
        return positive is self.wanted

    @property
    def shown(self) -> str:
        """The values of the test in words, ``*`` for any."""
        operator = parse_operator(self.test.operator)
        return "*" if operator is None or operator.base == "null" else listing(self.test.values)

    @property
    def mask(self) -> int:
        """The powerful actions behind it."""
        return action_mask(self.statement) & SENSITIVE

    def opened_by(self, values: tuple[str, ...]) -> bool:
        """Whether it is open to a caller whose tag has the values, none for no tag."""
        operator = parse_operator(self.test.operator)
        return operator is not None and satisfied(operator, self.test.values, values) is self.wanted


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the tag of a caller: a ``value``, or None where it is taken away; ``values`` are those of which
    one has to be set. ``asked``: the door asks for it, so that who has it already is compared with who has not."""

    value: str | None
    values: tuple[str, ...] = ()
    asked: bool = False

    def of(self, door: Door, who: Principal) -> tuple[Tags, Tags]:
        """The tags of the caller before and after."""
        plain = tuple(one for one in who.tags if one[0].lower() != door.tag.lower())
        after = plain if self.value is None else tuple(sorted([*plain, (door.tag, self.value)]))
        return plain if self.asked else who.tags, after


def changes(door: Door, who: Principal, requested: Sequence[str]) -> Iterator[Change]:
    """The changes of the caller's tag that open the door: those that it asks for; and where the caller is left out
    today, taking the tag away and other values, of which the ``requested`` are named in policies."""
    if door.values:
        yield Change(fitting(door.values[0]), door.values, asked=True)
    carried = tuple(value for name, value in who.tags if name.lower() == door.tag.lower())
    if door.opened_by(carried) or any("${" in value for value in door.test.values):
        return
    if carried and door.opened_by(()):
        yield Change(None)
    listed = () if door.wanted else fitting_each(door.test.values)
    for value in dict.fromkeys((*listed, *requested, *ANY_VALUES) if not door.values else ()):
        if door.opened_by((value,)):
            yield Change(value, (value,))


@dataclass(frozen=True, slots=True)
class Means:
    """How a tag is got or shed, in words, and the ARNs of the other identities that it takes."""

    words: str
    others: tuple[str, ...] = ()


Hands = list[tuple[Principal, Means]]
"""Who can change a tag of an identity, and how."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A door, an identity of which it speaks, and the change of its tag that opens it."""

    door: Door
    who: Principal
    change: Change
    hands: Hands


Variant = tuple[str, Tags]
"""The ARN of an identity and the tags that it is given."""


class Tried:
    """What identities may do with the keys of the doors, before the change and after: one table for all of them."""

    def __init__(self, view: View, entries: Sequence[Entry]) -> None:
        callers: dict[Variant, Principal] = {}
        for one in entries:
            for tags in one.change.of(one.door, one.who):
                callers.setdefault((one.who.arn, tags), replace(one.who, tags=tags))
        keys = {key.arn: key for one in entries for key in one.door.keys}
        self._rows = {variant: row for row, variant in enumerate(callers)}
        self._columns = {arn: column for column, arn in enumerate(keys)}
        self._table = view.evaluation.table_of(tuple(callers.values()), tuple(keys.values()), SENSITIVE)
        self._known: dict[tuple[int, int, str, int], bool] = {}

    def opens(self, entry: Entry) -> bool:
        """Whether the change gives, or may give, the identity a power on one of the keys that it has not without."""
        door, who = entry.door, entry.who
        if entry.change.asked and "${" in door.values[0]:
            return True
        before, after = (self._table.cells[self._rows[who.arn, tags]] for tags in entry.change.of(door, who))
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


def _without(decision: Decision, tag: str) -> bool:
    """Whether something gives the action that does not ask for the tag, which a session may bring."""
    asked = PREFIX + tag.lower()
    asks = decision.residual is not None and mentions(decision.residual, lambda leaf, _: leaf.key.lower() == asked)
    return decision.outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL) and not asks

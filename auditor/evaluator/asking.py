"""One principal and one key with everything that stays the same while their actions are gone through."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from auditor.evaluator.conditions import condition_residual, empty_set_passes
from auditor.evaluator.contributions import Contribution, Slot
from auditor.evaluator.expressions import all_of
from auditor.evaluator.facts import Question
from auditor.evaluator.memory import Memory
from auditor.evaluator.name_index import GrantIndex
from auditor.evaluator.resources import key_reached
from auditor.evaluator.statements import Compiled
from auditor.evaluator.surroundings import Context, Surroundings
from auditor.model.actions import ACTIONS
from auditor.model.key import Key
from auditor.model.policy import Layer
from auditor.model.principal import Principal
from auditor.model.residual import FALSE, TRUE, Residual

Reach = Callable[[Compiled, Question], Residual]


@dataclass(frozen=True, slots=True)
class Pair:
    """A principal and a key, the world around them, what is known of the request, and the actions asked about.

    ``memory`` is for many pairs of one snapshot; it is asked only where ``context`` is empty.
    """

    surroundings: Surroundings
    principal: Principal
    key: Key
    mask: int
    context: Context = field(default_factory=dict)
    memory: Memory | None = None

    @property
    def same_account(self) -> bool:
        """Whether the caller belongs to the key's account."""
        return self.principal.account == self.key.account

    def about(self, mask: int) -> Pair:
        """The same pair, asked about the actions of ``mask`` only."""
        return Pair(self.surroundings, self.principal, self.key, mask, self.context, self.memory)

    @property
    def grants(self) -> GrantIndex:
        """The grants of the key, from memory where there is one."""
        return GrantIndex(self.key.grants) if self.memory is None else self.memory.grants(self.key)

    def question(self, bit: int, layer: Layer) -> Question:
        """The question about the action with this bit, as a statement of ``layer`` sees it."""
        return Question(self.surroundings, self.principal, self.key, ACTIONS[bit], layer, self.context)

    def recall(
        self, compiled: Compiled, place: tuple[Hashable, ...], make: Callable[[], Iterable[Contribution]]
    ) -> Iterable[Contribution]:
        """What ``make`` says that the statement contributes to ``place``, from memory where there is one."""
        if self.memory is None:
            return make()
        return self.memory.recall(compiled, self.principal, self.key, (self.mask, *place), make)

    def contributions(
        self, compiled: Compiled, slot: Slot, *, match: Residual = TRUE, level: int = 0, reach: Reach = key_reached
    ) -> Iterator[Contribution]:
        """What the statement contributes: one contribution per group of actions that its conditions treat alike.

        ``match`` is the part of the principal element that only a request decides.
        """
        applicable = compiled.mask & self.mask
        if compiled.universal:
            for group in compiled.groups:
                if group & applicable:
                    yield Contribution(slot, group & applicable, match, compiled.ref, None, level)
            return
        for group in compiled.groups:
            part = group & applicable
            if not part:
                continue
            question = self.question((part & -part).bit_length() - 1, compiled.ref.layer)
            reached = reach(compiled, question)
            if reached == FALSE:
                continue
            rest: Residual = TRUE
            if not compiled.plain:
                rest = condition_residual(
                    compiled.statement, question, has_variables=compiled.has_variables, source=compiled.ref
                )
            residual = all_of((match, reached, rest))
            if residual != FALSE:
                yield Contribution(slot, part, residual, compiled.ref, None, level, _flags(compiled, question))


def _flags(compiled: Compiled, question: Question) -> tuple[str, ...]:
    if not compiled.allows or compiled.plain:
        return ()
    return ("forallvalues_empty_set",) if empty_set_passes(compiled.statement, question) else ()

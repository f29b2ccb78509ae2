"""Answers out of an access table: what a profile answers is found once for all cells that have it, not for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.evaluator import Evaluation
from auditor.model.access import RANK, Decision
from auditor.model.actions import ACTIONS, CAPABILITY_MASKS, Action, Capability, actions_in
from auditor.model.key import usable_on
from auditor.questions.answers import Answer, Folded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Answered = tuple[str, Action, Decision]
"""What an answer says beside its principal and its key."""


class Lookup:
    """The answers to ``questions`` whose decision is ``wanted``, by row or by column of the table.

    A capability without an action that a key could do has no answer for that key.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        questions: Sequence[Action | Capability],
        wanted: Callable[[Decision], bool],
    ) -> None:
        self._table = evaluation.table
        self._principals, self._keys = evaluation.principals, evaluation.snapshot.keys
        self._questions, self._wanted = questions, wanted
        masks = [usable_on(key) for key in self._keys]
        self._usable = tuple(dict.fromkeys(masks))
        places = {mask: place for place, mask in enumerate(self._usable)}
        self._kinds = [places[mask] for mask in masks]
        self._found: dict[tuple[int, int], tuple[Answered, ...]] = {}

    def of_row(self, row: int) -> Iterator[Answer]:
        """The answers for one principal, by key and question."""
        import numpy as np

        principal, cells = self._principals[row], self._cells[row]
        columns = np.flatnonzero(self._promising[self._kind_of_column, cells])
        for column, profile in zip(columns.tolist(), cells[columns].tolist(), strict=True):
            for what, action, decision in self._answers(self._kinds[column], profile):
                yield Answer(principal, self._keys[column], what, action, decision)

    def of_column(self, column: int) -> Iterator[Answer]:
        """The answers for one key, by principal and question."""
        import numpy as np

        key, kind, cells = self._keys[column], self._kinds[column], self._cells[:, column]
        rows = np.flatnonzero(self._promising[kind][cells])
        for row, profile in zip(rows.tolist(), cells[rows].tolist(), strict=True):
            for what, action, decision in self._answers(kind, profile):
                yield Answer(self._principals[row], key, what, action, decision)

    def folded(self, column: int) -> Iterator[Folded]:
        """The answers for one key to one question, equal ones together: strongest first, callers by ARN."""
        import numpy as np

        key, kind = self._keys[column], self._kinds[column]
        cells = self._cells[self._by_arn, column]
        places = np.flatnonzero(self._promising[kind][cells])
        distinct, first, which = np.unique(cells[places], return_index=True, return_inverse=True)
        groups: dict[Answered, list[int]] = {}
        for number in np.argsort(first).tolist():
            for answered in self._answers(kind, int(distinct[number])):
                groups.setdefault(answered, []).append(number)
        for (what, action, decision), numbers in sorted(groups.items(), key=lambda item: RANK[item[0][2].outcome]):
            rows = self._by_arn[places[np.isin(which, numbers)]]
            principals = tuple([self._principals[row] for row in rows.tolist()])
            yield Folded(Answer(principals[0], key, what, action, decision), principals)

    @cached_property
    def _by_arn(self) -> NDArray[np.int64]:
        """The rows in the order of their ARNs."""
        import numpy as np

        arns = [principal.arn for principal in self._principals]
        return np.array(sorted(range(len(arns)), key=arns.__getitem__), dtype=np.int64)

    @cached_property
    def _cells(self) -> NDArray[np.int32]:
        """principals × keys of profile numbers; for an action that is about no key those of the principals."""
        import numpy as np

        if any(isinstance(question, Action) and not question.on_key for question in self._questions):
            return np.broadcast_to(self._table.account_level[:, np.newaxis], self._table.cells.shape)
        return self._table.cells

    @cached_property
    def _kind_of_column(self) -> NDArray[np.int64]:
        import numpy as np

        return np.array(self._kinds, dtype=np.int64)

    @cached_property
    def _promising(self) -> NDArray[np.bool_]:
        """Kind of key × profile: whether the decision about any action that is asked about is wanted."""
        import numpy as np

        wanted = np.array([self._wanted(decision) for decision in self._table.decisions], dtype=bool)
        by_action = wanted[np.array(self._table.profiles, dtype=np.int64).reshape(-1, len(ACTIONS))]
        found = np.zeros((len(self._usable), len(by_action)), dtype=bool)
        for kind in range(len(self._usable)):
            asked = {action.bit for question in self._questions for action in actions_in(self._mask(question, kind))}
            found[kind] = by_action[:, sorted(asked)].any(axis=1)
        return found

    def _mask(self, question: Action | Capability, kind: int) -> int:
        """The actions that a question is about. An action is asked about even where the key could not do it."""
        if isinstance(question, Action):
            return 1 << question.bit
        return CAPABILITY_MASKS[question] & self._usable[kind]

    def _answers(self, kind: int, profile: int) -> tuple[Answered, ...]:
        """Question, strongest action and decision, of a profile on keys of this kind."""
        found = self._found.get((kind, profile))
        if found is None:
            best = [(_name(one), self._table.best(profile, self._mask(one, kind))) for one in self._questions]
            told = tuple((name, *answer) for name, answer in best if answer is not None and self._wanted(answer[1]))
            found = self._found[kind, profile] = told
        return found


def _name(question: Action | Capability) -> str:
    return question.name if isinstance(question, Action) else question.label

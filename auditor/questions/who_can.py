"""Who can do something with a key: every row of the table, strongest access first."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.evaluator import Evaluation
from auditor.model.access import RANK
from auditor.model.actions import Action, Capability, usable_mask
from auditor.model.key import Key
from auditor.questions.answers import Answer


def who_can(
    evaluation: Evaluation, what: Action | Capability, keys: Sequence[Key], *, include_denied: bool = False
) -> tuple[Answer, ...]:
    """The answers for ``keys`` (of the snapshot), per key by outcome and ARN; denials only with ``include_denied``."""
    positions = {arn: position for position, arn in enumerate(evaluation.table.keys)}
    found: list[Answer] = []
    for key in keys:
        answers = [
            answer
            for row in range(len(evaluation.principals))
            if (answer := answer_for(evaluation, row, positions[key.arn], key, what)) is not None
            and (include_denied or not answer.decision.outcome.denied)
        ]
        found += sorted(answers, key=lambda item: (RANK[item.decision.outcome], item.principal.arn))
    return tuple(found)


def answer_for(evaluation: Evaluation, row: int, column: int, key: Key, what: Action | Capability) -> Answer | None:
    """The answer at a position of the table; None for a capability without an action that this key could do."""
    principal = evaluation.principals[row]
    if isinstance(what, Action):
        return Answer(principal, key, what.name, what, evaluation.table.decision(row, column, what))
    usable = usable_mask(key.spec, key.usage, key.origin)
    best = evaluation.table.capability(row, column, what, usable)
    return Answer(principal, key, str(what), *best) if best is not None else None

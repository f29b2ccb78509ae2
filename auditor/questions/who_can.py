"""Who can do something with a key: every row of the table, strongest access first."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.evaluator import Evaluation
from auditor.model.access import RANK
from auditor.model.actions import Action, Capability
from auditor.model.key import Key
from auditor.questions.answers import Answer
from auditor.questions.lookup import Lookup


def who_can(
    evaluation: Evaluation, what: Action | Capability, keys: Sequence[Key], *, include_denied: bool = False
) -> tuple[Answer, ...]:
    """The answers for ``keys`` (of the snapshot), per key by outcome and ARN; denials only with ``include_denied``."""
    positions = {arn: position for position, arn in enumerate(evaluation.table.keys)}
    lookup = Lookup(evaluation, (what,), lambda decision: include_denied or not decision.outcome.denied)
    found: list[Answer] = []
    for key in keys:
        answers = lookup.of_column(positions[key.arn])
        found += sorted(answers, key=lambda item: (RANK[item.decision.outcome], item.principal.arn))
    return tuple(found)

"""What principals can do: keys and capabilities, with the permissions that another layer takes away again."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.evaluator import Evaluation
from auditor.model.actions import Action, Capability
from auditor.model.key import Key
from auditor.model.principal import Principal
from auditor.questions.answers import Answer
from auditor.questions.who_can import answer_for


def what_can(
    evaluation: Evaluation,
    principals: Sequence[Principal],
    what: Action | Capability | None = None,
    *,
    keys: Sequence[Key] | None = None,
) -> tuple[Answer, ...]:
    """Access of ``principals``, and latent denials: something allows, another layer takes it away.

    ``what`` None asks for every capability. ``keys`` (of the snapshot) restricts the answer. An action that is about no
    key has one answer per principal, with ``NO_KEY``. A principal that is no row is decided as if it were one.
    """
    rows = {principal.arn: row for row, principal in enumerate(evaluation.principals)}
    strangers = tuple(principal for principal in principals if principal.arn not in rows)
    tables = [(evaluation, rows)]
    if strangers:
        from auditor.evaluator.matrix import build_table

        table = build_table(strangers, evaluation.snapshot.keys, evaluation.surroundings)
        part = Evaluation(evaluation.snapshot, evaluation.surroundings, strangers, table)
        tables.append((part, {principal.arn: row for row, principal in enumerate(strangers)}))
    found = []
    for principal in principals:
        part, places = next(entry for entry in tables if principal.arn in entry[1])
        found += _row(part, places[principal.arn], what, keys)
    return tuple(found)


def _row(
    evaluation: Evaluation, row: int, what: Action | Capability | None, keys: Sequence[Key] | None
) -> list[Answer]:
    if isinstance(what, Action) and not what.on_key:
        from auditor.evaluator.matrix import NO_KEY

        decision = evaluation.table.account_decision(row, what)
        answers = [Answer(evaluation.principals[row], NO_KEY, what.name, what, decision)]
    else:
        questions: tuple[Action | Capability, ...] = tuple(Capability) if what is None else (what,)
        wanted = None if keys is None else {key.arn for key in keys}
        answers = [
            answer
            for column, key in enumerate(evaluation.snapshot.keys)
            if wanted is None or key.arn in wanted
            for question in questions
            if (answer := answer_for(evaluation, row, column, key, question)) is not None
        ]
    return [answer for answer in answers if not answer.decision.outcome.denied or answer.decision.latent]

"""What principals can do: keys and capabilities, with the permissions that another layer takes away again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from auditor.evaluator import Evaluation
from auditor.model.access import Decision
from auditor.model.actions import Action, Capability
from auditor.model.principal import Principal
from auditor.questions.answers import Answer
from auditor.questions.lookup import Lookup


def what_can(
    evaluation: Evaluation, principals: Sequence[Principal], what: Action | Capability | None = None
) -> tuple[Answer, ...]:
    """Access of ``principals``, and latent denials: something allows, another layer takes it away.

    ``what`` None asks for every capability. An action that is about no key has one answer per principal, with
    ``NO_KEY``. A principal that is no row is decided as if it were one.
    """
    asked: dict[str, tuple[Callable[[int], Iterable[Answer]], int]] = {}
    for part in (evaluation, *_strangers(evaluation, principals)):
        answers = _answers(part, what)
        asked |= {principal.arn: (answers, row) for row, principal in enumerate(part.principals)}
    found: list[Answer] = []
    for principal in principals:
        answers, row = asked[principal.arn]
        found += answers(row)
    return tuple(found)


def _strangers(evaluation: Evaluation, principals: Sequence[Principal]) -> tuple[Evaluation, ...]:
    """An evaluation of the principals that are no rows, where there are any."""
    rows = {principal.arn for principal in evaluation.principals}
    strangers = tuple(principal for principal in principals if principal.arn not in rows)
    if not strangers:
        return ()
    from auditor.evaluator.matrix import build_table

    table = build_table(strangers, evaluation.snapshot.keys, evaluation.surroundings)
    return (Evaluation(evaluation.snapshot, evaluation.surroundings, strangers, table),)


def _answers(evaluation: Evaluation, what: Action | Capability | None) -> Callable[[int], Iterable[Answer]]:
    """Row → its answers."""
    if isinstance(what, Action) and not what.on_key:
        return lambda row: _without_key(evaluation, row, what)
    return Lookup(evaluation, tuple(Capability) if what is None else (what,), _telling).of_row


def _without_key(evaluation: Evaluation, row: int, what: Action) -> Iterable[Answer]:
    from auditor.evaluator.matrix import NO_KEY

    decision = evaluation.table.account_decision(row, what)
    if _telling(decision):
        yield Answer(evaluation.principals[row], NO_KEY, what.name, what, decision)


def _telling(decision: Decision) -> bool:
    """Whether something allows, even if another layer takes it away."""
    return not decision.outcome.denied or decision.latent

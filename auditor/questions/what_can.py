"""What principals can do: keys and capabilities, with the permissions that another layer takes away again."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.evaluator import Evaluation
from auditor.model.access import RANK, Decision
from auditor.model.actions import CAPABILITY_MASKS, Action, Capability, actions_in, usable_mask
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

    ``what`` None asks for every capability. ``keys`` (of the snapshot) restricts the answer.
    """
    questions: tuple[Action | Capability, ...] = tuple(Capability) if what is None else (what,)
    rows = {principal.arn: row for row, principal in enumerate(evaluation.principals)}
    wanted = None if keys is None else {key.arn for key in keys}
    found: list[Answer] = []
    for principal in principals:
        for column, key in enumerate(evaluation.snapshot.keys):
            if wanted is not None and key.arn not in wanted:
                continue
            for question in questions:
                row = rows.get(principal.arn)
                answer = (
                    answer_for(evaluation, row, column, key, question)
                    if row is not None
                    else _one_by_one(evaluation, principal, key, question)
                )
                if answer is not None and (not answer.decision.outcome.denied or answer.decision.latent):
                    found.append(answer)
    return tuple(found)


def _one_by_one(evaluation: Evaluation, principal: Principal, key: Key, what: Action | Capability) -> Answer | None:
    """The same for a caller that is no row of the table."""
    if isinstance(what, Action):
        return Answer(principal, key, what.name, what, evaluation.decide(principal, key, what.name))
    mask = CAPABILITY_MASKS[what] & usable_mask(key.spec, key.usage, key.origin)
    decided = [(action, evaluation.decide(principal, key, action.name)) for action in actions_in(mask)]
    if not decided:
        return None
    action, decision = min(decided, key=_rank)
    return Answer(principal, key, str(what), action, decision)


def _rank(pair: tuple[Action, Decision]) -> int:
    return RANK[pair[1].outcome]

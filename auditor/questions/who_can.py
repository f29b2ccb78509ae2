"""Who can do something with a key: every row of the table, strongest access first."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.evaluator import Evaluation
from auditor.evaluator.grants import operations_mask
from auditor.model.access import RANK
from auditor.model.actions import CAPABILITY_MASKS, Action, Capability
from auditor.model.arn import is_infrastructure
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


def infrastructure_grants(key: Key, what: Action | Capability) -> int:
    """The number of grants for ``what`` that AWS's own infrastructure holds, one for each volume of an instance: their
    holders come and go with the instances, and are no rows."""
    mask = 1 << what.bit if isinstance(what, Action) else CAPABILITY_MASKS[what]
    return sum(1 for one in key.grants if is_infrastructure(one.grantee or "") and operations_mask(one) & mask)

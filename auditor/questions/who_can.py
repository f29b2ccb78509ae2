"""Who can do something with a key: every row of the table, strongest access first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.evaluator import Evaluation
from auditor.evaluator.grants import operations_mask
from auditor.model.access import RANK
from auditor.model.actions import Action, Capability
from auditor.model.arn import is_infrastructure
from auditor.model.key import Key
from auditor.questions.answers import Answer, Folded, mask_asked
from auditor.questions.lookup import Lookup


def who_can(
    evaluation: Evaluation, what: Action | Capability, keys: Sequence[Key], *, include_denied: bool = False
) -> tuple[Answer, ...]:
    """The answers for ``keys`` (of the snapshot), per key by outcome and ARN; denials only with ``include_denied``."""
    lookup = _lookup(evaluation, what, include_denied)
    found: list[Answer] = []
    for column in _columns(evaluation, keys):
        answers = lookup.of_column(column)
        found += sorted(answers, key=lambda item: (RANK[item.decision.outcome], item.principal.arn))
    return tuple(found)


def who_can_folded(
    evaluation: Evaluation, what: Action | Capability, keys: Sequence[Key], *, include_denied: bool = False
) -> Iterator[tuple[Key, tuple[Folded, ...]]]:
    """The answers of ``who_can`` key by key, those that differ in the principal alone together."""
    lookup = _lookup(evaluation, what, include_denied)
    for key, column in zip(keys, _columns(evaluation, keys), strict=True):
        yield key, tuple(lookup.folded(column))


def _lookup(evaluation: Evaluation, what: Action | Capability, include_denied: bool) -> Lookup:
    return Lookup(evaluation, (what,), lambda decision: include_denied or not decision.outcome.denied)


def _columns(evaluation: Evaluation, keys: Sequence[Key]) -> list[int]:
    positions = {arn: position for position, arn in enumerate(evaluation.table.keys)}
    return [positions[key.arn] for key in keys]


def infrastructure_grants(key: Key, what: Action | Capability) -> int:
    """The number of grants for ``what`` that AWS's own infrastructure holds, one for each volume of an instance: their
    holders come and go with the instances, and are no rows."""
    mask = mask_asked(what)
    return sum(1 for one in key.grants if is_infrastructure(one.grantee or "") and operations_mask(one) & mask)

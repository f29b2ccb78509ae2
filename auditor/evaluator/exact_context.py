"""What a grant that demands an exact encryption context says about the condition keys of that context.

Source: API reference, GrantConstraints (EncryptionContextEquals: exactly these pairs, names without case). So a pair
that the constraint does not list is absent, and the context's keys are those of the constraint, in some case.
"""

from __future__ import annotations

from collections.abc import Iterable

from auditor.evaluator.consistency import Literal
from auditor.evaluator.implied import CONTEXT_KEYS, CONTEXT_PAIR
from auditor.evaluator.operators import Operator, parse_operator, satisfied
from auditor.model.residual import Leaf

EXACT = "GrantEncryptionContextEquals"


def settled(literal: Literal, given: Iterable[Literal]) -> bool | None:
    """Whether ``literal`` holds in every request (True) or in none (False) whose context is exactly that of a
    constraint in ``given``; None where that depends on the request."""
    for leaf, holds in given:
        if holds and leaf.operator == EXACT and (names := _names(leaf)) is not None:
            found = _found(literal[0], names)
            if found is not None:
                return found == literal[1]
    return None


def _names(exact: Leaf) -> tuple[str, ...] | None:
    """The names of the constraint's pairs in lower case; None where a sign of equality makes them unclear."""
    pairs = [value.split("=") for value in exact.values]
    return tuple(pair[0].lower() for pair in pairs) if all(len(pair) == 2 for pair in pairs) else None


def _found(leaf: Leaf, names: tuple[str, ...]) -> bool | None:
    operator, key = parse_operator(leaf.operator), leaf.key.lower()
    if operator is None:
        return None
    if key == CONTEXT_KEYS:
        return _of_names(operator, leaf.values, names)
    if key.startswith(CONTEXT_PAIR) and key[len(CONTEXT_PAIR) :] not in names:
        return satisfied(operator, leaf.values, ())
    return None


def _of_names(operator: Operator, values: tuple[str, ...], names: tuple[str, ...]) -> bool | None:
    """A test of the context's keys: certain where not even another case of the names would change it."""
    if operator.base == "null" or not names:
        return satisfied(operator, values, names)
    if operator.base not in ("stringequals", "stringequalsignorecase", "stringlike") or any("${" in v for v in values):
        return None
    folded = satisfied(operator, tuple(value.lower() for value in values), names)
    return folded if folded is operator.negated or operator.base == "stringequalsignorecase" else None

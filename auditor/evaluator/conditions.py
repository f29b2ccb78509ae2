"""Partial evaluation of a statement's conditions: what is known is decided, what only a request can tell remains.

Source: kms-authorization.md section 11. Operators under one Condition, keys under one operator: AND; values: OR.
"""

from __future__ import annotations

from auditor.evaluator import glob, vocabulary
from auditor.evaluator.expressions import all_of, unsettled
from auditor.evaluator.facts import Question, over_alias_quota
from auditor.evaluator.operators import Operator, parse_operator, satisfied
from auditor.evaluator.values import Known, RunTime, Unsettled
from auditor.evaluator.variables import resolve
from auditor.model.arn import is_account_id, parse_arn
from auditor.model.policy import ConditionTest, Statement, StatementRef
from auditor.model.residual import FALSE, TRUE, Leaf, Residual

_PATTERNED = ("stringlike", "arnlike")
_BOOLEANS = ("false", "true")


def condition_residual(
    statement: Statement, question: Question, *, has_variables: bool, source: StatementRef
) -> Residual:
    """What remains of the statement's Condition for this question."""
    effect = statement.effect or ""
    parts = [
        test_outcome(test, effect, question, has_variables=has_variables, source=source)
        for test in statement.conditions
    ]
    if not statement.condition_readable:
        parts.append(unsettled(f"the Condition of {source}"))
    return all_of(parts)


def empty_set_passes(statement: Statement, question: Question) -> bool:
    """Whether a ForAllValues test of the statement holds only because its key is absent (a known trap)."""
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        if operator and operator.quantifier == "all" and question.value(test.key) == Known(()):
            return True
    return False


def test_outcome(
    test: ConditionTest, effect: str, question: Question, *, has_variables: bool, source: StatementRef | None = None
) -> Residual:
    """What remains of one test; ``effect`` is that of its statement."""
    operator = parse_operator(test.operator)
    if operator is None:
        return unsettled(f"condition operator {test.operator}")
    if test.key.lower() == "kms:resourcealiases" and effect == "Allow" and over_alias_quota(question.key):
        return FALSE
    wanted: list[str] = []
    is_open = False
    for text in test.values:
        if not (has_variables and operator.takes_variables):
            wanted.append(text)
            continue
        resolved = resolve(text, question.value)
        if resolved.unsettled is not None:
            return unsettled(resolved.unsettled)
        if resolved.text is None:
            if operator.if_exists:
                return TRUE
            continue
        is_open = is_open or resolved.open
        wanted.append(resolved.text)
    spell = glob.spelled if operator.base in _PATTERNED else glob.plain
    leaf = Leaf(test.operator, vocabulary.canonical(test.key), tuple(sorted(set(map(spell, wanted)))), source)
    return _decide(operator, tuple(wanted), is_open, question.value(test.key), leaf)


def _decide(
    operator: Operator, wanted: tuple[str, ...], is_open: bool, value: Known | RunTime | Unsettled, leaf: Leaf
) -> Residual:
    if isinstance(value, Unsettled):
        return unsettled(value.what)
    if isinstance(value, Known):
        if is_open and value.values:
            return leaf
        return TRUE if satisfied(operator, wanted, value.values) else FALSE
    if is_open:
        return leaf
    outcomes: set[bool | None] = {_when_present(operator, wanted, value)}
    if value.may_be_absent:
        outcomes.add(satisfied(operator, wanted, ()))
    if outcomes == {True}:
        return TRUE
    return FALSE if outcomes == {False} else leaf


def _when_present(operator: Operator, wanted: tuple[str, ...], value: RunTime) -> bool | None:
    """The result for a request that carries the key, or None when it depends on the value."""
    if operator.base == "null":
        return satisfied(operator, wanted, ("present",))
    domain = _BOOLEANS if value.domain is None and operator.base == "bool" else value.domain
    if domain is not None:
        results = {satisfied(operator, wanted, (text,)) for text in domain}
        return results.pop() if len(results) == 1 else (None if results else False)
    possible = tuple(text for text in wanted if _possible(operator, text, value))
    if not possible:
        return operator.negated
    if any(_certain(operator, text, value) for text in possible):
        return not operator.negated
    return None


def _possible(operator: Operator, text: str, value: RunTime) -> bool:
    """Whether the key can have a value that ``text`` matches, under the restrictions of ``value``."""
    patterned = operator.base in _PATTERNED
    if value.account is not None:
        arn = parse_arn(text)
        return arn is None or not is_account_id(arn.account) or arn.account == value.account
    if value.prefix is not None:
        return glob.overlap(text if patterned else glob.literal(text), value.prefix + "*")
    if value.not_value is not None:
        return not glob.plain(text).startswith(value.not_value) or glob.has_wildcard(text[: len(value.not_value)])
    return True


def _certain(operator: Operator, text: str, value: RunTime) -> bool:
    """Whether every value that the key can have matches ``text``."""
    if operator.base != "stringlike":
        return False
    if set(text) == {"*"}:
        return True
    star = text.find("*")
    return (
        value.prefix is not None and text.endswith("*") and star == len(text) - 1 and value.prefix.startswith(text[:-1])
    )

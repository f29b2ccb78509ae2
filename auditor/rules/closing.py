"""What guards leave of a test: a Null false beside it, and the Deny statements of a trust policy around it.

Turns them into tests of the Allow itself, so that rules read one list of conditions. Works on the text; what a request
carries is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from auditor.evaluator.operators import Operator, parse_operator
from auditor.evaluator.strength import holds_without_key
from auditor.model.arn import account_of, is_account_id, is_root
from auditor.model.policy import ConditionTest, Policy, Statement
from auditor.model.residual import Leaf
from auditor.rules.acting import acts

POSITIVE = {
    "stringequals": "StringEquals",
    "stringequalsignorecase": "StringEqualsIgnoreCase",
    "stringlike": "StringLike",
    "arnlike": "ArnLike",
    "ipaddress": "IpAddress",
}
OTHER_QUANTIFIER = {"": "", "any": "ForAllValues:", "all": "ForAnyValue:"}


def demanding(tests: Iterable[ConditionTest]) -> tuple[ConditionTest, ...]:
    """The tests, without IfExists and ForAllValues where a test beside them demands the key to be there."""
    tests = tuple(tests)
    there = demanded(tests)
    return tuple(_hardened(test) if test.key.lower() in there else test for test in tests)


def demanded(tests: Iterable[ConditionTest]) -> frozenset[str]:
    """The condition keys (lower case) without which a request fails one of the tests: a Null false, or one that asks
    for a value, such as ForAnyValue beside ForAllValues."""
    leaves = (Leaf(test.operator, test.key, test.values) for test in tests)
    return frozenset(leaf.key.lower() for leaf in leaves if holds_without_key(leaf) is False)


def _only(test: ConditionTest, value: str) -> bool:
    return {one.strip().lower() for one in test.values} == {value}


def _hardened(test: ConditionTest) -> ConditionTest:
    operator = re.sub(r"IfExists$", "", test.operator, flags=re.IGNORECASE)
    return replace(test, operator=re.sub(r"^ForAllValues:", "ForAnyValue:", operator, flags=re.IGNORECASE))


def closed_by(policy: Policy, allow: Statement, actions: Sequence[str], who: str) -> tuple[ConditionTest, ...] | None:
    """What the Deny statements of a trust policy demand of ``who`` for all of ``actions``; None: they refuse it.

    Only a Deny with one test (besides those that every identity meets) leaves a demand; of others nothing is said.
    """
    found: list[ConditionTest] = []
    for statement in policy.statements:
        if statement is allow or statement.effect != "Deny" or not _speaks_of(statement, who, actions):
            continue
        tests = [test for test in demanding(statement.conditions) if not _of_services(test)]
        if not tests and statement.condition_readable:
            return None
        left = _opposite(tests[0]) if len(tests) == 1 else None
        found += [left] if left is not None else []
    return tuple(found)


def _of_services(test: ConditionTest) -> bool:
    """Whether a test only spares AWS services."""
    return test.key.lower() == "aws:principalisawsservice" and _only(test, "false")


def _speaks_of(statement: Statement, who: str, actions: Sequence[str]) -> bool:
    named = {entry.value for entry in statement.principals or () if entry.kind == "AWS"}
    whole = {account_of(value) for value in named if is_account_id(value) or is_root(value)}
    if not actions or not ("*" in named or who in named or account_of(who) in whole - {None}):
        return False
    return all(acts(statement, action) for action in actions)


def _opposite(test: ConditionTest) -> ConditionTest | None:
    """The test that a request passes exactly when this one fails, as far as it demands something."""
    operator = parse_operator(test.operator)
    if operator is None:
        return None
    if operator.base in ("null", "bool"):
        return _flipped(test, operator)
    if not operator.negated or operator.base not in POSITIVE or (operator.quantifier == "any" and operator.if_exists):
        return None
    name = OTHER_QUANTIFIER[operator.quantifier] + POSITIVE[operator.base]
    return ConditionTest(name, test.key, test.values)


def _flipped(test: ConditionTest, operator: Operator) -> ConditionTest | None:
    for value, other in (("true", "false"), ("false", "true")):
        if _only(test, value):
            name = "Null" if operator.base == "null" else "Bool" if operator.if_exists else "BoolIfExists"
            return ConditionTest(name, test.key, (other,))
    return None

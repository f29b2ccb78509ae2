"""Mistakes inside a Condition or a Resource: operators that do not exist, values that their operator cannot read,
policy variables that are none (IAM Access Analyzer's policy checks name them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from auditor.evaluator.operators import Operator, operator_names, parse_operator, readable
from auditor.evaluator.variables import VARIABLE, variable_name
from auditor.evaluator.vocabulary import canonical, exists, family_of, meant, multi_valued
from auditor.model.policy import ConditionTest, Policy, PolicyProblem, Statement

BOOLEAN = ("bool", "null")


def mistakes_in_tests(policy: Policy, statement: Statement) -> list[PolicyProblem]:
    """What is wrong with the tests and variables of a statement, whatever the key."""
    found = [message for test in statement.conditions for message in _test(test)]
    found += _twice(statement)
    if policy.has_variables:
        found += [message for text in _texts_with_variables(statement) for message in _variables(text)]
    element = "Condition" if statement.conditions else "Resource"
    return [
        PolicyProblem(statement.index, statement.sid, element, "wrong-value", message)
        for message in dict.fromkeys(found)
    ]


def _test(test: ConditionTest) -> Iterator[str]:
    operator = parse_operator(test.operator)
    if operator is None:
        yield f"There is no condition operator “{test.operator}”{_hint(test)}; the test cannot be decided."
        return
    yield from _set_operator(test, operator)
    if operator.base in BOOLEAN and {value.strip().lower() for value in test.values} == {"true", "false"}:
        yield f"{test.operator} {test.key} takes one of true and false, not both."
    bad = [value for value in test.values if not _readable(operator, value)]
    positive = not (operator.negated or operator.if_exists or operator.quantifier == "all")
    if bad and not (positive and operator.base not in ("null", "arnlike") and len(bad) == len(test.values)):
        # A test that no value can pass is a condition that is never true: another rule tells it.
        yield f"{test.operator} {test.key} cannot be compared with “{bad[0]}”."


def _set_operator(test: ConditionTest, operator: Operator) -> Iterator[str]:
    """A set operator that is missing, or stands where KMS refuses it."""
    if multi_valued(test.key) and not operator.quantifier and operator.base != "null":
        yield f"{canonical(test.key)} may have several values: {test.operator} needs ForAnyValue or ForAllValues."
    if operator.quantifier == "all" and family_of(test.key) in ("kms:encryptioncontext:", "aws:requesttag/"):
        yield f"KMS refuses ForAllValues with {canonical(test.key)}, which has one value."


def _twice(statement: Statement) -> Iterator[str]:
    """Condition keys that stand under one operator in several spellings: their names do not tell them apart."""
    seen = Counter((test.operator, test.key.lower()) for test in statement.conditions)
    for (operator, name), times in seen.items():
        if times > 1:
            yield f"{operator} tests {canonical(name)} {times} times: the case of its name makes no difference."


def _hint(test: ConditionTest) -> str:
    if parse_operator(test.key) is not None:
        return "; operator and condition key have changed places"
    close = _operator_meant(test.operator)
    return f"; meant was probably {close}" if close else ""


def _operator_meant(name: str) -> str:
    """The operator that a name which is none was probably meant to be; empty where none is like it."""
    return next(iter(get_close_matches(name, operator_names(), 1, 0.8)), "")


def corrected_condition(written: Any) -> Any:
    """A Condition element with its operators as they were probably meant: by another name, or for the keys that stand
    in their place. Anything else as it is."""
    if not isinstance(written, dict):
        return written
    found: dict[str, Any] = {}
    for operator, tests in written.items():
        for name, key, value in _meant(str(operator), tests):
            held = found.setdefault(name, {})
            if not isinstance(held, dict) or key in held:
                return written
            held[key] = value
        if not isinstance(tests, dict):
            return written
    return found


def _meant(operator: str, tests: Any) -> Iterator[tuple[str, str, Any]]:
    for key, value in tests.items() if isinstance(tests, dict) else ():
        if parse_operator(operator) is None and parse_operator(str(key)) is not None:
            yield str(key), operator, value
        else:
            yield operator if parse_operator(operator) else _operator_meant(operator) or operator, str(key), value


def _readable(operator: Operator, value: str) -> bool:
    if operator.base in BOOLEAN:
        return value.strip().lower() in ("true", "false")
    if operator.base == "arnlike":
        return value.count(":") >= 5 or "${" in value
    return readable(operator.base, value)


def _texts_with_variables(statement: Statement) -> Iterator[str]:
    yield from statement.resources or ()
    yield from statement.not_resources or ()
    for test in statement.conditions:
        operator = parse_operator(test.operator)
        if operator is not None and operator.takes_variables:
            yield from test.values


def _variables(text: str) -> Iterator[str]:
    """What is wrong with the policy variables of a text."""
    if "${" in VARIABLE.sub("", text):
        yield f"“{text}” opens a variable that it does not close."
    for found in VARIABLE.finditer(text):
        body = found.group(1)
        if body in ("*", "?", "$"):
            continue
        name = variable_name(body)
        if name is None:
            yield f"“{found.group(0)}” is no variable: write ${{key}} or ${{key, 'default'}}."
        elif multi_valued(name):
            yield f"{canonical(name)} may have several values, so it is no variable: “{text}” matches nothing."
        elif not exists(name) and meant(name):
            yield f"There is no condition key {name} for the variable in “{text}”; meant was probably {meant(name)}."

"""The lenient parser: what is missing or of the wrong type counts as absent, and is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.model.policy import ConditionTest, Policy, PrincipalValue
from auditor.model.policy_document import LONGEST_TEXT, parse_policy


def parsed(**elements: Any) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **elements}]})


def codes(policy: Policy) -> list[tuple[str, str]]:
    return [(problem.element, problem.code) for problem in policy.problems]


@pytest.mark.parametrize(
    ("condition", "tests", "readable"),
    [
        ({"Bool": {"k": True}}, [("Bool", "k", ("true",))], True),
        ({"Bool": {"k": [False, "x"]}}, [("Bool", "k", ("false", "x"))], True),
        ({"NumericEquals": {"k": 5}}, [("NumericEquals", "k", ("5",))], True),
        ({"StringEquals": {"k": []}}, [("StringEquals", "k", ())], True),
        ({"StringEquals": {"a": "1", "b": "2"}}, [("StringEquals", "a", ("1",)), ("StringEquals", "b", ("2",))], True),
        ({"StringEquals": "k", "Bool": {"k": True}}, [("Bool", "k", ("true",))], False),
        ({"StringEquals": {"k": {"v": 1}, "l": "x"}}, [("StringEquals", "l", ("x",))], False),
        ({"StringEquals": {"k": ["x", None]}}, [], False),
        ([], [], False),
    ],
)
def test_conditions(condition: Any, tests: list[tuple[str, str, tuple[str, ...]]], readable: bool) -> None:
    policy = parsed(Condition=condition)
    (statement,) = policy.statements
    assert statement.conditions == tuple(ConditionTest(*test) for test in tests)
    assert statement.condition_readable is readable
    assert codes(policy) == ([] if readable else [("Condition", "wrong-type")])


@pytest.mark.parametrize(
    ("principal", "values", "problem"),
    [
        ("*", [("AWS", "*")], None),
        ({"AWS": "*"}, [("AWS", "*")], None),
        ({"AWS": ["a", "b"], "Service": "s"}, [("AWS", "a"), ("AWS", "b"), ("Service", "s")], None),
        ({"AWS": ["a", 111122223333]}, [("AWS", "a"), ("AWS", "111122223333")], "wrong-type"),
        ({"AWS": ["a", 5]}, [("AWS", "a")], "wrong-type"),
        ({"AWS": ["a", True]}, [("AWS", "a")], "wrong-type"),
        ({"aws": "a", "Service": "s"}, [("Service", "s")], "unknown-principal-type"),
        ("arn:aws:iam::111122223333:root", None, "wrong-type"),
        (["*"], None, "wrong-type"),
    ],
)
@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
def test_principals(element: str, principal: Any, values: list[tuple[str, str]] | None, problem: str | None) -> None:
    policy = parsed(**{element: principal})
    (statement,) = policy.statements
    found = statement.principals if element == "Principal" else statement.not_principals
    assert found == (None if values is None else tuple(PrincipalValue(*one) for one in values))
    assert codes(policy) == ([] if problem is None else [(element, problem)])


def test_lists_of_texts() -> None:
    policy = parsed(Action="kms:Decrypt", Resource=["*", 5], NotResource=[])
    (statement,) = policy.statements
    assert (statement.actions, statement.resources, statement.not_resources) == (("kms:Decrypt",), None, ())
    assert codes(policy) == [
        ("NotResource", "both-elements"),
        ("Resource", "wrong-type"),
        ("NotResource", "empty-element"),
    ]


@pytest.mark.parametrize(
    ("element", "meant"),
    [("Actions", "Action"), ("Pricipal", "Principal"), ("conditions", "Condition"), ("Comment", "")],
)
def test_misspelt_elements_are_absent(element: str, meant: str) -> None:
    policy = parsed(**{element: "x"})
    assert [(one.element, one.code, one.suggestion) for one in policy.problems] == [(element, "unknown-element", meant)]
    assert policy.statements[0].actions is None


@pytest.mark.parametrize("effect", [None, "allow", "DENY", ["Allow"], ""])
def test_an_effect_is_exactly_allow_or_deny(effect: Any) -> None:
    policy = parsed(Effect=effect)
    assert policy.statements[0].effect is None
    assert codes(policy) == [("Effect", "missing-effect")]


def test_of_a_name_that_occurs_twice_the_last_counts() -> None:
    policy = parse_policy('{"Statement": {"Effect": "Deny", "Effect": "Allow"}}')
    assert policy.statements[0].effect == "Allow"
    assert codes(policy) == [("Effect", "duplicate-element")]
    assert not policy.has_variables  # a document without Version is of 2008-10-17


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"Statement": "x"}', '{"Statement": [{}, 1]}', "[" * 100_000, json.dumps(" " * LONGEST_TEXT)],
    ids=range(7),
)
def test_what_is_no_policy_is_unreadable(text: str) -> None:
    policy = parse_policy(text)
    assert not policy.readable and policy.statements == () and policy.text == text
    assert [code for _, code in codes(policy)] == ["unreadable-document"]

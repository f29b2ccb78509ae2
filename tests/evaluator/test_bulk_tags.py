"""Keys that differ in a tag alone: the bulk engine tells them apart by the answers of tests, and must miss none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.model.key import Fact, Key
from tests.evaluator.test_bulk_classes import DECRYPT, equal_one_by_one, key, role

VALUES = ("blue", "Blue", "green", "b*", "*", "${*}", "", "İ", "i̇", "ß", "ss", "blue ", "undefined")
OPERATORS = (
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    *("StringEqualsIfExists", "StringNotEqualsIfExists", "ForAnyValue:StringEquals", "ForAllValues:StringNotEquals"),
    *("StringLike", "StringNotLike"),
)
TEXTS = (
    ["${aws:PrincipalTag/team}"],
    ["${aws:PrincipalTag/none, 'green'}"],
    ["${aws:PrincipalTag/none}"],
    ["green", "${aws:principaltag/TEAM}"],
    ["b${*}", "ß"],
    ["b*", "${$}{*}"],
    ["${aws:username}"],
    ["${aws:SourceVpc}", "blue"],
    ["${aws:ResourceTag/team}"],
)


def tagged() -> list[Key]:
    keys = [replace(key(f"k{number}"), tags=(("team", value),)) for number, value in enumerate(VALUES)]
    odd = [
        replace(key("none"), tags=()),
        replace(key("two"), tags=(("team", "blue"), ("Team", "green"))),
        replace(key("same"), tags=(("team", "blue"), ("TEAM", "blue"))),
        replace(key("unread"), tags=(), unread=frozenset({Fact.TAGS})),
        replace(key("half"), tags=(("team", "blue"),), unread=frozenset({Fact.TAGS})),
    ]
    return [*keys, *odd]


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("operator", OPERATORS)
def test_the_table_equals_asking_one_by_one_about_keys_with_other_tags(operator: str, effect: str) -> None:
    callers = []
    for number, texts in enumerate(TEXTS):
        test = {operator: {"aws:ResourceTag/Team": texts}}
        statements: list[dict[str, Any]] = [{**DECRYPT, "Effect": effect, "Condition": test}]
        for team in ("blue", "İ", "*", None):
            allowed = [*statements, *([DECRYPT] if effect == "Deny" else [])]
            callers.append(role(f"r{number}-{team and ord(team[0])}", team, *allowed))
    equal_one_by_one(callers, tagged(), None)

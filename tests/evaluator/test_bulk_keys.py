"""Keys that differ in a tag or their aliases alone: the bulk engine tells them apart by the answers of tests."""

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


def under(effect: str, condition: dict[str, Any]) -> list[dict[str, Any]]:
    """Decryption under a condition, or allowed but for it."""
    return [{**DECRYPT, "Effect": effect, "Condition": condition}, *([DECRYPT] if effect == "Deny" else [])]


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
        statements = under(effect, {operator: {"aws:ResourceTag/Team": texts}})
        for team in ("blue", "İ", "*", None):
            callers.append(role(f"r{number}-{team and ord(team[0])}", team, *statements))
    equal_one_by_one(callers, tagged(), None)


NAMES = (("a",), ("A",), ("ab",), ("b",), ("a", "b"), ("aws*",), ("",), tuple(f"n{number}" for number in range(51)))
ANY_ALIAS = (
    *("ForAnyValue:StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringNotLike", "ForAllValues:StringLike"),
    *("StringLike", "ForAnyValue:StringLikeIfExists", "ForAnyValue:StringEqualsIgnoreCase"),
)
PATTERNS = (
    *(["alias/a*"], ["alias/?"], ["*b"], ["alias/a"], ["alias/b", "alias/A"], ["alias/aws${*}"], ["alias/*", "x"]),
    *(["alias/n5?"], ["*"], [""], []),
)


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize("operator", ANY_ALIAS)
def test_the_table_equals_asking_one_by_one_about_keys_with_other_aliases(operator: str, effect: str) -> None:
    callers = []
    for number, patterns in enumerate(PATTERNS):
        callers.append(role(f"r{number}", None, *under(effect, {operator: {"kms:ResourceAliases": patterns}})))
    keys = [key(f"k{number}", *(f"alias/{name}" for name in names)) for number, names in enumerate(NAMES)]
    unread = frozenset({Fact.ALIASES})
    odd = [key("none"), replace(key("unread"), unread=unread), replace(key("half", "alias/a"), unread=unread)]
    equal_one_by_one(callers, [*keys, *odd], None)

"""No rule passes over what could not be read: a finding that a gap hides is told as potential, as not evaluated, as a
subject that the rule did not look at, or by another rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from auditor.rules.registry import RULES
from tests.rules import estate
from tests.rules.hiding import hidden
from tests.rules.test_cases import CASES, judged

TOLD_BY = {
    "evaluation-inconclusive": "key-policy-unreadable",
    "external-account-access": "public-key-policy",
    "key-takeover-by-non-admin": "full-kms-to-non-admin",
}
"""Rule → the one that tells instead what it cannot be sure of."""


def _firing(rule: str) -> Iterator[dict[str, Any]]:
    for name, case in CASES:
        if name == rule and isinstance(case["expect"], list) and case["expect"]:
            yield case


def _passed_over(rule: str, case: dict[str, Any]) -> list[str]:
    """The facts whose loss makes a finding go without a word."""
    snapshot = estate.snapshot(case)
    before = len(judged(snapshot, case, [rule]).findings)
    found = []
    for what, seen in hidden(snapshot):
        after = judged(seen, case, [rule])
        (status,) = after.rules
        if len(after.findings) >= before or not status.evaluated or status.skipped:
            continue
        if rule not in TOLD_BY or not judged(seen, case, [TOLD_BY[rule]]).findings:
            found.append(what)
    return found


@pytest.mark.parametrize("rule", sorted(RULES))
def test_no_gap_is_passed_over(rule: str) -> None:
    assert _passed_over(rule, next(_firing(rule))) == []


@pytest.mark.slow
@pytest.mark.parametrize("rule", sorted(RULES))
def test_no_gap_is_passed_over_in_any_case(rule: str) -> None:
    for case in _firing(rule):
        assert _passed_over(rule, case) == [], case["name"]

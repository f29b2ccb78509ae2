"""``kms-audit rules`` and ``kms-audit permissions``: what is listed is what there is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from auditor.rules.catalogue import CATEGORIES, catalogue
from auditor.rules.registry import RULES
from tests.cli.conftest import Answer

Ask = Callable[..., Answer]


def test_the_list_has_every_rule_with_its_facts(ask: Ask) -> None:
    rows = ask("rules", "list", "-f", "json").json()
    assert {row["id"] for row in rows} == set(RULES)
    for row in rows:
        facts = catalogue()[row["id"]]
        told = (facts.code, facts.title, facts.category, str(facts.default_severity))
        assert (row["code"], row["title"], row["category"], row["severity"]) == told
    *lines, last = ask("rules", "list").out.splitlines()
    assert last == f"{len(RULES)} rules"
    assert [line.split()[:3] for line in lines] == [[row["id"], row["category"], row["severity"]] for row in rows]
    assert all(line.endswith(row["title"]) for line, row in zip(lines, rows, strict=True))


def test_the_list_of_a_category_has_its_rules_alone(ask: Ask) -> None:
    rows = ask("rules", "list", "-f", "json").json()
    found = []
    for category in CATEGORIES:
        listed = ask("rules", "list", "--category", category, "-f", "json").json()
        assert {row["category"] for row in listed} <= {category}
        found += listed
    assert sorted(found, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_shown_by_its_id_and_by_its_code(ask: Ask, rule: str) -> None:
    facts = catalogue()[rule]
    page = ask("rules", "show", rule)
    assert page.code == 0
    assert ask("rules", "show", facts.code.lower()).out == page.out
    head = [f"{facts.code}  {rule}", facts.title, f"{facts.category}, {facts.default_severity}"]
    assert page.out.splitlines()[:3] == head
    for text in (facts.why, *facts.fires_when, *facts.silent_when, facts.example.summary):
        assert text in page.out
    full = ask("rules", "show", rule, "-f", "json").json()
    assert full["id"] == rule and full["documentation"] in page.out and full["documentation"]


def test_the_policy_points_at_keys_that_do_not_delegate(ask: Ask) -> None:
    answer = ask("permissions")
    assert answer.code == 0 and json.loads(answer.out)["Version"] == "2012-10-17"
    assert answer.err.startswith("Keys that do not delegate to IAM must name the role")
    assert ask("permissions", "-f", "terraform").err == ""
    assert "arn:aws-cn:" in ask("permissions", "--partition", "aws-cn", "--key-statement").out

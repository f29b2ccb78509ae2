"""The law behind partial judgement: on the part that its scope names, a rule says what it says of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from auditor.evaluator import Evaluation, surroundings_of
from auditor.evaluator.matrix import build_table, closed_table
from auditor.evaluator.mentions import rows
from auditor.model.finding import Finding
from auditor.model.key import Key
from auditor.model.moments import time_of_run
from auditor.model.policy import Layer
from auditor.model.principal import Principal
from auditor.model.settings import RuleSettings
from auditor.model.snapshot import Snapshot
from auditor.rules.judge import findings_of
from auditor.rules.registry import RULES
from auditor.rules.scopes import Scope, scope_of
from auditor.rules.view import View
from tests.bench.synthetic_organization import synthetic_snapshot
from tests.rules import estate
from tests.rules.test_cases import CASES

NEED_A_BASELINE = {"grant-outlives-policy-removal", "new-plaintext-access-since-baseline"}
COME_WITH_TIME = {"direct-plaintext-without-context", "unused-key-permission"}
"""Anybody can be one of their findings from one day to the next."""


@dataclass(frozen=True)
class Estate:
    """Facts, the settings and time to judge them with, and the whole view."""

    facts: Snapshot
    settings: RuleSettings
    as_of: str

    def view(self) -> View:
        table = build_table(self.callers, self.facts.keys, surroundings_of(self.facts, as_of=self.as_of))
        return self.part(self.facts.keys, self.callers, table)

    @property
    def callers(self) -> tuple[Principal, ...]:
        return rows(self.facts)

    def part(
        self, keys: tuple[Key, ...], callers: tuple[Principal, ...], table: Any = None, members: Any = None
    ) -> View:
        around = surroundings_of(self.facts, as_of=self.as_of)
        facts = replace(self.facts, keys=keys)
        evaluation = Evaluation(facts, around, callers, table or build_table(callers, keys, around))
        return View(evaluation, self.settings, time_of_run(self.as_of), members=members)


def expected_and_found(of: Estate, rule: str) -> Iterator[tuple[list[Finding], list[Finding]]]:
    """What a rule says of parts of an estate by judging the whole, and by judging the part."""
    for scope in {scope_of(rule), scope_of(rule, same_callers=True), scope_of(rule, same_time=True)}:
        yield from expected_and_found_in(scope, of, rule)


def expected_and_found_in(scope: Scope, of: Estate, rule: str) -> Iterator[tuple[list[Finding], list[Finding]]]:
    """The same for one scope of the rule."""
    whole = findings_of(rule, of.view())
    accounts = sorted({who.account for who in of.callers if who.account})
    if scope is Scope.FACTS:
        closed = of.part(of.facts.keys, of.callers, closed_table(of.callers, of.facts.keys))
        yield whole, findings_of(rule, closed)
    if scope in (Scope.KEYS, Scope.STATEMENTS):
        for some in _families(of.facts.keys):
            arns = {key.arn for key in some}
            view = of.part(some, of.callers, members=frozenset(accounts[:1]))
            about = [one for one in whole if (set(one.keys) <= arns if one.keys else _seen(one, accounts[:1]))]
            yield about, findings_of(rule, view)
    if scope is Scope.ACCOUNTS:
        for account in accounts:
            own = tuple(who for who in of.callers if who.account == account)
            found = findings_of(rule, of.part(of.facts.keys, own, members=frozenset({account})))
            yield (
                [one for one in whole if one.account == account],
                [one for one in found if one.account == account],
            )


def _seen(finding: Finding, accounts: list[str]) -> bool:
    """Whether a finding is about a policy of one of the accounts, or of the organization: one that nobody holds."""
    layers = {item.statement.layer for item in finding.evidence if item.statement}
    return finding.account in accounts or bool(layers & {Layer.SCP, Layer.RCP}) or not finding.principals


def _families(keys: tuple[Key, ...]) -> Iterator[tuple[Key, ...]]:
    """Each key with its multi-Region relatives."""
    for key_id in {key.key_id: None for key in keys}:
        yield tuple(key for key in keys if key.key_id == key_id)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_part_is_judged_as_the_whole_is(rule: str) -> None:
    for name, case in CASES:
        if name == rule and not case.get("baseline"):
            settings = estate.settings(case.get("settings"))
            of = Estate(estate.snapshot(case), settings, case.get("as_of", estate.AS_OF))
            for expected, found in expected_and_found(of, rule):
                assert found == expected, case["name"]


@pytest.mark.slow
@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_part_of_an_organization_is_judged_as_the_whole_is(rule: str, organization: Estate) -> None:
    for expected, found in expected_and_found(organization, rule):
        assert found == expected


@pytest.fixture(scope="module")
def organization() -> Estate:
    settings = RuleSettings(account_admins=("*role/team-1/*",), key_admins=("*role/team-2/*",))
    return Estate(synthetic_snapshot(3, 60, 20, 3), settings, estate.AS_OF)


def test_every_rule_has_a_scope() -> None:
    assert {rule for rule in RULES if scope_of(rule) is Scope.ESTATE} == NEED_A_BASELINE | COME_WITH_TIME

"""Every rule against its cases: ``cases/RULE.yaml``. Adding a case needs no Python."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from auditor.evaluator import evaluate
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot
from auditor.rules import judge
from auditor.rules.judge import Judgement
from auditor.rules.registry import RULES
from tests.rules import estate
from tests.rules.files import cases_in

CASES = cases_in(Path(__file__).parent / "cases")


def judged(snapshot: Snapshot, case: dict[str, Any], rules: Iterable[str]) -> Judgement:
    """What rules say of a snapshot, with the settings, the time and the baseline of a case."""
    as_of = case.get("as_of", estate.AS_OF)
    baseline = None
    if case.get("baseline"):
        before = estate.snapshot(case["baseline"])
        old = evaluate(before, as_of=as_of)
        made = case["baseline"].get("as_of", "")
        baseline = Report(snapshot=before, principals=old.principals, access=old.table, findings=(), as_of=made)
    evaluation = evaluate(snapshot, as_of=as_of)
    return judge(evaluation, estate.settings(case.get("settings")), as_of=as_of, baseline=baseline, only=rules)


def _run(rule: str, case: dict[str, Any]) -> Judgement:
    return judged(estate.snapshot(case), case, case.get("rules", [rule]))


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule}: {case['name']}" for rule, case in CASES])
def test_case(rule: str, case: dict[str, Any]) -> None:
    judgement = _run(rule, case)
    found = [finding for finding in judgement.findings if finding.rule == rule]
    if case["expect"] == "not evaluated":
        status = next(status for status in judgement.rules if status.rule == rule)
        assert not status.evaluated and status.reason
        return
    if "blind" in case:
        status = next(status for status in judgement.rules if status.rule == rule)
        assert [str(scope).rsplit(":", 1)[-1] for scope in status.skipped] == case["blind"]
    shown = [(finding.severity.value, finding.summary) for finding in found]
    assert len(found) == len(case["expect"]), shown
    for finding, wanted in zip(found, case["expect"], strict=True):
        assert finding.severity.value == wanted["severity"], (shown, [clause.when for clause in finding.clauses])
        assert finding.latent is wanted.get("latent", False), shown
        assert finding.confidence.value == wanted.get("confidence", "confirmed"), shown
        text = "\n".join([finding.summary, *(f"{item.label}: {item.value}" for item in finding.evidence)])
        for part in wanted.get("says", ()):
            assert part in text, text
        for part in wanted.get("hushes", ()):
            assert part not in text, text
        for part in wanted.get("fix", ()):
            assert part in finding.remediation.body, finding.remediation.body
        assert wanted.get("advice", "") in finding.remediation.summary
        for part in wanted.get("clauses", ()):
            assert any(part in clause.when for clause in finding.clauses), finding.clauses
        assert finding.remediation.kind == wanted.get("kind", finding.remediation.kind)
        if finding.remediation.kind.endswith("policy"):
            assert json.loads(finding.remediation.body)
        if "index" in wanted:
            assert wanted["index"] in [item.statement.index for item in finding.evidence if item.statement]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_firing_and_a_silent_case(rule: str) -> None:
    own = [case["expect"] for name, case in CASES if name == rule]
    assert any(isinstance(expect, list) and expect for expect in own), "no firing case"
    assert any(expect == [] for expect in own), "no silent case"

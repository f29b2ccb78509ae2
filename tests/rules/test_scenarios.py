"""Whole estates against all rules: policies that AWS's guides recommend, and attacks that people wrote about.

``scenarios/FAMILY.yaml``: ``expect`` lists every finding but those of the family's ``ignore`` as rule → severity (a
list where there are several; ``latent`` and ``potential`` follow it): a false alarm fails as a missed finding does.
``verdicts`` are principal, action, key and outcome. Symmetric keys rotate unless they say otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from auditor.evaluator import Evaluation, evaluate
from auditor.model.finding import Finding
from auditor.questions import find_keys, principal_named
from auditor.rules import judge
from tests.rules import estate
from tests.rules.files import cases_in

SCENARIOS = cases_in(Path(__file__).parent / "scenarios")


def _keys(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The keys, rotated where AWS can do it, so that a case need not say so."""
    rotating = {"rotation": {"enabled": True, "period_days": 365}}
    plain = [entry.get("origin", "AWS_KMS") == "AWS_KMS" and "spec" not in entry for entry in entries]
    return [{**rotating, **entry} if rotates else entry for entry, rotates in zip(entries, plain, strict=True)]


def _evaluated(case: dict[str, Any]) -> Evaluation:
    return evaluate(estate.snapshot({**case, "keys": _keys(case.get("keys", [{}]))}), as_of=estate.AS_OF)


def _mark(finding: Finding) -> str:
    marks = [finding.severity.value, "latent" if finding.latent else "", finding.confidence.value]
    return " ".join(mark for mark in marks if mark and mark != "confirmed")


@pytest.mark.parametrize(("family", "case"), SCENARIOS, ids=[f"{family}: {case['name']}" for family, case in SCENARIOS])
def test_scenario(family: str, case: dict[str, Any]) -> None:
    evaluation = _evaluated(case)
    found: dict[str, list[str]] = defaultdict(list)
    for finding in judge(evaluation, estate.settings(case.get("settings")), as_of=estate.AS_OF).findings:
        if finding.rule not in case["ignore"]:
            found[finding.rule].append(_mark(finding))
    wanted = {rule: [marks] if isinstance(marks, str) else marks for rule, marks in case["expect"].items()}
    assert {rule: sorted(marks) for rule, marks in found.items()} == {rule: sorted(m) for rule, m in wanted.items()}
    for who, action, key, outcome in case.get("verdicts", ()):
        (meant,) = find_keys(evaluation.snapshot, key, several=False)
        decision = evaluation.decide(principal_named(evaluation, who), meant, f"kms:{action}")
        assert decision.outcome.value == outcome, (who, action, key)

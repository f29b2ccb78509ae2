"""Every rule finds in another partition what it finds in ``aws``, and its remedies have the ARNs of that partition."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest

from auditor.evaluator import evaluate
from auditor.model.policy import Policy
from auditor.model.policy_document import parse_policy
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot
from auditor.rules import judge
from tests.rules import estate
from tests.rules.test_cases import CASES

PARTITION = "aws-us-gov"
FIRING = {rule: case for rule, case in reversed(CASES) if isinstance(case["expect"], list) and case["expect"]}
"""Rule → its first case with findings."""
MORE = {
    "access-analyzer-gap": "analyzer and access",
    "key-destruction-by-non-admin": "imported material is destroyed too",
}
CHOSEN = [*sorted(FIRING.items()), *((rule, case) for rule, case in CASES if MORE.get(rule) == case["name"])]


def moved(value: Any) -> Any:
    """The value with every ARN in the other partition."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.replace("arn:aws:", f"arn:{PARTITION}:")
    if isinstance(value, Policy):
        return parse_policy(moved(value.text))
    if isinstance(value, tuple | frozenset):
        return type(value)(map(moved, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: moved(getattr(value, item.name)) for item in fields(value)})
    return value


def elsewhere(case: dict[str, Any]) -> Snapshot:
    snapshot = moved(estate.snapshot(case))
    return replace(snapshot, accounts=tuple(replace(one, partition=PARTITION) for one in snapshot.accounts))


@pytest.mark.parametrize(("rule", "case"), CHOSEN, ids=[f"{rule}: {case['name']}" for rule, case in CHOSEN])
def test_findings_do_not_depend_on_the_partition(rule: str, case: dict[str, Any]) -> None:
    as_of, baseline = case.get("as_of", estate.AS_OF), None
    if case.get("baseline"):
        before = evaluate(elsewhere(case["baseline"]), as_of=as_of)
        baseline = Report(snapshot=before.snapshot, principals=before.principals, access=before.table, findings=())
    evaluation, settings = evaluate(elsewhere(case), as_of=as_of), moved(estate.settings(case.get("settings")))
    found = judge(evaluation, settings, as_of=as_of, baseline=baseline, only=case.get("rules", [rule])).findings
    own = [finding for finding in found if finding.rule == rule]
    assert [one.severity.value for one in own] == [wanted["severity"] for wanted in case["expect"]]
    for one in own:
        texts = (one.summary, one.remediation.body, *(item.value for item in one.evidence))
        assert not [text for text in texts if "arn:aws:" in text]

"""Every authorization case under tests/cases through the evaluator, one test per case id."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cases import Case, load_cases, run_case
from auditor.cases.schema import REASONS
from auditor.model.access import Outcome

FOLDER = Path(__file__).parent / "cases"
CASES = load_cases([FOLDER])


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case(case: Case) -> None:
    result = run_case(case)
    assert result.passed, f"{case.title}: {'; '.join(result.differences)}"


def test_there_are_enough_cases_and_each_cites_its_source() -> None:
    assert len(CASES) >= 300
    for case in CASES:
        assert case.title, case.id
        assert case.confidence, case.id
        assert case.sources, case.id
        assert all(source.endswith(".html") and "//" not in source for source in case.sources), case.id


def test_every_decision_and_every_reason_is_expected_somewhere() -> None:
    assert {case.expect.decision for case in CASES} >= set(Outcome)
    assert {case.expect.reason for case in CASES} >= REASONS


def test_the_same_case_twice_gives_the_same_answer() -> None:
    for case in CASES[::25]:
        assert run_case(case).to_json() == run_case(case).to_json()

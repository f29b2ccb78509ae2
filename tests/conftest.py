"""The order of the files: those that take longest come first, so that the workers end together."""

from __future__ import annotations

from pathlib import Path

import pytest

LONGEST = (
    "collectors/test_faults.py",
    "audit/test_judged.py",
    "evaluator/test_laws.py",
    "collectors/test_broken_forms.py",
    "evaluator/test_second_reading.py",
    "end_to_end/test_mistakes.py",
    "end_to_end/test_interrupted_collect.py",
    "questions/test_affected.py",
    "evaluator/test_simplify.py",
    "end_to_end/test_questions.py",
    "collectors/test_gaps.py",
    "collectors/test_collect.py",
    "collectors/test_places.py",
    "end_to_end/test_audit.py",
    "demo/test_organization.py",
    "questions/test_agreement.py",
    "report/test_formats.py",
    "collectors/test_permissions.py",
    "cli/test_report_files.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--no-loadscope-reorder`` files are given to the workers in this order."""
    here = Path(__file__).parent
    rank = {here / name: number for number, name in enumerate(LONGEST)}
    gone = [str(path) for path in rank if not path.exists()]
    if gone:
        raise pytest.UsageError(f"{__file__} names files that are no more: {', '.join(gone)}")
    items.sort(key=lambda item: rank.get(item.path, len(rank)))

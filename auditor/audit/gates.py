"""Does a report pass? Severity of open findings, and gaps that access verdicts rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.audit.arguments import check_report
from auditor.errors import UsageError

if TYPE_CHECKING:
    from auditor.model.finding import FindingState
    from auditor.model.report import Report


@dataclass(frozen=True, slots=True)
class Verdict:
    """``failing`` open findings reach the severity asked about; ``essential_gaps`` make verdicts unknown."""

    failing: int
    essential_gaps: int


def verdict(report: Report, fail_on: str) -> Verdict:
    """Count what a gate looks at; accepted and resolved findings do not count. ``fail_on``: a severity or ``none``."""
    from auditor.model.finding import SEVERITY_RANK, Severity

    check_report(report)
    if fail_on not in ("none", *map(str, Severity)):
        raise UsageError(f"“{fail_on}” is no severity.", f"Choose none, {', '.join(Severity)}.")
    failing = 0
    if fail_on != "none":
        limit = SEVERITY_RANK[Severity(fail_on)]
        failing = sum(1 for item in report.findings if counts(item.state) and SEVERITY_RANK[item.severity] <= limit)
    return Verdict(failing, sum(1 for gap in report.snapshot.gaps if gap.essential))


def counts(state: FindingState) -> bool:
    """Whether a finding in this state is still a matter of concern."""
    from auditor.model.finding import FindingState

    return state in (FindingState.OPEN, FindingState.UNVERIFIED)

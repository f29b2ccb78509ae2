"""Two sets of facts side by side: access, facts, and findings: new, resolved, unverified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model.finding import Finding
    from auditor.model.report import Report
    from auditor.questions.differences import Differences

    Headed = tuple[tuple[str, tuple[Finding, ...]], ...]
    """Findings under the headings new, resolved and unverified."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs between two snapshots: access and facts, and the findings by heading (None: not judged)."""

    differences: Differences
    findings: Headed | None


def compare_findings(old: Report, new: Report) -> Headed:
    """Findings by heading; one that is gone is ``unverified`` where the new run could not look for it."""
    before = {finding.fingerprint: finding for finding in old.findings}
    after = {finding.fingerprint: finding for finding in new.findings}
    fresh = tuple(finding for finding in new.findings if finding.fingerprint not in before)
    gone = [finding for finding in old.findings if finding.fingerprint not in after]
    unverified = tuple(finding for finding in gone if not looked_at(new, finding))
    resolved = tuple(finding for finding in gone if looked_at(new, finding))
    return (("new", fresh), ("resolved", resolved), ("unverified", unverified))


def looked_at(report: Report, finding: Finding) -> bool:
    """Whether a run evaluated the rule of a finding, for its subject and keys, in an account that it collected."""
    status = next((item for item in report.rules if item.rule == finding.rule), None)
    if status is None or not status.evaluated:
        return False
    names = (finding.subject, *finding.keys, finding.account, f"{finding.account}/{finding.region}")
    if any(scope.startswith(f"{name} (") for scope in status.skipped for name in names):
        return False
    if not finding.account:
        return True
    facts = report.snapshot.account(finding.account)
    return facts is not None and (not finding.region or not facts.regions or finding.region in facts.regions)

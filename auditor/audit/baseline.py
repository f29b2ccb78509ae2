"""Results of earlier runs, and the states that findings get from them and from the register of exceptions."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import replace
from datetime import date
from pathlib import Path

from auditor.audit.sight import Sight
from auditor.errors import UsageError, reading_trouble
from auditor.model.finding import SEVERITY_RANK, Finding, FindingState, weight
from auditor.model.report import Report
from auditor.suppressions import Suppression, apply

MOST_BYTES = 4 * 1024**3
"""Some twenty times the result of 400 accounts; a device, or a pipe, may have no end."""
FIRST_BYTES = 65_536
REMEDY = "Name a result.json that this version wrote."


def read_baseline(path: Path) -> Report:
    """A ``result.json`` as a Report. Raises UsageError when it cannot be read."""
    from auditor.report import read_result

    try:
        return read_result(_content(path))
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read as a result: {reading_trouble(error)}.", REMEDY) from None


def _content(path: Path) -> bytes:
    """The bytes of a file, the rest only where the first could be those of a JSON object."""
    try:
        with path.open("rb") as file:
            content = file.read(FIRST_BYTES)
            if content.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
                content += file.read(MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}.") from None
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path}: larger than any result.", REMEDY)
    return content


def with_states(report: Report, baseline: Report | None, accepted: tuple[Suppression, ...] | None) -> Report:
    """The report with first-seen dates, resolved and unverified findings of the baseline, and accepted findings."""
    findings = _with_history(report, baseline)
    notes = report.notes
    if accepted is not None:
        today = date.fromisoformat(report.as_of[:10])
        applied = apply(findings, accepted, today, baseline.notes if baseline else ())
        findings, notes = applied.findings, (*notes, *applied.notes)
    return replace(report, findings=findings, notes=notes)


def _with_history(report: Report, baseline: Report | None) -> tuple[Finding, ...]:
    if baseline is None:
        return tuple(replace(finding, first_seen=finding.first_seen or report.as_of) for finding in report.findings)
    known = {finding.fingerprint: finding for finding in baseline.findings}
    before = Sight(baseline, baseline.snapshot, report.snapshot)
    sight = Sight(report, report.snapshot, baseline.snapshot)
    now = [
        replace(
            finding,
            first_seen=_first_seen(known.get(finding.fingerprint), baseline, report.as_of),
            known=_standing(known.get(finding.fingerprint)),
            perhaps_old=finding.fingerprint not in known and not before.reached(finding),
            was=_was(known.get(finding.fingerprint), finding, before, sight),
        )
        for finding in report.findings
    ]
    here = {finding.fingerprint for finding in report.findings}
    gone = [_gone(finding, sight) for finding in baseline.findings if finding.fingerprint not in here]
    kept = [finding for finding in gone if finding is not None]
    return tuple(sorted([*now, *kept], key=_order))


def _standing(known: Finding | None) -> bool:
    """Whether a finding of the baseline was one that is not resolved."""
    return known is not None and known.state is not FindingState.RESOLVED


def _was(known: Finding | None, finding: Finding, before: Sight, sight: Sight) -> str:
    """What the finding weighed in the baseline; empty where it weighs the same, or one of the runs alone could look."""
    if not _standing(known) or known is None or weight(known) == weight(finding):
        return ""
    return weight(known) if before.reached(finding) == sight.reached(finding) else ""


def _gone(finding: Finding, sight: Sight) -> Finding | None:
    """A finding that is not there any more; one that was resolved before is forgotten."""
    if finding.state is FindingState.RESOLVED:
        return None
    state = FindingState.RESOLVED if sight.reached(finding) else FindingState.UNVERIFIED
    return replace(finding, state=state, known=True)


def _first_seen(known: Finding | None, baseline: Report, as_of: str) -> str:
    return as_of if known is None else known.first_seen or baseline.as_of


def _order(finding: Finding) -> tuple[bool, int, bool, str, str, str]:
    gone = finding.state in (FindingState.RESOLVED, FindingState.UNVERIFIED)
    return (gone, SEVERITY_RANK[finding.severity], finding.latent, finding.code, finding.subject, finding.fingerprint)

"""A report in a few lines for the terminal."""

from __future__ import annotations

from collections import Counter

import click

from auditor.audit.gates import counts
from auditor.cli.terminal import printable
from auditor.model.finding import Finding, Severity
from auditor.model.report import Report
from auditor.report.wording import gap_words, plural

COLORS = {
    Severity.CRITICAL: "magenta",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
    Severity.INFO: "white",
}
SHOWN = 10


def summary(report: Report) -> str:
    """Scope, findings by severity, the worst of them, and what could not be read; ends without a newline."""
    findings = [item for item in report.findings if counts(item.state)]
    lines = [_scope(report), _severities(findings)]
    lines += [_line(item) for item in findings[:SHOWN]]
    if len(findings) > SHOWN:
        lines.append(f"  and {len(findings) - SHOWN:,} more in the report")
    accepted = len(report.findings) - len(findings)
    if accepted:
        lines.append(f"{plural(accepted, 'finding')} {'is' if accepted == 1 else 'are'} accepted or resolved.")
    lines += [printable(f"note: {text}") for text in report.notes]
    lines += _gaps(report)
    return "\n".join(lines)


def _scope(report: Report) -> str:
    snapshot = report.snapshot
    keys = sum(1 for key in snapshot.keys if key.customer_managed)
    accounts = sum(account.entered for account in snapshot.accounts)
    return (
        f"{plural(keys, 'customer managed key')} and {len(snapshot.keys) - keys:,} of AWS in "
        f"{plural(accounts, 'account')} and {plural(len(snapshot.regions), 'Region')}, "
        f"{plural(len(report.principals), 'principal')}, as of {report.as_of}"
    )


def _severities(findings: list[Finding]) -> str:
    found = Counter(item.severity for item in findings)
    parts = [click.style(f"{found[level]:,} {level}", fg=COLORS[level]) for level in Severity if found[level]]
    return f"{plural(len(findings), 'open finding')}: {', '.join(parts)}" if parts else "No open findings."


def _line(finding: Finding) -> str:
    level = click.style(f"{finding.severity:8}", fg=COLORS[finding.severity])
    return f"  {level} {finding.rule}: {printable(finding.summary)}"


def _gaps(report: Report) -> list[str]:
    gaps = report.snapshot.gaps
    if not gaps:
        return ["Everything that was asked for could be read."]
    essential = sum(1 for gap in gaps if gap.essential)
    lines = [f"{gap_words(len(gaps), essential)}:"]
    shown = sorted(gaps, key=lambda gap: (not gap.essential, gap.account, gap.region, gap.subject))[:5]
    for gap in shown:
        place = gap.subject or " ".join(part for part in (gap.account, gap.region) if part) or "organization"
        lines.append(printable(f"  {gap.fact} of {place}: {gap.operation} {gap.code}"))
    if len(gaps) > len(shown):
        lines.append(f"  and {len(gaps) - len(shown):,} more in the report")
    return lines

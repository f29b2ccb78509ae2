"""Sentences about a whole report, worded so that they claim no more than was read (HTML, Markdown)."""

from __future__ import annotations

from auditor.model.finding import FindingState
from auditor.model.report import Report
from auditor.report.counts import Counts

GRADES = {
    "A": "Every required input was read and no verdict is unknown.",
    "B": "Every policy layer was read; optional evidence is missing or a rule could not be evaluated.",
    "C": "A policy layer or a fact that access rests on is missing: some verdicts are unknown or upper bounds.",
    "D": "A key policy, grants or keys themselves could not be read: read every number as “at least”.",
}


def plural(number: int, noun: str) -> str:
    """``1 key``, ``2 keys``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def summary_words(report: Report, counts: Counts) -> str:
    """One paragraph: scope, who can decrypt, findings, and the limits of the statement."""
    least = "at least " if counts.grade == "D" else ""
    parts = [
        f"As of {report.as_of or 'an unknown time'}, {plural(counts.customer_keys, 'customer managed key')} and "
        f"{plural(counts.aws_keys, 'AWS managed key')} were read in {plural(counts.accounts, 'account')} and "
        f"{plural(counts.regions, 'Region')}.",
        f"Configuration lets {least}{plural(counts.readers, 'principal')} of {counts.principals:,} decrypt with "
        f"at least one customer managed key. {least.capitalize()}{plural(counts.outsiders, 'principal')} with access "
        f"{'is' if counts.outsiders == 1 else 'are'} outside the collected accounts.",
    ]
    if counts.public_keys:
        parts.append(
            f"{plural(counts.public_keys, 'key')} {'is' if counts.public_keys == 1 else 'are'} public: "
            "everyone in AWS can use them, or a condition that keeps others out can be met by anybody."
        )
    if counts.unadministered_keys:
        parts.append(f"No principal that was read can administer {plural(counts.unadministered_keys, 'key')}.")
    parts.append(f"{plural(counts.open_findings, 'finding')} {'is' if counts.open_findings == 1 else 'are'} open.")
    return " ".join(parts)


def coverage_words(report: Report, counts: Counts) -> str:
    """What was not read and what follows from it; empty when everything was."""
    parts = []
    if counts.gaps:
        parts.append(
            f"{plural(counts.gaps, 'fact')} could not be read; access rests on {counts.essential_gaps:,} of them."
        )
    if report.snapshot.organization_unread:
        parts.append("The organization could not be read, so SCPs and RCPs are unknown.")
    if counts.unknown_cells:
        parts.append(
            f"{plural(counts.unknown_cells, 'combination')} of principal, key and capability "
            f"{'stays' if counts.unknown_cells == 1 else 'stay'} unknown."
        )
    if counts.rules_not_evaluated:
        parts.append(f"{plural(counts.rules_not_evaluated, 'rule')} could not be evaluated.")
    return " ".join(parts)


def change_words(report: Report) -> str:
    """What changed since the baseline; empty when the findings show no earlier run."""
    gone = [item for item in report.findings if item.state is FindingState.RESOLVED]
    unsure = [item for item in report.findings if item.state is FindingState.UNVERIFIED]
    here = [item for item in report.findings if item.state in (FindingState.OPEN, FindingState.ACCEPTED)]
    new = [item for item in here if item.first_seen == report.as_of]
    if not gone and not unsure and len(new) in (0, len(here)):
        return ""
    return (
        f"Since the baseline: {plural(len(new), 'finding')} new, {len(gone):,} resolved, {len(unsure):,} not seen "
        "again but not verified, because the subject or a fact was not read this time."
    )

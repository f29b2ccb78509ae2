"""Sentences about a whole report, worded so that they claim no more than was read (HTML, Markdown)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from auditor.model.finding import Evidence, Finding, FindingState
from auditor.model.report import Report

if TYPE_CHECKING:
    from auditor.report.counts import Counts

GRADES = {
    "A": "Every required input was read and no verdict is unknown.",
    "B": "Every policy layer was read; optional evidence is missing or a rule could not be evaluated.",
    "C": "A policy layer or a fact that access rests on is missing: some verdicts are unknown or upper bounds.",
    "D": "A key policy, grants or keys themselves could not be read: read every number as “at least”.",
}
BASIS = (
    "In brackets the basis: published by the owner of the control, mapped by another tool (peer), or our reading of "
    "its text."
)


def plural(number: int, noun: str) -> str:
    """``1 key``, ``2 keys``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def summary_words(report: Report, counts: Counts) -> str:
    """One paragraph: scope, who can decrypt, outsiders, findings, and the limits of the statement."""
    least = "at least " if counts.grade == "D" else ""
    aws = f" and {plural(counts.aws_keys, 'AWS managed key')}" if counts.aws_keys else ""
    parts = [
        f"As of {report.as_of or 'an unknown time'}, {plural(counts.customer_keys, 'customer managed key')}{aws} "
        f"{_was(counts.customer_keys + counts.aws_keys)} read in {plural(counts.accounts, 'account')} and "
        f"{plural(counts.regions, 'Region')}.",
        f"{_capital(f'{least}{counts.readers:,}')} of {plural(counts.principals, 'principal')} can decrypt with "
        f"at least one customer managed key, as it is configured{_more(counts.unknown_readers)}.",
        _outsiders(least, counts.outsiders, counts.unknown_outsiders),
    ]
    if counts.public_keys:
        parts.append(
            f"{plural(counts.public_keys, 'key')} {_is(counts.public_keys)} public: anybody in AWS can use "
            f"{_them(counts.public_keys)}, outright or under a condition that anybody can meet."
        )
    if counts.unknown_public_keys:
        parts.append(
            f"{plural(counts.unknown_public_keys, 'key')} may be public: what would keep outsiders away could not be "
            "read, or is not documented."
        )
    if counts.unadministered_keys:
        parts.append(f"Nobody that was read can administer {plural(counts.unadministered_keys, 'key')}.")
    return " ".join([*parts, _findings(counts)])


def _more(unknown: int) -> str:
    return f"; of {unknown:,} more it is unknown" if unknown else ""


def _outsiders(least: str, number: int, unknown: int) -> str:
    if not number and unknown:
        what = "it has" if unknown == 1 else "they have"
        return f"Of {plural(unknown, 'principal')} outside the collected accounts it is unknown whether {what} access."
    if not number:
        return f"{'As far as could be read, nobody' if least else 'Nobody'} outside the collected accounts has access."
    have = "has" if number == 1 else "have"
    return (
        f"{_capital(least + plural(number, 'principal'))} outside the collected accounts {have} access{_more(unknown)}."
    )


def _findings(counts: Counts) -> str:
    if not counts.open_findings:
        return f"No finding is open, after {plural(counts.rules_evaluated, 'rule')} were evaluated."
    worst = f", {counts.critical:,} of them critical" if counts.critical else ", none of them critical"
    return f"{plural(counts.open_findings, 'finding')} {_is(counts.open_findings)} open{worst}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _them(number: int) -> str:
    return "it" if number == 1 else "them"


def coverage_words(report: Report, counts: Counts) -> str:
    """What was not read and what follows from it; empty when everything was."""
    parts = []
    if counts.gaps:
        parts.append(f"{gap_words(counts.gaps, counts.essential_gaps)}.")
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


def gap_words(gaps: int, essential: int) -> str:
    """How many facts could not be read, and how many of them verdicts about access rest on; without a full stop."""
    start = f"{plural(gaps, 'fact')} could not be read; "
    if not essential:
        return f"{start}no verdict about access rests on " + ("it" if gaps == 1 else "them")
    if essential == gaps:
        return f"{start}verdicts about access rest on " + ("it" if gaps == 1 else "all of them")
    return f"{start}verdicts about access rest on {essential:,} of them"


def evidence_value(item: Evidence) -> str:
    """What a piece of evidence says, with the statement or grant that it stands in where the value does not name it."""
    places = [str(place) for place in (item.statement, item.grant) if place and str(place) not in item.value]
    return " ".join([item.value, *(f"({place})" for place in places)])


def evidence_line(item: Evidence) -> str:
    """``label: value`` in one text; see ``evidence_value``."""
    return f"{item.label}: {evidence_value(item)}"


def has_history(report: Report) -> bool:
    """Whether the findings show an earlier run: something is gone, or was looked for or seen before."""
    gone = (FindingState.RESOLVED, FindingState.UNVERIFIED)
    return any(
        item.state in gone or item.known is not None or (item.first_seen or report.as_of) != report.as_of
        for item in report.findings
    )


def newness(finding: Finding, report: Report) -> str:
    """``new`` for a finding of a report with a history that was not there before, ``perhaps new`` where the baseline
    could not look for it, else empty."""
    seen_before = finding.first_seen != report.as_of if finding.known is None else finding.known
    if finding.state not in (FindingState.OPEN, FindingState.ACCEPTED) or seen_before:
        return ""
    return "perhaps new" if finding.perhaps_old else "new"


def change_words(report: Report) -> str:
    """What changed since the baseline; empty when the findings show no earlier run."""
    if not has_history(report):
        return ""
    states = Counter(item.state for item in report.findings)
    new = Counter(newness(item, report) for item in report.findings)
    unsure = states[FindingState.UNVERIFIED]
    parts = [plural(new["new"], "new finding"), f"{states[FindingState.RESOLVED]:,} resolved"]
    words = f"Since the baseline: {', '.join(parts)}"
    if other := sum(1 for item in report.findings if item.was):
        words += f", {other:,} with another severity or certainty"
    if new["perhaps new"]:
        words += f", {new['perhaps new']:,} perhaps new, because the baseline could not look there"
    if unsure:
        words += f", {unsure:,} not seen again but not verified, because the subject or a fact was not read this time"
    return f"{words}."

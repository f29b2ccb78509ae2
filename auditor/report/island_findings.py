"""Findings above the page's limit, interned for the data island: as full as the others, in far fewer bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditor.model.finding import Finding
from auditor.model.report import Report
from auditor.report.located import key_places, principal_places
from auditor.report.wording import evidence_value, has_history, newness

Intern = Callable[[str], int]
VALUE_LIMIT = 600
NAMED = 12
NEW = {"": 0, "new": 2, "perhaps new": 4}


def findings_beyond(report: Report, limit: int, word: Intern) -> list[list[Any]]:
    """The findings from position ``limit`` on.

    Each is [severity, rule, title, summary, category, account, region, state, subject, fix, fix body, fingerprint,
    first seen, severity words, mappings, latent (1) and new (2) or perhaps new (4), confidence, keys, principals,
    [label, value …], weight in the baseline]; ``keys`` and ``principals`` are positions in the report where the ARN is
    known, else the ARN's text (negative: -1 - string); of more than ``NAMED`` the last entry says how many there are
    besides. Every text is a position in the island's strings.
    """
    keys, principals = key_places(report), principal_places(report)
    history = has_history(report)

    def places(arns: tuple[str, ...], known: dict[str, int]) -> list[int]:
        listed = [known[arn] if arn in known else -1 - word(arn) for arn in arns[:NAMED]]
        return [*listed, -1 - word(f"and {len(arns) - NAMED} more")] if len(arns) > NAMED else listed

    return [
        [
            *(word(text) for text in _texts(finding)),
            (1 if finding.latent else 0) + (NEW[newness(finding, report)] if history else 0),
            word(str(finding.confidence)),
            places(finding.keys, keys),
            places(finding.principals, principals),
            [word(text) for item in finding.evidence[:20] for text in (item.label, _cut(evidence_value(item)))],
            word(finding.was),
        ]
        for finding in report.findings[limit:]
    ]


def _texts(finding: Finding) -> tuple[str, ...]:
    return (
        finding.severity.value,
        finding.rule,
        finding.title,
        _cut(finding.summary),
        finding.category,
        finding.account,
        finding.region,
        finding.state.value,
        finding.subject,
        _cut(finding.remediation.summary),
        finding.remediation.body[:4000],
        finding.fingerprint,
        finding.first_seen,
        severity_words(finding),
        ", ".join(f"{item.framework} {item.version} {item.control} ({item.basis})" for item in finding.mappings),
    )


def severity_words(finding: Finding) -> str:
    """Which clauses made the severity, and what the finding weighed in the baseline; empty when it is the rule's own,
    as before."""
    clauses = [f"{item.kind} to {item.to}: {item.when}" for item in finding.clauses]
    default = [f"default {finding.default_severity}"] if clauses else []
    was = [f"in the baseline: {finding.was}"] if finding.was else []
    return "; ".join([*default, *clauses, *was])


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}… ({len(text):,} characters)"

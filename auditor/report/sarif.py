"""SARIF 2.1.0 (OASIS standard), one run; accepted findings carry a suppression, so that consumers count alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from auditor.model.finding import Finding, FindingState, Severity
from auditor.model.report import Report
from auditor.model.snapshot import Gap
from auditor.report.plain import one_line
from auditor.report.wording import evidence_line, has_history, newness, plural

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
"""Within the bands that code scanning shows (critical from 9.0, high from 7.0, medium from 4.0)."""


def sarif_bytes(report: Report) -> bytes:
    """The log file as UTF-8 JSON."""
    rules = {finding.rule: finding for finding in reversed(report.findings)}
    order = sorted(rules)
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "kms-audit",
                "version": report.tool_version or "0",
                "rules": [_rule(rules[name]) for name in order],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": list(_results(report, order)),
        "properties": {"asOf": report.as_of, "snapshotSha256": report.snapshot.provenance.content_hash},
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _invocation(report: Report) -> dict[str, Any]:
    """What could not be read or judged, as notifications: silence of a rule may come from there."""
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": [*map(_gap, report.snapshot.gaps), *_unjudged(report)],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "level": "warning" if gap.essential else "note",
        "message": {"text": one_line(f"{gap.fact} not read ({gap.operation} {gap.code}): {gap.effect}", 2000)},
        "properties": {"account": gap.account, "region": gap.region, "subject": one_line(gap.subject, 400)},
    }


def _unjudged(report: Report) -> Iterator[dict[str, Any]]:
    """Rules that were not evaluated, or could not look at everything."""
    for status in report.rules:
        if not status.evaluated:
            text = f"Rule {status.rule} was not evaluated: {status.reason}"
        elif status.skipped:
            text = f"Rule {status.rule} could not look at {plural(len(status.skipped), 'subject')}"
        else:
            continue
        yield {"level": "warning", "message": {"text": one_line(text, 2000)}, "properties": {"rule": status.rule}}


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.rule,
        "name": finding.code or finding.rule,
        "shortDescription": {"text": one_line(finding.title, 500)},
        "help": {"text": one_line(finding.remediation.summary, 2000) or "See the report."},
        "defaultConfiguration": {"level": LEVELS[finding.default_severity]},
        "properties": {
            "tags": ["security", "aws-kms", finding.category],
            "security-severity": SECURITY_SEVERITY[finding.default_severity],
        },
    }


def _results(report: Report, order: list[str]) -> Iterator[dict[str, Any]]:
    """The results; ``suppressions`` and ``baselineState`` have all of them, or none (sections 3.27.23 and 3.27.24)."""
    reviewed = any(finding.state is FindingState.ACCEPTED for finding in report.findings)
    history = has_history(report)
    for finding in report.findings:
        result = _result(finding, order.index(finding.rule))
        if reviewed:
            result["suppressions"] = [_suppression(finding)] if finding.state is FindingState.ACCEPTED else []
        if history:
            result["baselineState"] = _baseline_state(finding, report)
        if finding.perhaps_old:
            result["properties"]["perhapsOld"] = True
        yield result


def _result(finding: Finding, index: int) -> dict[str, Any]:
    place = "/".join(_quoted(part) for part in ("aws", finding.account, finding.region, finding.subject) if part)
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": one_line(finding.summary, 2000) or finding.title},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": place},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": one_line(finding.subject, 400), "kind": "resource"},
                ],
            }
        ],
        "partialFingerprints": {"kmsAudit/v1": finding.fingerprint},
        "properties": {
            "severity": str(finding.severity),
            "security-severity": SECURITY_SEVERITY[finding.severity],
            "state": str(finding.state),
            "confidence": str(finding.confidence),
            "latent": finding.latent,
            "keys": [one_line(arn, 400) for arn in finding.keys],
            "principals": [one_line(arn, 400) for arn in finding.principals],
            "evidence": [one_line(evidence_line(item), 2000) for item in finding.evidence],
            "fix": one_line(finding.remediation.summary, 2000),
        },
    }


def _quoted(text: str) -> str:
    """A text as one segment of a URI."""
    return quote(one_line(text, 400), safe="")


def _suppression(finding: Finding) -> dict[str, Any]:
    words = [str(value) for name, value in finding.extra if name == "accepted"]
    given = {"justification": one_line(words[0], 2000)} if words else {}
    return {"kind": "external", "status": "accepted", **given}


def _baseline_state(finding: Finding, report: Report) -> str:
    if finding.state is FindingState.RESOLVED:
        return "absent"
    if newness(finding, report):
        return "new"
    return "updated" if finding.was else "unchanged"

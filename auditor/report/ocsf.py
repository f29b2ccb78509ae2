"""OCSF Detection Findings (class 2004, schema 1.5.0) as a JSON array. Times come from the report, never the clock."""

from __future__ import annotations

import json
from typing import Any

from auditor.model.finding import Confidence, Finding, FindingState, Severity
from auditor.model.moments import instant
from auditor.model.report import Report
from auditor.report.plain import one_line
from auditor.report.wording import evidence_value

SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
STATUSES = {
    FindingState.OPEN: (1, "New"),
    FindingState.UNVERIFIED: (1, "New"),
    FindingState.ACCEPTED: (3, "Suppressed"),
    FindingState.RESOLVED: (4, "Resolved"),
}
CLASS = 2004
SCHEMA_VERSION = "1.5.0"


def ocsf_bytes(report: Report) -> bytes:
    """The findings as UTF-8 JSON."""
    findings = [_finding(finding, report) for finding in report.findings]
    return (json.dumps(findings, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _seconds(text: str) -> int:
    """Seconds since 1970 of an ISO 8601 time or date (UTC); 0 when there is none."""
    moment = instant(text)
    return int(moment.timestamp()) if moment else 0


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    severity_id, severity = SEVERITIES[finding.severity]
    status_id, status = STATUSES[finding.state]
    confidence_id, confidence = (3, "High") if finding.confidence is Confidence.CONFIRMED else (2, "Medium")
    activity = 3 if finding.state is FindingState.RESOLVED else 1
    now = _seconds(report.as_of)
    first = _seconds(finding.first_seen) or now
    return {
        "activity_id": activity,
        "activity_name": "Close" if activity == 3 else "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Detection Finding: {'Close' if activity == 3 else 'Create'}",
        "time": now * 1000,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "confidence_id": confidence_id,
        "confidence": confidence,
        "message": one_line(finding.summary, 2000),
        "metadata": {
            "version": SCHEMA_VERSION,
            "profiles": ["cloud"],
            "event_code": finding.rule,
            "product": {"name": "kms-audit", "vendor_name": "kms-audit", "version": report.tool_version or "0"},
        },
        "finding_info": {
            "uid": f"kms-audit/{finding.fingerprint}",
            "title": one_line(finding.title, 500),
            "desc": one_line(finding.summary, 2000),
            "created_time": now * 1000,
            "first_seen_time": first * 1000,
            "types": [finding.category],
        },
        "evidences": [
            {"data": {"label": one_line(item.label, 200), "value": one_line(evidence_value(item), 2000)}}
            for item in finding.evidence
        ],
        "cloud": _cloud(finding, report),
        "resources": [{"uid": one_line(arn, 1000), "type": finding.subject_kind} for arn in [finding.subject]],
        "remediation": {"desc": one_line(finding.remediation.summary, 2000), "references": list(finding.references)},
        "unmapped": {"state": str(finding.state), "latent": finding.latent} | _named(finding),
    }


def _named(finding: Finding) -> dict[str, list[str]]:
    return {
        "keys": [one_line(arn, 1000) for arn in finding.keys],
        "principals": [one_line(arn, 1000) for arn in finding.principals],
    }


def _cloud(finding: Finding, report: Report) -> dict[str, Any]:
    cloud: dict[str, Any] = {"provider": "AWS", "region": finding.region}
    if finding.account:
        known = report.snapshot.account(finding.account)
        name = one_line(known.name, 200) if known and known.name else finding.account
        cloud["account"] = {"uid": finding.account, "name": name, "type_id": 10, "type": "AWS Account"}
    return cloud

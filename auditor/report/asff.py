"""AWS Security Finding Format for Security Hub: all findings in one file, and in batches ready to import.

Times come from the report, never from the clock. Limits after the Security Hub API reference, AwsSecurityFinding and
BatchImportFindings: 100 findings a call, of one account and Region.
"""

from __future__ import annotations

import json
import re
from typing import Any

from auditor.model.arn import parse_arn
from auditor.model.finding import Finding, FindingState, Severity
from auditor.model.report import Report
from auditor.report.plain import one_line
from auditor.report.wording import evidence_line

LABELS = {level: level.value.upper() for level in Severity} | {Severity.INFO: "INFORMATIONAL"}
WORKFLOW = {
    FindingState.OPEN: "NEW",
    FindingState.UNVERIFIED: "NEW",
    FindingState.ACCEPTED: "SUPPRESSED",
    FindingState.RESOLVED: "RESOLVED",
}
RESOURCES = 32
REQUIREMENTS = 32
BATCH = 100
EVIDENCE = 20
_TYPES = {"kms:key": "AwsKmsKey", "iam:role": "AwsIamRole", "iam:user": "AwsIamUser", "iam:policy": "AwsIamPolicy"}


def asff_files(report: Report) -> dict[str, bytes]:
    """``findings.asff.json`` with every finding, then ``asff/<account>-<Region>-<number>.json``, each one call."""
    findings = [_finding(finding, report) for finding in report.findings]
    files = {"findings.asff.json": _document(findings)}
    places: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for finding in findings:
        places.setdefault((finding["AwsAccountId"], finding["Region"]), []).append(finding)
    for (account, region), listed in sorted(places.items()):
        for number, start in enumerate(range(0, len(listed), BATCH), 1):
            files[f"asff/{account}-{region}-{number}.json"] = _document(listed[start : start + BATCH])
    return files


def _document(findings: list[dict[str, Any]]) -> bytes:
    text = json.dumps({"Findings": findings}, ensure_ascii=False, indent=1)
    return (text + "\n").encode("utf-8", "replace")


def _timestamp(text: str, fallback: str) -> str:
    chosen = text or fallback
    return f"{chosen}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", chosen) else chosen or "1970-01-01T00:00:00Z"


def _home(report: Report) -> tuple[str, str, str]:
    """Partition, Region and account for what has none of its own."""
    first = report.snapshot.accounts[0] if report.snapshot.accounts else None
    key = report.snapshot.keys[0] if report.snapshot.keys else None
    region = key.region if key else "us-east-1"
    return (first.partition if first else "aws", region, first.id if first else "000000000000")


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    partition, home_region, home_account = _home(report)
    account = finding.account if re.fullmatch(r"\d{12}", finding.account) else home_account
    region = finding.region if re.fullmatch(r"[a-z0-9-]{3,40}", finding.region) else home_region
    product = f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"kms-audit/{finding.fingerprint}",
        "ProductArn": product,
        "GeneratorId": f"kms-audit/{finding.rule}",
        "AwsAccountId": account,
        "Region": region,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "FirstObservedAt": _timestamp(finding.first_seen, report.as_of),
        "LastObservedAt": _timestamp(report.as_of, ""),
        "CreatedAt": _timestamp(finding.first_seen, report.as_of),
        "UpdatedAt": _timestamp(report.as_of, ""),
        "Severity": {"Label": LABELS[finding.severity], "Original": str(finding.severity)},
        "Title": one_line(finding.title, 256) or finding.rule,
        "Description": one_line(finding.summary, 1024) or finding.rule,
        "Remediation": {"Recommendation": {"Text": one_line(finding.remediation.summary, 512) or "See the report."}},
        "ProductFields": _product_fields(finding),
        "Compliance": _compliance(finding),
        "Resources": [_resource(arn, partition, region) for arn in _subjects(finding)],
        "RecordState": "ARCHIVED" if finding.state is FindingState.RESOLVED else "ACTIVE",
        "Workflow": {"Status": WORKFLOW[finding.state]},
    }


def _product_fields(finding: Finding) -> dict[str, str]:
    """What the format has no field of its own for; of much evidence the first ``EVIDENCE`` pieces."""
    fields = {"kms-audit/rule": finding.rule, "kms-audit/state": str(finding.state)}
    fields |= {"kms-audit/confidence": str(finding.confidence), "kms-audit/latent": "yes" if finding.latent else "no"}
    for number, item in enumerate(finding.evidence[:EVIDENCE], 1):
        fields[f"kms-audit/evidence/{number:02}"] = one_line(evidence_line(item), 1024)
    return fields


def _compliance(finding: Finding) -> dict[str, Any]:
    """Whether the check passes, and what it is evidence about."""
    controls = dict.fromkeys(f"{item.framework} {item.version} {item.control}" for item in finding.mappings)
    compliance: dict[str, Any] = {"Status": "PASSED" if finding.state is FindingState.RESOLVED else "FAILED"}
    if controls:
        compliance["RelatedRequirements"] = [one_line(text, 64) for text in controls][:REQUIREMENTS]
    return compliance


def _subjects(finding: Finding) -> list[str]:
    return list(dict.fromkeys((finding.subject or finding.account or "unknown", *finding.keys)))[:RESOURCES]


def _resource(text: str, partition: str, region: str) -> dict[str, Any]:
    arn = parse_arn(text)
    kind = f"{arn.service}:{arn.resource.split('/', 1)[0]}" if arn else ""
    return {
        "Type": _TYPES.get(kind, "Other"),
        "Id": one_line(text, 512),
        "Partition": partition,
        "Region": (arn.region if arn else "") or region,
    }

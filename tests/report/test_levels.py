"""How bad a finding is and what became of it, in the words of each format: severities, states, confidence, times.

The expected words are those of the standards: SARIF 2.1.0 (levels in 3.27.10, baseline states in 3.27.24), the bands
of ``security-severity`` of code scanning, the Security Hub API reference (AwsSecurityFinding) and the OCSF schema
(class 2004, with the names of py-ocsf-models).
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pytest

from auditor.model.finding import Confidence, ControlMapping, Evidence, Finding, FindingState, RuleStatus, Severity
from auditor.model.key import Fact
from auditor.model.report import Report
from auditor.model.snapshot import AccountFacts, Gap
from auditor.report import render
from tests.report.asff_limits import assert_accepted
from tests.report.estates import ACCOUNT, AS_OF, ordinary

LONG_AGO = "2026-11-01"
SARIF = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
BANDS = {"critical": (9.0, 10.0), "high": (7.0, 8.9), "medium": (4.0, 6.9), "low": (0.1, 3.9), "info": (0.0, 0.0)}
ASFF = {"critical": "CRITICAL", "high": "HIGH", "medium": "MEDIUM", "low": "LOW", "info": "INFORMATIONAL"}
OCSF = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low", "info": "Informational"}
WORKFLOW = {"open": "NEW", "unverified": "NEW", "accepted": "SUPPRESSED", "resolved": "RESOLVED"}
STATUS = {"open": "New", "unverified": "New", "accepted": "Suppressed", "resolved": "Resolved"}


def _findings() -> tuple[Finding, ...]:
    """One of every severity, state, confidence and age; the defaults of their rules differ from what they are."""
    found = []
    kinds = product(Severity, FindingState, Confidence, (LONG_AGO, AS_OF), (False, True))
    for number, (severity, state, confidence, seen, latent) in enumerate(kinds):
        extra = (("note", "no words of a register"), ("accepted", "until June")) if number % 2 else ()
        found.append(
            replace(
                ordinary_report().findings[0],
                rule=f"rule-{severity}",
                severity=severity,
                default_severity=list(Severity)[(list(Severity).index(severity) + 1) % 5],
                state=state,
                confidence=confidence,
                first_seen=seen,
                latent=latent,
                perhaps_old=number % 3 == 0,
                was="low, potential" if number % 5 == 0 else "",
                fingerprint=f"{number:020x}",
                extra=extra,
            )
        )
    return tuple(found)


@cache
def ordinary_report() -> Report:
    return ordinary()


@cache
def report() -> Report:
    return replace(ordinary_report(), findings=_findings())


@cache
def files(form: str) -> dict[str, bytes]:
    return render(report(), form)


def test_sarif_levels_suppressions_and_baseline() -> None:
    (run,) = json.loads(files("sarif")["report.sarif"])["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(rules) == sorted(rules)
    for finding, result in zip(report().findings, run["results"], strict=True):
        assert result["level"] == SARIF[finding.severity]
        _in_band(result, finding.severity)
        assert rules[finding.rule]["defaultConfiguration"]["level"] == SARIF[finding.default_severity]
        _in_band(rules[finding.rule], finding.default_severity)
        accepted = finding.state is FindingState.ACCEPTED
        words = {"justification": "until June"} if finding.extra else {}
        assert result["suppressions"] == ([{"kind": "external", "status": "accepted", **words}] if accepted else [])
        assert result["baselineState"] == _baseline(finding)
        assert result["properties"].get("perhapsOld", False) is finding.perhaps_old
        assert result["properties"]["latent"] is finding.latent
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == finding.rule == result["ruleId"]


def _in_band(item: dict[str, Any], severity: Severity) -> None:
    low, high = BANDS[severity]
    assert low <= float(item["properties"]["security-severity"]) <= high


def _baseline(finding: Finding) -> str:
    if finding.state is FindingState.RESOLVED:
        return "absent"
    new = finding.first_seen == AS_OF and finding.state in (FindingState.OPEN, FindingState.ACCEPTED)
    if new:
        return "new"
    return "updated" if finding.was else "unchanged"


def test_sarif_without_an_earlier_run_has_no_baseline() -> None:
    first = replace(report(), findings=tuple(replace(one, first_seen=AS_OF, state=FindingState.OPEN) for one in _few()))
    (run,) = json.loads(render(first, "sarif")["report.sarif"])["runs"]
    assert not any("baselineState" in result for result in run["results"])


def _few() -> tuple[Finding, ...]:
    return report().findings[:3]


def test_sarif_notifications_are_warnings_where_verdicts_rest_on_the_gap() -> None:
    gaps = (Gap(fact=Fact.KEY_POLICY), Gap(fact=Fact.LAST_USAGE))
    quiet = RuleStatus("looked-at-everything", True)
    told = replace(report(), snapshot=replace(report().snapshot, gaps=gaps), findings=_few())
    told = replace(told, rules=(quiet, *told.rules, quiet))
    (run,) = json.loads(render(told, "sarif")["report.sarif"])["runs"]
    (invocation,) = run["invocations"]
    assert [note["level"] for note in invocation["toolExecutionNotifications"][:2]] == ["warning", "note"]
    about_rules = [note["properties"]["rule"] for note in invocation["toolExecutionNotifications"][2:]]
    assert about_rules == [status.rule for status in report().rules]


def test_asff_labels_workflow_and_times() -> None:
    for finding, item in zip(
        report().findings, json.loads(files("asff")["findings.asff.json"])["Findings"], strict=True
    ):
        resolved = finding.state is FindingState.RESOLVED
        assert item["Severity"] == {"Label": ASFF[finding.severity], "Original": str(finding.severity)}
        assert item["Workflow"] == {"Status": WORKFLOW[finding.state]}
        assert item["RecordState"] == ("ARCHIVED" if resolved else "ACTIVE")
        assert item["Compliance"]["Status"] == ("PASSED" if resolved else "FAILED")
        first = f"{LONG_AGO}T00:00:00Z" if finding.first_seen == LONG_AGO else AS_OF
        assert (item["FirstObservedAt"], item["CreatedAt"]) == (first, first)
        assert (item["LastObservedAt"], item["UpdatedAt"]) == (AS_OF, AS_OF)
        assert item["ProductFields"]["kms-audit/latent"] == ("yes" if finding.latent else "no")
        assert item["ProductFields"]["kms-audit/confidence"] == str(finding.confidence)


def test_asff_of_more_than_a_finding_may_hold_is_still_accepted() -> None:
    """What there is more of than Security Hub takes is cut; a finding of no account goes to the first."""
    first = ordinary_report().findings[0]
    keys = tuple(f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{number}" for number in range(50))
    great = replace(
        first,
        title="t" * 300,
        summary="s " * 2000,
        keys=(first.subject, *keys),
        evidence=tuple(Evidence("e" * 80, f"{number:02}" * 900) for number in range(60)),
        mappings=tuple(ControlMapping("f" * 80, "1", str(number), "text") for number in range(40)),
        remediation=replace(first.remediation, summary="r" * 900),
    )
    bare = replace(first, title="", summary="", account="", region="", subject="", keys=(), first_seen="")
    silent = replace(bare, remediation=replace(first.remediation, summary=""))
    written = render(replace(ordinary_report(), findings=(great, silent)), "asff")
    calls = {name: json.loads(content) for name, content in written.items() if name.startswith("asff/")}
    assert list(calls) == [f"asff/{ACCOUNT}-eu-west-1-1.json"]
    for call in calls.values():
        assert_accepted(call)
        assert [len(item["Resources"]) for item in call["Findings"]] == [32, 1]
        assert [item["FirstObservedAt"] for item in call["Findings"]] == [f"{LONG_AGO}T00:00:00Z", AS_OF]


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1", "AwsKmsKey"),
        (f"arn:aws:iam::{ACCOUNT}:role/path/reader", "AwsIamRole"),
        (f"arn:aws:iam::{ACCOUNT}:user/alice", "AwsIamUser"),
        (f"arn:aws:iam::{ACCOUNT}:policy/p", "AwsIamPolicy"),
        (f"arn:aws:kms:eu-central-1:{ACCOUNT}:alias/a", "Other"),
        (ACCOUNT, "Other"),
    ],
)
def test_asff_resources_have_the_types_of_security_hub(arn: str, kind: str) -> None:
    finding = replace(ordinary_report().findings[0], subject=arn, keys=())
    (item,) = json.loads(render(replace(report(), findings=(finding,)), "asff")["findings.asff.json"])["Findings"]
    region = "eu-central-1" if arn.startswith("arn:aws:kms") else "eu-west-1"
    assert item["Resources"] == [{"Type": kind, "Id": arn, "Partition": "aws", "Region": region}]


@pytest.mark.filterwarnings("ignore")
def test_ocsf_ids_and_captions() -> None:
    from py_ocsf_models.events.findings.activity_id import ActivityID
    from py_ocsf_models.events.findings.category_uid import CategoryUID
    from py_ocsf_models.events.findings.class_uid import ClassUID
    from py_ocsf_models.events.findings.confidence_id import ConfidenceID
    from py_ocsf_models.events.findings.detection_finding_type_id import DetectionFindingTypeID
    from py_ocsf_models.events.findings.severity_id import SeverityID
    from py_ocsf_models.events.findings.status_id import StatusID

    as_of, long_ago = 1_795_478_400_000, 1_793_491_200_000
    for finding, item in zip(report().findings, json.loads(files("ocsf")["findings.ocsf.json"]), strict=True):
        activity = "Close" if finding.state is FindingState.RESOLVED else "Create"
        certain = "High" if finding.confidence is Confidence.CONFIRMED else "Medium"
        assert SeverityID(item["severity_id"]).name == item["severity"] == OCSF[finding.severity]
        assert StatusID(item["status_id"]).name == item["status"] == STATUS[finding.state]
        assert ConfidenceID(item["confidence_id"]).name == item["confidence"] == certain
        assert ActivityID(item["activity_id"]).name == item["activity_name"] == activity
        assert DetectionFindingTypeID(item["type_uid"]).name == activity
        assert item["type_name"] == f"{item['class_name']}: {activity}"
        assert ClassUID(item["class_uid"]).name == "DetectionFinding"
        assert CategoryUID(item["category_uid"]).name == item["category_name"] == "Findings"
        assert item["time"] == item["finding_info"]["created_time"] == as_of
        assert item["finding_info"]["first_seen_time"] == (long_ago if finding.first_seen == LONG_AGO else as_of)
        assert item["unmapped"]["latent"] is finding.latent


def test_ocsf_names_the_account_where_it_has_a_name() -> None:
    finding = ordinary_report().findings[0]
    accounts = (AccountFacts(id=ACCOUNT, name="payments"), AccountFacts(id="222222222222"))
    findings = tuple(replace(finding, account=account) for account in (ACCOUNT, "222222222222", "333333333333", ""))
    named = replace(report(), snapshot=replace(report().snapshot, accounts=accounts), findings=findings)
    found = [item["cloud"].get("account") for item in json.loads(render(named, "ocsf")["findings.ocsf.json"])]
    assert [one and (one["uid"], one["name"]) for one in found] == [
        (ACCOUNT, "payments"),
        ("222222222222", "222222222222"),
        ("333333333333", "333333333333"),
        None,
    ]


def test_markdown_lists_the_first_twenty_open_findings() -> None:
    listed = [one for one in report().findings if one.state in (FindingState.OPEN, FindingState.UNVERIFIED)]
    lines = files("markdown")["summary.md"].decode().splitlines()
    for severity in Severity:
        assert f"| {severity} | {sum(one.severity is severity for one in listed)} |" in lines
    rows = [line for line in lines if "said the summary" in line]
    assert len(rows) == 20
    assert f"And {len(listed) - 20} more in the report." in lines
    exactly = replace(report(), findings=tuple(listed[:20]))
    assert "more in the report" not in render(exactly, "markdown")["summary.md"].decode()


def test_the_table_of_findings_has_each_as_it_is() -> None:
    rows = list(csv.DictReader(io.StringIO(files("csv")["findings.csv"].decode(), newline="")))
    for finding, row in zip(report().findings, rows, strict=True):
        for name in ("severity", "rule", "state", "confidence", "subject", "account", "first_seen", "fingerprint"):
            assert row[name] == str(getattr(finding, name)), name
        assert row["latent"] == ("yes" if finding.latent else "no")

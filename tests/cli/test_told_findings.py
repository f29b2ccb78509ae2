"""How findings are told in the summary of a run and in comparisons: order, counts, headings, former weights."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from auditor.cli.diff import CAPABILITIES
from auditor.cli.differing import Comparison, first_of, headline, render
from auditor.cli.explain import OUTCOMES
from auditor.cli.options import FORMATS, SEVERITIES
from auditor.cli.running import CSV_FILES
from auditor.cli.summary import summary
from auditor.model.access import Decision, Outcome
from auditor.model.actions import Capability
from auditor.model.finding import Confidence, FindingState, Severity
from auditor.model.key import Fact
from auditor.model.report import Report
from auditor.model.snapshot import Gap
from auditor.questions.change_kinds import Change
from auditor.questions.differences import AccessChange, Differences
from auditor.report import FORMATS as RENDERED
from auditor.report.views import views_of
from tests.report.varied import DARK, HOME, varied


def told(report: Report) -> list[str]:
    return summary(report).splitlines()


def test_the_summary_names_ten_findings_and_counts_the_others() -> None:
    one = replace(varied().findings[0], state=FindingState.OPEN)
    for number, last in ((10, []), (11, ["  and 1 more in the report"]), (1210, ["  and 1,200 more in the report"])):
        lines = told(replace(varied(), findings=(one,) * number, notes=()))
        assert sum("public-key-policy" in line for line in lines) == 10
        assert [line for line in lines if line.startswith("  and")] == last


@pytest.mark.parametrize(
    ("states", "line"),
    [
        ([FindingState.ACCEPTED], "1 finding is accepted or resolved."),
        ([FindingState.RESOLVED, FindingState.ACCEPTED], "2 findings are accepted or resolved."),
        ([FindingState.OPEN, FindingState.UNVERIFIED], None),
    ],
)
def test_the_summary_counts_what_is_accepted_or_gone(states: list[FindingState], line: str | None) -> None:
    findings = tuple(replace(varied().findings[0], state=state) for state in states)
    lines = [text for text in told(replace(varied(), findings=findings)) if "accepted" in text]
    assert lines == ([line] if line else [])
    told_open = told(replace(varied(), findings=findings))[1]
    assert (told_open == "No open findings.") == (line is not None)


def test_the_summary_names_five_gaps_those_first_that_access_rests_on() -> None:
    optional = [
        Gap(fact=Fact.TRAILS, account=HOME, region=f"r{number}", operation="x", code="y") for number in range(3)
    ]
    essential = [
        Gap(fact=Fact.KEY_LIST, account=DARK, region="eu-west-1", operation="kms:ListKeys", code="AccessDenied"),
        Gap(fact=Fact.KEY_LIST, account=HOME, region="us-east-1", operation="kms:ListKeys", code="AccessDenied"),
        Gap(fact=Fact.ORGANIZATION, operation="organizations:DescribeOrganization", code="AccessDenied"),
    ]
    report = replace(varied(), snapshot=replace(varied().snapshot, gaps=(*optional, *essential)))
    assert told(report)[-7:] == [
        "6 facts could not be read; verdicts about access rest on 3 of them:",
        "  organization of organization: organizations:DescribeOrganization AccessDenied",
        f"  key-list of {HOME} us-east-1: kms:ListKeys AccessDenied",
        f"  key-list of {DARK} eu-west-1: kms:ListKeys AccessDenied",
        f"  trails of {HOME} r0: x y",
        f"  trails of {HOME} r1: x y",
        "  and 1 more in the report",
    ]
    whole = replace(varied(), snapshot=replace(varied().snapshot, gaps=()))
    assert told(whole)[-1] == "Everything that was asked for could be read."


def headed() -> Comparison:
    """A finding under each heading that has some; the changed one weighed less before."""
    one = replace(varied().findings[0], summary="What | is said.")
    old = replace(one, severity=Severity.LOW, confidence=Confidence.POTENTIAL, latent=True)
    changed = replace(one, fingerprint="9" * 20, rule="weighs-more")
    findings = (
        ("new", (one,)),
        ("perhaps new", ()),
        ("changed", (changed,)),
        ("resolved", ()),
        ("unverified", (replace(one, rule="out-of-sight"), replace(one, rule="out-of-sight"))),
    )
    return Comparison(Differences(), findings, was={changed.fingerprint: old})


BEFORE = "low, potential, stopped by another layer"
DOUBT = "unverified: what such a finding rests on could not all be read after"
HEADLINE = "access: no change; findings: 1 new, 1 changed, 2 unverified; 0 changed facts"


def test_findings_are_told_by_heading_with_what_they_weighed_before() -> None:
    assert render(headed(), "text").splitlines() == [
        HEADLINE,
        "new       finding critical public-key-policy: What | is said.",
        f"changed   finding {BEFORE} → critical weighs-more: What | is said.",
        *["unverified finding critical out-of-sight: What | is said."] * 2,
        DOUBT,
    ]
    assert render(headed(), "markdown").splitlines() == [
        "### KMS access",
        "",
        HEADLINE,
        "",
        "- **new** finding (critical) public-key-policy: `What ¦ is said.`",
        f"- **changed** finding ({BEFORE} → critical) weighs-more: `What ¦ is said.`",
        *["- **unverified** finding (critical) out-of-sight: `What ¦ is said.`"] * 2,
        f"- `{DOUBT}`",
    ]


def test_findings_are_data_by_heading_with_what_they_weighed_before() -> None:
    one = varied().findings[0]
    told = {"severity": "critical", "subject": one.subject, "summary": "What | is said."}
    weighed = {"was": BEFORE, "now": "critical"}
    assert json.loads(render(headed(), "json"))["findings"] == {
        "new": [{"rule": "public-key-policy", **told}],
        "perhaps_new": [],
        "changed": [{"rule": "weighs-more", **told, **weighed}],
        "resolved": [],
        "unverified": [{"rule": "out-of-sight", **told}] * 2,
    }
    rows = list(csv.DictReader(io.StringIO(render(headed(), "csv"))))
    empty = dict.fromkeys(("principal", "capability", "actions", "was", "now"), "")
    expected = [("new", "public-key-policy", {}), ("changed", "weighs-more", weighed)]
    assert rows == [
        {**empty, "kind": "finding", "change": heading, "key": one.subject, "cause": f"{rule}: What | is said.", **more}
        for heading, rule, more in [*expected, *[("unverified", "out-of-sight", {})] * 2]
    ]


def test_what_options_offer_is_what_there_is() -> None:
    assert set(CAPABILITIES) == {*map(str, Capability), "any"}
    assert set(OUTCOMES) == {*map(str, Outcome), "denied"}
    assert set(FORMATS) == set(RENDERED)
    assert ("none", *reversed([str(level) for level in Severity if level is not Severity.INFO])) == SEVERITIES
    assert set(CSV_FILES) == {f"{view.name}.csv" for view in views_of(varied())}


@pytest.mark.parametrize(("number", "last"), [(0, None), (8, None), (9, "1 more"), (20, "12 more")])
def test_of_many_names_eight_are_shown_and_the_others_counted(number: int, last: str | None) -> None:
    names = [f"n{place}" for place in range(number)]
    shown = first_of(names)
    assert shown[:8] == names[:8]
    assert shown[8:] == ([f"{last} (-f json lists all)"] if last else [])


def test_the_headline_counts_every_kind_of_change() -> None:
    decision = Decision(Outcome.ALLOWED, "grant")
    one = AccessChange(Change.GAINED, "p", "k", Capability.DECRYPT, ("kms:Decrypt",), None, decision, "because")
    kinds = (Change.GAINED, Change.LOST, Change.LOST, Change.CONDITION)
    found = Differences(access=tuple(replace(one, change=kind) for kind in kinds))
    told = "access: 1 gained, 2 lost, 1 under another condition; findings: not judged; 0 changed facts"
    assert headline(Comparison(found, None)) == told
    assert headline(Comparison(found, (), not_judged=("x",))) == (
        "access: 1 gained, 2 lost, 1 under another condition; findings: no change; 0 changed facts; "
        "1 planned change not judged"
    )

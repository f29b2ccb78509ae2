"""The use case: assess, gate, publish, re-read, compare with a baseline; the same facts give the same bytes."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.audit import Auditor, attest, newest_snapshot, parse_as_of, publish, render_one, report_folder, verdict
from auditor.audit.baseline import read_baseline, with_states
from auditor.audit.frameworks import control_rows
from auditor.audit.publishing import check_formats, format_of, publish_framework
from auditor.audit.staging import write_private
from auditor.errors import OutputError, UsageError
from auditor.model.finding import Finding, FindingState, Severity
from auditor.model.key import Fact
from auditor.model.report import Report
from auditor.model.snapshot import Gap
from auditor.report.wording import change_words, newness
from auditor.suppressions import load_suppressions
from tests.cli.conftest import HOME, KEY, ROOT, allow, estate, text
from tests.report.varied import varied

PUBLIC = allow(Sid="Everyone", Principal="*", Action="kms:Decrypt")
DATA = ("csv", "json")


def assess(policy: str | None = None) -> Report:
    auditor = Auditor()
    return auditor.judge(auditor.evaluate(estate(policy or text(ROOT, PUBLIC))))


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_a_public_key_is_found_and_fails_the_gate() -> None:
    report = assess()
    assert "public-key-policy" in rules(report)
    assert verdict(report, "critical").failing >= 1
    assert verdict(report, "none").failing == 0
    assert verdict(report, "low").failing >= verdict(report, "high").failing


def test_a_gate_counts_open_and_unverified_findings_from_its_severity_on() -> None:
    report = assess()
    one = report.findings[0]
    states = (FindingState.OPEN, FindingState.UNVERIFIED, FindingState.ACCEPTED, FindingState.RESOLVED)
    findings = tuple(replace(one, severity=level, state=state) for level in Severity for state in states)
    counted = [verdict(replace(report, findings=findings), level).failing for level in ("critical", "high", "low")]
    assert counted == [2, 4, 8]


def test_gaps_that_access_rests_on_count_and_others_do_not() -> None:
    snapshot = estate(gaps=(Gap(fact=Fact.KEY_POLICY, account=HOME), Gap(fact=Fact.TRAILS, account=HOME)))
    auditor = Auditor()
    assert verdict(auditor.judge(auditor.evaluate(snapshot)), "none").essential_gaps == 1


def test_same_facts_same_bytes_and_files_are_private(tmp_path: Path) -> None:
    first = publish(assess(), tmp_path / "a", DATA)
    second = publish(assess(), tmp_path / "b", DATA)
    assert [path.name for path in first] == [path.name for path in second]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert stat.S_IMODE(one.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_a_result_renders_again_without_judging(tmp_path: Path) -> None:
    report = assess()
    publish(report, tmp_path, ["json"])
    again = read_baseline(tmp_path / "result.json")
    assert render_one(again, "csv") == render_one(report, "csv")
    assert json.loads(render_one(again, "json")) == json.loads(render_one(report, "json"))


def test_a_resolved_finding_is_told_once() -> None:
    before, after = assess(), assess(text(ROOT))
    once = with_states(after, before, None)
    assert FindingState.RESOLVED in {finding.state for finding in once.findings}
    twice = with_states(after, once, None)
    assert {finding.fingerprint for finding in twice.findings} == {item.fingerprint for item in after.findings}


def test_a_baseline_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_baseline(tmp_path)


def test_attest_lists_every_file(tmp_path: Path) -> None:
    files = publish(assess(), tmp_path, DATA)
    lines = dict(line.split("  ")[::-1] for line in attest(files, tmp_path).read_text().splitlines())
    assert lines == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    with pytest.raises(UsageError, match="is not below"):
        attest(files, tmp_path / "other")


def test_baseline_tells_new_resolved_and_unverified() -> None:
    before, after = assess(), assess(text(ROOT))
    states = {finding.rule: finding.state for finding in with_states(after, before, None).findings}
    assert states["public-key-policy"] is FindingState.RESOLVED
    elsewhere = replace(after, snapshot=replace(after.snapshot, accounts=()))
    states = {finding.rule: finding.state for finding in with_states(elsewhere, before, None).findings}
    assert states["public-key-policy"] is FindingState.UNVERIFIED
    back = with_states(assess(), with_states(before, None, None), None)
    assert {finding.first_seen for finding in back.findings} == {before.as_of}


def test_a_baseline_of_the_same_moment_is_one() -> None:
    """Judged anew under other settings; what was resolved and is back is new again, and keeps its first day."""
    first = with_states(assess(), None, None)
    again = with_states(assess(), first, None)
    assert change_words(again) == "Since the baseline: 0 new findings, 0 resolved."
    resolved = tuple(replace(finding, state=FindingState.RESOLVED) for finding in first.findings)
    earlier = replace(first, as_of="2026-11-01T00:00:00Z", findings=resolved)
    back = with_states(assess(), earlier, None)
    assert {newness(finding, back) for finding in back.findings} == {"new"}
    assert {finding.first_seen for finding in back.findings} == {first.as_of}


def test_what_weighs_otherwise_since_the_baseline_is_told(tmp_path: Path) -> None:
    """A key that has become restricted; not where the run could not read on what the difference rests."""
    before = assess()
    (key, *others) = before.snapshot.keys
    restricted = replace(before.snapshot, keys=(replace(key, tags=(("data-class", "restricted"),)), *others))
    auditor = Auditor()
    after = auditor.judge(auditor.evaluate(restricted))
    report = with_states(after, replace(before, as_of="2026-11-01T00:00:00Z"), None)
    worse = {finding.rule: (finding.was, str(finding.severity)) for finding in report.findings if finding.was}
    assert worse["iam-decrypt-all-keys"] == ("medium", "high")
    number = sum(1 for finding in report.findings if finding.was)
    assert f"{number} with another severity or certainty" in change_words(report)
    publish(report, tmp_path, ["html", "csv"])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ("in the baseline: medium" in page, page.count('<span class="chip">was ')) == (True, number)
    assert ",was," in (tmp_path / "findings.csv").read_text(encoding="utf-8").splitlines()[0]
    same = with_states(after, report, None)
    assert not any(finding.was for finding in same.findings)
    gap = Gap(fact=Fact.IDENTITY_POLICY, account=HOME, operation="iam:GetPolicyVersion", code="AccessDenied")
    blind = replace(after, snapshot=replace(after.snapshot, gaps=(gap,)))
    told = {finding.rule for finding in with_states(blind, before, None).findings if finding.was}
    assert "iam-decrypt-all-keys" not in told


def test_what_the_baseline_could_not_look_for_is_perhaps_new(tmp_path: Path) -> None:
    """It counts for the gate all the same: it is open now."""
    after = assess()
    (key, *others) = after.snapshot.keys
    blind = replace(key, policies=(), unread=frozenset({Fact.KEY_POLICY}))
    gap = Gap(fact=Fact.KEY_POLICY, account=HOME, subject=key.arn, operation="kms:GetKeyPolicy", code="AccessDenied")
    auditor = Auditor()
    before = auditor.judge(auditor.evaluate(replace(after.snapshot, keys=(blind, *others), gaps=(gap,))))
    report = with_states(after, replace(before, as_of="2026-11-01T00:00:00Z"), None)
    (public,) = [finding for finding in report.findings if finding.rule == "public-key-policy"]
    assert (public.perhaps_old, newness(public, report)) == (True, "perhaps new")
    assert f"{sum(one.perhaps_old for one in report.findings)} perhaps new, because the baseline could not look" in (
        change_words(report)
    )
    assert verdict(report, "critical").failing == verdict(after, "critical").failing > 0
    publish(report, tmp_path, ["json", "html", "sarif", "markdown"])
    assert read_baseline(tmp_path / "result.json").findings == report.findings
    assert '<span class="chip">perhaps new</span>' in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "perhaps new" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    results = json.loads((tmp_path / "report.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    told = {item["ruleId"]: item["properties"].get("perhapsOld") for item in results}
    assert told["public-key-policy"] is True
    later = with_states(replace(after, as_of="2026-12-01T00:00:00Z"), report, None)
    assert not any(finding.perhaps_old for finding in later.findings)


def test_accepted_findings_pass_the_gate(tmp_path: Path) -> None:
    report = assess()
    finding = next(item for item in report.findings if item.rule == "public-key-policy")
    path = tmp_path / "accepted.yaml"
    path.write_text(
        f"- {{rule: {finding.rule}, subject: '{finding.subject}', kind: accepted-risk, reason: test, approver: me, "
        "approved: 2026-11-01, expires: 2026-12-01}\n",
        encoding="utf-8",
    )
    accepted = with_states(report, None, load_suppressions(path))
    assert verdict(accepted, "low").failing == verdict(report, "low").failing - 1
    assert len(accepted.findings) == len(report.findings)


def test_frameworks_show_findings_clean_and_not_evaluated(tmp_path: Path) -> None:
    hostile = Finding(
        rule="public-key-policy",
        code="EXP-001",
        title="x",
        category="exposure",
        severity=Severity.CRITICAL,
        subject="=cmd()",
        subject_kind="key",
        summary="<script>alert(1)</script>\u202e",
        fingerprint="f",
    )
    tabbed = replace(hostile, subject="\tcmd", summary="＝1+1")
    report = replace(assess(), findings=(hostile, tabbed))
    assert {row.status for row in control_rows(report, "nist-800-53")} == {"finding", "clean", "not evaluated"}
    pages = publish_framework(report, "nist-800-53", tmp_path)
    assert [page.name for page in pages] == ["nist-800-53.csv", "nist-800-53.html"]
    page, rows = pages[1].read_text(encoding="utf-8"), pages[0].read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "\u202e" not in page
    assert "Coverage grade" in page
    assert "our reading of its text" in page
    assert not any(start in rows for start in (",=cmd", ",\t", ",＝"))
    with pytest.raises(UsageError, match="no framework"):
        control_rows(report, "nist")


@pytest.mark.parametrize("told", ["..", ".", "../../x", ".unfinished", "x" * 300, "", "a\n/b", "\ud800"])
def test_whatever_the_id_is_told_to_be_it_names_one_folder(tmp_path: Path, told: str) -> None:
    account = replace(estate().accounts[0], id=told)
    folder = report_folder(replace(estate(), accounts=(account,), organization=None), tmp_path)
    folder.mkdir(parents=True)
    assert folder.resolve().parent.parent == tmp_path.resolve()
    assert not folder.parent.name.startswith(".")


def test_places_sort_by_time_and_ignore_the_unfinished(tmp_path: Path) -> None:
    assert report_folder(estate(), tmp_path) == tmp_path / HOME / "20261124T070000Z"
    with pytest.raises(UsageError, match="No complete snapshot"):
        newest_snapshot(tmp_path)
    for name, finished in (("1/a", "2026-11-23T00:00:00Z"), ("2/b", "2026-11-24T00:00:00Z"), ("3/c", "")):
        folder = tmp_path / name / "snapshot"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"provenance": {"finished": finished}}))
    assert newest_snapshot(tmp_path) == tmp_path / "2/b/snapshot"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-24", "2026-11-24T00:00:00Z"),
        ("2026-11-24T12:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-24T14:00:00+02:00", "2026-11-24T12:00:00Z"),
    ],
)
def test_as_of_is_utc(given: str, expected: str) -> None:
    assert parse_as_of(given) == expected


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.html", "html"),
        ("A.HTML", "html"),
        ("a.csv", "csv"),
        ("a.json", "json"),
        ("a.xlsx", "xlsx"),
        ("a.sarif", "sarif"),
        ("a.md", "markdown"),
        ("a.ocsf.json", "ocsf"),
        ("a.Asff.json", "asff"),
        ("a.sarif.json", "sarif"),
        ("ocsf.json", "json"),
    ],
)
def test_a_suffix_means_a_format(name: str, form: str) -> None:
    assert format_of(Path(name)) == form


def test_formats_are_taken_once_each_in_their_order() -> None:
    assert check_formats(["csv", "html", "csv"]) == ("csv", "html")
    assert check_formats([]) == ("html", "csv", "json")


def test_what_is_there_comes_before_what_is_gone_and_the_worst_first() -> None:
    findings = {item.rule: replace(item, state=FindingState.OPEN) for item in varied().findings}
    here = [findings[rule] for rule in ("unused-key", "stale-grant", "public-key-policy", "key-takeover-by-non-admin")]
    same = replace(findings["key-takeover-by-non-admin"], rule="today", latent=False, fingerprint="7" * 20)
    gone = [findings["rotation-disabled"], replace(findings["gone"], severity=Severity.CRITICAL)]
    baseline = replace(varied(), findings=tuple(gone))
    found = with_states(replace(varied(), findings=(*here, same)), baseline, None).findings
    assert [item.rule for item in found] == [
        *("public-key-policy", "today", "key-takeover-by-non-admin", "stale-grant", "unused-key"),
        *("gone", "rotation-disabled"),
    ]


def test_formats_and_paths_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no format “pdff”"):
        check_formats(["pdff"])
    with pytest.raises(UsageError, match="no format has this suffix"):
        format_of(Path("report.doc"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Choose another folder"):
        write_private(tmp_path / "file" / "x.json", b"")


def test_access_frame_has_a_row_for_every_access() -> None:
    evaluation = Auditor().evaluate(estate(text(ROOT)))
    frame = evaluation.access_frame()
    assert not frame.empty
    assert KEY in set(frame["key"])


def test_the_python_surface_is_named_and_documented() -> None:
    """``__all__`` is what is promised: each name is there, and each public method says what it does."""
    import inspect

    import auditor.audit as surface

    assert {"Auditor", "Evaluation", "Compared"} <= set(surface.__all__)
    assert all(getattr(surface, name).__doc__ for name in surface.__all__ if callable(getattr(surface, name)))
    for kind in (surface.Auditor, surface.Evaluation):
        methods = [item for name, item in inspect.getmembers(kind) if not name.startswith("_") and callable(item)]
        assert methods
        assert all(method.__doc__ for method in methods)

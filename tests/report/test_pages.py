"""What the pages of the report show: rankings, pairs in both directions, reasons, escalation paths."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.evaluator import evaluate
from auditor.model.access import Outcome
from auditor.model.finding import FindingState, Severity
from auditor.model.policy import Layer
from auditor.model.score import Score
from auditor.report import pages, render
from auditor.report.grid import grid_of
from auditor.report.pages import alike, held_pairs, key_pages, open_findings, principal_pages, reasons, worst
from auditor.report.paths import escalation_paths
from auditor.report.wording import change_words
from tests.report.estates import ACCOUNT, AS_OF, READER, attached, many, ordinary

ALLOW = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}


def test_pages_show_the_same_pairs_in_both_directions() -> None:
    report = ordinary()
    grid = grid_of(report)
    by_key = {
        (pair.other, page.place, *(cell and cell.number for cell in pair.cells))
        for page in key_pages(report, grid)
        for pair in page.pairs or ()
    }
    by_principal = {
        (page.place, pair.other, *(cell and cell.number for cell in pair.cells))
        for page in principal_pages(report, grid)
        for pair in page.pairs or ()
    }
    assert by_key == by_principal
    assert len({pair[:2] for pair in by_key}) == len(by_key)


def test_a_pair_tells_the_condition_of_its_capabilities() -> None:
    report = ordinary()
    conditions = {
        words
        for page in key_pages(report, grid_of(report))
        for pair in page.pairs or ()
        for _, words in pair.conditions
        if any(cell and cell.outcome is Outcome.CONDITIONAL for cell in pair.cells)
    }
    assert any("tenant" in words for words in conditions)


def test_every_cell_has_its_reason_once() -> None:
    report = ordinary()
    grid = grid_of(report)
    keys, principals = key_pages(report, grid), principal_pages(report, grid)
    told = [reason.number for reason in reasons(report, keys, principals)]
    assert told == sorted(set(told))
    assert {cell.number for page in keys for pair in page.pairs or () for cell in pair.cells if cell} <= set(told)


def test_above_the_limit_only_the_first_pages_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ROWS", 299)
    report = many()
    listed = key_pages(report, grid_of(report))
    full = sum(len(page.pairs or ()) for page in listed)
    assert 0 < full <= pages.FEW_ROWS
    assert any(page.pairs is None for page in listed)


def test_worst_goes_by_score_then_by_findings() -> None:
    report = ordinary()
    arns = [key.arn for key in report.snapshot.keys]
    ranked = worst(report, "keys", {arns[3]: Score(80, 80), arns[0]: Score(10, 10)})
    assert [item.arn for item in ranked][:2] == [arns[3], arns[0]]
    unscored = worst(report, "keys", {})
    assert unscored[0].severities[0][0] is Severity.CRITICAL
    assert len(worst(report, "keys", {}, size=1)) == 1


def test_accepted_findings_rank_nobody() -> None:
    report = ordinary()
    accepted = tuple(replace(item, state=FindingState.ACCEPTED) for item in report.findings)
    assert worst(replace(report, findings=accepted), "principals", {}) == ()


def test_escalation_paths_keep_their_steps() -> None:
    report = ordinary()
    (path,) = escalation_paths(report)
    assert report.findings[path.number].rule == "indirect-key-access-path"
    assert path.steps == (("backups", "sts:AssumeRole", READER),)
    accepted = tuple(replace(item, state=FindingState.ACCEPTED) for item in report.findings)
    assert escalation_paths(replace(report, findings=accepted)) == ()


def test_alike_findings_stand_together_in_order() -> None:
    findings = ordinary().findings
    same = replace(findings[0], fingerprint="0" * 20)
    listed = (findings[0], findings[1], same)
    assert alike(listed, (0, 1, 2)) == [[0, 2], [1]]
    others = (
        replace(same, severity=Severity.INFO),
        replace(same, rule="x"),
        replace(same, state=FindingState.RESOLVED),
    )
    assert alike((findings[0], *others), (3, 0, 1, 2)) == [[3], [0], [1], [2]]


def test_change_is_told_only_when_there_was_an_earlier_run() -> None:
    report = ordinary()
    here = tuple(replace(item, state=FindingState.OPEN, first_seen=report.as_of) for item in report.findings)
    assert change_words(replace(report, findings=here)) == ""
    known = replace(here[0], first_seen="2026-11-01T00:00:00Z")
    gone = replace(here[1], state=FindingState.RESOLVED)
    unsure = replace(here[2], state=FindingState.UNVERIFIED)
    words = change_words(replace(report, findings=(known, gone, unsure, here[3])))
    assert words.startswith("Since the baseline: 1 new finding, 1 resolved, 1 not seen again but not verified")


def test_findings_about_the_root_of_an_account_outside_stand_on_its_page() -> None:
    report = ordinary()
    about = replace(report.findings[0], principals=("arn:aws:iam::222222222222:root",))
    report = replace(report, findings=(about, *report.findings[1:]))
    place = next(place for place, one in enumerate(report.principals) if one.arn == "222222222222")
    page = next(page for page in principal_pages(report, grid_of(report)) if page.place == place)
    assert page.findings == (0,)
    assert f'href="#principal-{place}">any principal of' in render(report, "html")["report.html"].decode()


def test_open_findings_of_a_principal_leave_out_what_is_accepted_or_resolved() -> None:
    report = ordinary()
    (numbers,) = [page.findings for page in principal_pages(report, grid_of(report)) if page.principal.arn == READER]
    assert (len(numbers), open_findings(report, numbers)) == (4, 2)
    page = render(report, "html")["report.html"].decode()
    row = page[page.index('<table id="principal-index"') :].split(">reader</a>")[1].split("</tr>")[0]
    assert row.endswith('<td class="num">2</td>')


def test_a_key_that_a_layer_blocks_altogether_is_not_counted_as_one_to_use() -> None:
    snapshot = ordinary().snapshot
    first, *rest = snapshot.keys
    deny = {"Effect": "Deny", "Principal": {"AWS": READER}, "Action": "kms:*", "Resource": "*"}
    blocked = replace(first, policies=(attached(Layer.KEY_POLICY, "default", first.arn, ALLOW, deny),), grants=())
    evaluation = evaluate(replace(snapshot, keys=(blocked, *rest)), as_of=AS_OF)
    report = replace(
        ordinary(), snapshot=evaluation.snapshot, principals=evaluation.principals, access=evaluation.table
    )
    reader = next(place for place, one in enumerate(report.principals) if one.arn == READER)
    grid = grid_of(report)
    (page,) = [page for page in principal_pages(report, grid) if page.place == reader]
    assert {pair.other for pair in page.pairs or ()} == {0, 1, 2, 3}
    assert {key for principal, key in held_pairs(report, grid) if principal == reader} == {1, 2, 3}

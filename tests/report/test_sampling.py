"""The draw of pairs depends on the snapshot alone and holds every outcome that there is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from auditor.model.access import Outcome
from auditor.model.actions import ACTIONS
from auditor.model.report import Report
from auditor.report.grid import grid_of
from auditor.report.sampling import EACH, drawn_pairs
from tests.report.estates import ordinary


def draw(report: Report) -> list[tuple[str, str, str, Outcome]]:
    return [
        (
            report.principals[pair.principal].arn,
            report.snapshot.keys[pair.key].arn,
            pair.action,
            report.access.decisions[pair.number].outcome,
        )
        for pair in drawn_pairs(report, grid_of(report))
    ]


def test_draw_is_the_decision_of_the_table() -> None:
    report = ordinary()
    actions = {action.short: action for action in ACTIONS}
    for pair in drawn_pairs(report, grid_of(report)):
        expected = report.access.decision(pair.principal, pair.key, actions[pair.action])
        assert report.access.decisions[pair.number] == expected


def test_every_outcome_is_there_and_none_too_often() -> None:
    report = ordinary()
    drawn = draw(report)
    found = Counter(outcome for *_, outcome in drawn)
    assert {Outcome.ALLOWED, Outcome.CONDITIONAL, Outcome.IMPLICITLY_DENIED} <= found.keys()
    assert max(found.values()) <= EACH
    assert len(set(drawn)) == len(drawn)


def test_draw_repeats_and_follows_the_hash_of_the_snapshot() -> None:
    report = ordinary()
    assert draw(report) == draw(report)
    other = replace(report.snapshot, provenance=replace(report.snapshot.provenance, content_hash="cd" * 32))
    assert draw(replace(report, snapshot=other)) != draw(report)


def test_an_empty_estate_has_nothing_to_draw() -> None:
    report = ordinary()
    bare = replace(report, snapshot=replace(report.snapshot, keys=()))
    assert drawn_pairs(bare, grid_of(bare)) == ()

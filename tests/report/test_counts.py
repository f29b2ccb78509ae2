"""The numbers of a report are those of the questions, counted answer by answer, and its sentences fit the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings

from auditor.evaluator import Evaluation, evaluate
from auditor.model.access import Outcome
from auditor.model.actions import Capability
from auditor.model.finding import FindingState, RuleStatus, Severity
from auditor.model.key import Fact
from auditor.model.principal import PrincipalKind
from auditor.model.report import Report
from auditor.model.snapshot import Gap, Snapshot
from auditor.questions import Answer, what_can, who_can
from auditor.report.counts import Counts, counts_of, grade_of
from auditor.report.wording import GRADES, coverage_words, gap_words, summary_words
from tests.evaluator.organizations import snapshots
from tests.laws import examples
from tests.report.estates import AS_OF, ordinary

HELD = (Outcome.ALLOWED, Outcome.CONDITIONAL)
ABROAD = (PrincipalKind.EXTERNAL_ACCOUNT, PrincipalKind.EXTERNAL_PRINCIPAL, PrincipalKind.EVERYONE)


def reported(snapshot: Snapshot) -> tuple[Report, Evaluation]:
    evaluation = evaluate(snapshot, as_of=AS_OF)
    bare = {"snapshot": evaluation.snapshot, "principals": evaluation.principals, "access": evaluation.table}
    return Report(**bare, findings=(), as_of=AS_OF), evaluation


def who(answers: Iterable[Answer], *outcomes: Outcome) -> set[str]:
    """Those with such access to a customer managed key."""
    return {one.principal.arn for one in answers if one.decision.outcome in outcomes and one.key.customer_managed}


@settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(snapshots())
def test_the_counts_of_access_are_those_of_the_questions(snapshot: Snapshot) -> None:
    first, *rest = snapshot.keys
    snapshot = replace(
        snapshot, keys=(replace(first, manager="CUSTOMER"), *(replace(one, manager="AWS") for one in rest))
    )
    report, evaluation = reported(snapshot)
    counts, keys = counts_of(report), evaluation.snapshot.keys
    answers = what_can(evaluation, evaluation.principals)
    decrypt = who_can(evaluation, Capability.DECRYPT, keys)
    abroad = {one.arn for one in evaluation.principals if one.kind in ABROAD and Fact.IDENTITIES not in one.unread}
    assert counts.access_rows == len(answers)
    assert counts.unknown_cells == sum(one.decision.outcome is Outcome.UNKNOWN for one in answers)
    assert counts.readers == len(who(decrypt, *HELD))
    assert counts.unknown_readers == len(who(decrypt, Outcome.UNKNOWN) - who(decrypt, *HELD))
    assert counts.outsiders == len(who(answers, *HELD) & abroad)
    assert counts.unknown_outsiders == len((who(answers, Outcome.UNKNOWN) - who(answers, *HELD)) & abroad)
    may = who_can(evaluation, Capability.ADMINISTER, keys)
    administered = {one.key.arn for one in may if one.decision.outcome in (*HELD, Outcome.UNKNOWN)}
    mine = {key.arn for key in keys if key.customer_managed}
    assert counts.unadministered_keys == len(mine - administered)
    assert (counts.customer_keys, counts.aws_keys) == (1, len(rest))


def test_only_what_is_open_or_unverified_counts_as_open() -> None:
    one = ordinary().findings[0]
    findings = tuple(
        replace(one, severity=severity, state=state)
        for number, severity in enumerate(Severity, 1)
        for state in FindingState
        for _ in range(number)
    )
    counts = counts_of(replace(ordinary(), findings=findings))
    assert [counts.severity(severity) for severity in Severity] == [2, 4, 6, 8, 10]
    assert (counts.findings, counts.open_findings) == (60, 30)


@pytest.mark.parametrize("state", FindingState)
def test_a_finding_that_is_accepted_or_gone_calls_no_key_public(state: FindingState) -> None:
    finding = replace(ordinary().findings[0], rule="public-key-policy", state=state)
    for latent in (False, True):
        counts = counts_of(replace(ordinary(), findings=(replace(finding, latent=latent),)))
        listed = state in (FindingState.OPEN, FindingState.UNVERIFIED)
        assert (counts.public_keys, counts.unknown_public_keys) == (int(listed and not latent), 0)


NONE = {item.name: 0 for item in fields(Counts)} | {"grade": "A"}


def said(**counts: int | str) -> str:
    return summary_words(ordinary(), Counts(**{**NONE, **counts}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (
            {"customer_keys": 1, "accounts": 1, "regions": 1},
            "1 customer managed key was read in 1 account and 1 Region.",
        ),
        (
            {"customer_keys": 1200, "aws_keys": 1, "accounts": 2, "regions": 3},
            "1,200 customer managed keys and 1 AWS managed key were read in 2 accounts and 3 Regions.",
        ),
        ({"aws_keys": 1}, "0 customer managed keys and 1 AWS managed key was read"),
        ({"readers": 1, "principals": 3}, "1 of 3 principals can decrypt with at least one customer managed key"),
        ({"readers": 1, "principals": 3, "grade": "D"}, "At least 1 of 3 principals can decrypt"),
        ({"unknown_readers": 2}, "as it is configured; of 2 more it is unknown."),
        ({}, "Nobody outside the collected accounts has access."),
        ({"grade": "D"}, "As far as could be read, nobody outside the collected accounts has access."),
        ({"outsiders": 1}, "1 principal outside the collected accounts has access."),
        ({"outsiders": 2, "grade": "D"}, "At least 2 principals outside the collected accounts have access."),
        ({"outsiders": 2, "unknown_outsiders": 3}, "accounts have access; of 3 more it is unknown."),
        (
            {"unknown_outsiders": 1},
            "Of 1 principal outside the collected accounts it is unknown whether it has access.",
        ),
        ({"unknown_outsiders": 2}, "Of 2 principals outside the collected accounts it is unknown whether they have"),
        ({"public_keys": 1}, "1 key is public: anybody in AWS can use it, outright"),
        ({"public_keys": 2}, "2 keys are public: anybody in AWS can use them, outright"),
        ({"unknown_public_keys": 1}, "1 key may be public"),
        ({"unadministered_keys": 2}, "Nobody that was read can administer 2 keys."),
        ({"rules_evaluated": 1}, "No finding is open, after 1 rule were evaluated."),
        ({"open_findings": 1}, "1 finding is open, none of them critical."),
        ({"open_findings": 3, "critical": 2}, "3 findings are open, 2 of them critical."),
    ],
)
def test_the_summary_says_the_numbers(counts: dict[str, int | str], sentence: str) -> None:
    assert sentence in said(**counts)


def test_the_summary_is_silent_about_what_there_is_not() -> None:
    words = said(customer_keys=1)
    assert not any(text in words for text in ("AWS managed", "unknown", "public", "administer", "east 1 of"))


@pytest.mark.parametrize(
    ("gaps", "essential", "words"),
    [
        (1, 0, "1 fact could not be read; no verdict about access rests on it"),
        (2, 0, "2 facts could not be read; no verdict about access rests on them"),
        (1, 1, "1 fact could not be read; verdicts about access rest on it"),
        (2, 2, "2 facts could not be read; verdicts about access rest on all of them"),
        (3, 2, "3 facts could not be read; verdicts about access rest on 2 of them"),
    ],
)
def test_gaps_say_what_rests_on_them(gaps: int, essential: int, words: str) -> None:
    assert gap_words(gaps, essential) == words
    facts = [Fact.KEY_POLICY] * essential + [Fact.LAST_USAGE] * (gaps - essential)
    report = replace(ordinary(), snapshot=replace(ordinary().snapshot, gaps=tuple(Gap(fact=fact) for fact in facts)))
    counts = counts_of(report)
    assert (counts.gaps, counts.essential_gaps) == (gaps, essential)
    assert coverage_words(report, counts).startswith(f"{words}.")


def test_what_was_not_read_is_told_part_by_part() -> None:
    whole = replace(ordinary(), snapshot=replace(ordinary().snapshot, organization_unread=False))
    assert coverage_words(whole, Counts(**NONE)) == ""  # type: ignore[arg-type]
    told = coverage_words(
        replace(whole, snapshot=replace(whole.snapshot, organization_unread=True)),
        Counts(**{**NONE, "unknown_cells": 1, "rules_not_evaluated": 2}),  # type: ignore[arg-type]
    )
    assert told == (
        "The organization could not be read, so SCPs and RCPs are unknown. "
        "1 combination of principal, key and capability stays unknown. 2 rules could not be evaluated."
    )
    several = coverage_words(whole, Counts(**{**NONE, "unknown_cells": 2}))  # type: ignore[arg-type]
    assert several == "2 combinations of principal, key and capability stay unknown."


def test_of_a_key_that_decrypts_nothing_nobody_is_a_reader_perhaps() -> None:
    """What is unknown of an HMAC key are its other capabilities."""
    first = ordinary().snapshot.keys[0]
    blind = frozenset({Fact.KEY_POLICY, Fact.GRANTS})
    mac = replace(first, spec="HMAC_256", usage="GENERATE_VERIFY_MAC", policies=(), grants=(), unread=blind)
    counts = counts_of(reported(replace(ordinary().snapshot, keys=(mac,)))[0])
    assert counts.unknown_cells > 0
    assert (counts.readers, counts.unknown_readers) == (0, 0)


@pytest.mark.parametrize(
    ("evaluated", "gap", "unknown", "grade"),
    [
        ((True, True), None, 0, "A"),
        ((True, False), None, 0, "B"),
        ((True, True), Fact.LAST_USAGE, 0, "B"),
        ((True, True), None, 1, "C"),
        ((True, True), Fact.BOUNDARY, 0, "C"),
        ((True, False), Fact.KEY_POLICY, 0, "D"),
    ],
)
def test_the_grade_is_that_of_the_worst_gap(
    evaluated: tuple[bool, ...], gap: Fact | None, unknown: int, grade: str
) -> None:
    gaps = (Gap(fact=gap, account="1"),) if gap else ()
    rules = tuple(RuleStatus(f"rule-{number}", one) for number, one in enumerate(evaluated))
    report = replace(ordinary(), snapshot=replace(ordinary().snapshot, gaps=gaps), rules=rules)
    assert grade_of(report, unknown) == grade
    assert set(GRADES) == {"A", "B", "C", "D"}

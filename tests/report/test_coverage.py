"""Coverage by account, Region and fact: what was asked, read and refused adds up."""

from __future__ import annotations

from dataclasses import replace

from auditor.model.key import Fact
from auditor.model.report import Report
from auditor.model.snapshot import Gap, ShardCoverage
from auditor.report.coverage import FACT_TITLES, Tally, coverage_lines, totals
from tests.report.estates import ACCOUNT, ordinary

POLICY, GRANTS, LAST_USE, IAM = (
    FACT_TITLES.index(title) for title in ("key policy", "grants", "last use", "IAM policies")
)


def covered(*shards: ShardCoverage, gaps: tuple[Gap, ...] = (), unread: frozenset[Fact] = frozenset()) -> Report:
    report = ordinary()
    first, *rest = report.snapshot.keys
    keys = (replace(first, unread=unread), *rest)
    return replace(report, snapshot=replace(report.snapshot, keys=keys, coverage=shards, gaps=gaps))


def regional(listed: int, described: int) -> ShardCoverage:
    return ShardCoverage(ACCOUNT, "eu-west-1", "read", listed, described, 9)


def test_read_and_refused_facts_are_counted_for_each_key() -> None:
    (line,) = coverage_lines(covered(regional(3, 3), unread=frozenset({Fact.KEY_POLICY})))
    assert line.facts[POLICY] == Tally(asked=3, read=2)
    assert line.facts[GRANTS] == Tally(asked=3, read=3)


def test_a_fact_that_nobody_asked_for_is_absent() -> None:
    (line,) = coverage_lines(covered(regional(3, 3)))
    assert line.facts[LAST_USE] is None
    (line,) = coverage_lines(covered(regional(3, 3), unread=frozenset({Fact.LAST_USAGE})))
    assert line.facts[LAST_USE] == Tally(asked=1, read=0)


def test_listed_keys_are_reconciled_with_gaps() -> None:
    gap = Gap(fact=Fact.KEY_METADATA, account=ACCOUNT, region="eu-west-1", subject="one")
    (line,) = coverage_lines(covered(regional(5, 4), gaps=(gap, gap)))
    assert (line.missing, line.balanced) == (1, True)
    (line,) = coverage_lines(covered(regional(6, 4), gaps=(gap,)))
    assert (line.missing, line.balanced) == (1, False)


def test_gaps_without_a_column_are_counted_apart() -> None:
    gaps = tuple(Gap(fact=fact, account=ACCOUNT, region="eu-west-1") for fact in (Fact.ALIASES, Fact.GRANTS))
    (line,) = coverage_lines(covered(regional(3, 3), gaps=gaps))
    assert line.other_gaps == 1


def test_global_facts_stand_in_the_line_without_a_region() -> None:
    lines = coverage_lines(covered(ShardCoverage(ACCOUNT, "", "read", calls=3), regional(3, 3)))
    assert lines[0].facts[IAM] == Tally(asked=2, read=2)
    assert lines[0].facts[GRANTS] is None
    assert lines[1].facts[IAM] is None
    assert totals(lines)[IAM] == Tally(asked=2, read=2)
    assert totals(()) == ()

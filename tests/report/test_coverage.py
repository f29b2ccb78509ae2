"""Coverage by account, Region and fact: what was asked, read and refused adds up."""

from __future__ import annotations

from dataclasses import replace

from auditor.cli.summary import summary
from auditor.model.evidence import Evidence
from auditor.model.key import Fact
from auditor.model.organization import Organization, OrgTarget, TargetKind
from auditor.model.snapshot import NOT_ENABLED, AccountFacts, Gap, ShardCoverage, Snapshot
from auditor.report import render
from auditor.report.counts import counts_of
from auditor.report.coverage import CoverageTable, Line, Tally, coverage_tables
from tests.report.estates import ACCOUNT, ordinary

REGION = "eu-west-1"


def covered(*shards: ShardCoverage, gaps: tuple[Gap, ...] = (), unread: frozenset[Fact] = frozenset()) -> Snapshot:
    """Three keys of ``ordinary`` are in ``REGION``; the first key lacks ``unread``."""
    snapshot = ordinary().snapshot
    first, *rest = snapshot.keys
    return replace(snapshot, keys=(replace(first, unread=unread), *rest), coverage=shards, gaps=gaps)


def regional(listed: int, described: int) -> ShardCoverage:
    return ShardCoverage(ACCOUNT, REGION, "read", listed, described, 9)


def first_line(snapshot: Snapshot) -> tuple[Line, dict[str, Tally | None]]:
    """The line of ``REGION`` and its cells by title."""
    table = coverage_tables(snapshot)[0]
    line = next(line for line in table.lines if line.shard.region == REGION)
    return line, dict(zip(table.titles, line.facts, strict=True))


def totals(table: CoverageTable) -> dict[str, Tally]:
    return dict(zip(table.titles, table.totals, strict=True))


def test_read_and_refused_facts_are_counted_for_each_key() -> None:
    _, cells = first_line(covered(regional(3, 3), unread=frozenset({Fact.KEY_POLICY})))
    assert cells["key policy"] == Tally(asked=3, read=2)
    assert cells["grants"] == Tally(asked=3, read=3)


def test_a_fact_that_nobody_asked_for_has_no_column() -> None:
    assert "last use" not in first_line(covered(regional(3, 3)))[1]
    _, cells = first_line(covered(regional(3, 3), unread=frozenset({Fact.LAST_USAGE})))
    assert cells["last use"] == Tally(asked=1, read=0)


def test_trails_analyzers_and_alarms_are_counted_where_they_were_asked_for() -> None:
    gap = Gap(fact=Fact.TRAILS, account=ACCOUNT, region=REGION, effect="whether calls are logged")
    asked = frozenset({(fact, ACCOUNT, REGION) for fact in (Fact.TRAILS, Fact.ANALYZERS, Fact.ALARMS)})
    evidence = Evidence(asked=asked, unread=frozenset({(Fact.TRAILS, ACCOUNT, REGION)}))
    line, cells = first_line(replace(covered(regional(3, 3), gaps=(gap,)), evidence=evidence))
    assert cells["trails"] == Tally(asked=1, read=0, effects=("whether calls are logged",))
    assert cells["access analyzers"] == cells["alarms"] == cells["aliases"] == Tally(asked=1, read=1)
    assert line.other_gaps == 0


def test_the_organization_has_a_line_with_its_policies() -> None:
    root = OrgTarget(id="r-1", name="Root", kind="ROOT", parent=None)
    unread = frozenset({Fact.SCP})
    level = OrgTarget(id=ACCOUNT, name="shop", kind="ACCOUNT", parent="r-1", rcps=None, unread=unread)
    organization = Organization(id="o-1", management_account=ACCOUNT, targets=(root, level))
    whole = coverage_tables(replace(covered(regional(3, 3)), organization=organization))[1]
    line = next(line for line in whole.lines if line.shard.account == "organization")
    cells = dict(zip(whole.titles, line.facts, strict=True))
    assert (cells["SCPs"], cells["RCPs"]) == (Tally(asked=2, read=1), Tally(asked=1, read=1))


def test_listed_keys_are_reconciled_with_gaps() -> None:
    gap = Gap(fact=Fact.KEY_METADATA, account=ACCOUNT, region=REGION, subject="one")
    line, _ = first_line(covered(regional(5, 4), gaps=(gap, gap)))
    assert line.keys is not None
    assert (line.keys.missing, line.keys.reconciled) == (1, True)
    snapshot = covered(regional(6, 4), gaps=(gap,))
    assert not coverage_tables(snapshot)[0].reconciled
    page = render(replace(ordinary(), snapshot=snapshot), "html")["report.html"].decode()
    assert "lines that do not add up are marked" in page
    assert "does not add up</b>" in page


def test_gaps_that_no_cell_counts_are_counted_apart() -> None:
    gaps = tuple(Gap(fact=fact, account=ACCOUNT, region=REGION) for fact in (Fact.ALIASES, Fact.KEY_STORES))
    line, cells = first_line(covered(regional(3, 3), gaps=gaps))
    assert cells["aliases"] == Tally(asked=1, read=0)
    assert line.other_gaps == 1


def test_what_an_account_has_once_stands_apart_from_its_regions() -> None:
    regions, whole = coverage_tables(covered(ShardCoverage(ACCOUNT, "", "read", calls=3), regional(3, 3)))
    assert {line.shard.region for line in whole.lines} == {""}
    assert totals(whole)["IAM policies"] == Tally(asked=2, read=2)
    assert totals(whole)["list of principals"] == Tally(asked=1, read=1)
    assert "IAM policies" not in regions.titles


def test_a_region_that_is_not_enabled_was_not_asked_for() -> None:
    off = ShardCoverage(ACCOUNT, "af-south-1", NOT_ENABLED)
    lines = coverage_tables(covered(regional(3, 3), off))[0].lines
    assert [line.facts for line in lines if line.shard == off] == [(None,) * len(lines[0].facts)]


def test_a_snapshot_without_counts_has_no_lines() -> None:
    assert [table.lines for table in coverage_tables(covered())] == [(), ()]


def test_accounts_that_were_not_asked_because_they_are_suspended_are_named() -> None:
    report = ordinary()
    targets = tuple(
        OrgTarget(id=account, name=account, kind=TargetKind.ACCOUNT, parent="r-1", status=status)
        for account, status in ((ACCOUNT, "ACTIVE"), ("210987654321", "SUSPENDED"))
    )
    organization = Organization(id="o-1", management_account=ACCOUNT, targets=targets)
    provenance = report.snapshot.provenance
    wide = replace(provenance, scope=replace(provenance.scope, organization_wide=True))
    told = [
        b"210987654321 (suspended)" in render(replace(report, snapshot=snapshot), "html")["report.html"]
        for snapshot in (
            replace(report.snapshot, organization=organization, provenance=wide),
            replace(report.snapshot, organization=organization),
        )
    ]
    assert told == [True, False]


def test_an_account_that_could_not_be_entered_is_none_that_keys_were_read_in() -> None:
    report = ordinary()
    shut = AccountFacts(id="210987654321", unread=frozenset({Fact.ACCOUNT, Fact.IDENTITIES}))
    seen = replace(report, snapshot=replace(report.snapshot, accounts=(*report.snapshot.accounts, shut)))
    assert counts_of(seen).accounts == counts_of(report).accounts == 1
    assert "in 1 account and 2 Regions" in summary(seen)


def test_a_region_without_any_key_counts_where_its_keys_were_listed() -> None:
    report = ordinary()
    before = counts_of(report).regions
    scope = replace(report.snapshot.provenance.scope, regions=("ap-east-1", REGION))
    provenance = replace(report.snapshot.provenance, scope=scope)
    seen = replace(report, snapshot=replace(report.snapshot, provenance=provenance))
    assert counts_of(seen).regions == before + 1
    assert f"and {before + 1} Regions" in summary(seen)

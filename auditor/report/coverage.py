"""What was asked for, read and refused, as two tables: accounts × Regions × facts, and what belongs to no Region.

Arranges the counts of ``auditor.model.coverage``; a fact that was not asked for is absent, never counted as read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.model.coverage import OF_THE_ORGANIZATION, FactCoverage, KeyCount, fact_coverage, key_counts
from auditor.model.key import Fact
from auditor.model.shard import ORGANIZATION_SHARD
from auditor.model.snapshot import Gap, ShardCoverage, Snapshot

Place = tuple[str, str]
TITLES = {
    Fact.ACCOUNT: "entered",
    Fact.IDENTITIES: "list of principals",
    Fact.IDENTITY_POLICY: "IAM policies",
    Fact.LAST_USAGE: "last use",
    Fact.SCP: "SCPs",
    Fact.RCP: "RCPs",
    Fact.SHARES: "RAM shares",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were asked for and read; ``effects`` says what the refusals make unknowable."""

    asked: int
    read: int
    effects: tuple[str, ...] = ()

    @property
    def refused(self) -> int:
        """Asked for and not obtained."""
        return self.asked - self.read


@dataclass(frozen=True, slots=True)
class Line:
    """One account × Region; an empty Region stands for what the account (or the organization) has once.

    ``facts`` follow the titles of the table, None where nothing was asked; ``other_gaps`` are gaps of facts that no
    cell of the line counts. ``keys`` is None without a Region.
    """

    shard: ShardCoverage
    keys: KeyCount | None
    facts: tuple[Tally | None, ...]
    other_gaps: int


@dataclass(frozen=True, slots=True)
class CoverageTable:
    """Lines in the order of the snapshot, under one title for each fact that any of them was asked for."""

    titles: tuple[str, ...]
    lines: tuple[Line, ...]
    totals: tuple[Tally, ...]

    @property
    def reconciled(self) -> bool:
        """Whether the keys add up on every line."""
        return all(line.keys is None or line.keys.reconciled for line in self.lines)


def coverage_tables(snapshot: Snapshot) -> tuple[CoverageTable, CoverageTable]:
    """(accounts × Regions, accounts and organization); without lines when the snapshot records no counts."""
    if not snapshot.coverage:
        return CoverageTable((), (), ()), CoverageTable((), (), ())
    counted = fact_coverage(snapshot)
    shards = {(shard.account, shard.region): shard for shard in snapshot.coverage}
    for item in counted:
        shards.setdefault((item.account, item.region), ShardCoverage(item.account, item.region, ""))
    regional = [shard for shard in shards.values() if shard.region]
    whole = [shard for shard in shards.values() if not shard.region]
    return _table(snapshot, regional, counted), _table(snapshot, whole, counted)


def _table(snapshot: Snapshot, shards: Sequence[ShardCoverage], counted: Iterable[FactCoverage]) -> CoverageTable:
    places = {(shard.account, shard.region) for shard in shards}
    cells: dict[tuple[str, str, Fact], Tally] = {
        (item.account, item.region, item.fact): Tally(item.asked, item.read, item.effects)
        for item in counted
        if (item.account, item.region) in places and item.fact is not Fact.KEY_METADATA
    }
    asked = {fact for _, _, fact in cells}
    facts = [fact for fact in Fact if fact in asked]
    keys = {(item.account, item.region): item for item in key_counts(snapshot)}
    gaps = Counter(_place(gap) for gap in snapshot.gaps)
    lines = tuple(_line(shard, keys, facts, cells, gaps) for shard in shards)
    totals = tuple(_sum([line.facts[number] for line in lines]) for number in range(len(facts)))
    return CoverageTable(tuple(TITLES.get(fact, fact.value.replace("-", " ")) for fact in facts), lines, totals)


def _place(gap: Gap) -> tuple[str, str, Fact]:
    return ((ORGANIZATION_SHARD, "") if gap.fact in OF_THE_ORGANIZATION else (gap.account, gap.region)) + (gap.fact,)


def _line(
    shard: ShardCoverage,
    keys: dict[Place, KeyCount],
    facts: Sequence[Fact],
    cells: dict[tuple[str, str, Fact], Tally],
    gaps: Counter[tuple[str, str, Fact]],
) -> Line:
    account, region = shard.account, shard.region
    tallies = tuple(cells.get((account, region, fact)) for fact in facts)
    shown = {fact for fact, tally in zip(facts, tallies, strict=True) if tally and tally.refused} | {Fact.KEY_METADATA}
    other = sum(gaps[account, region, fact] for fact in Fact if fact not in shown)
    return Line(shard, keys.get((account, region)), tallies, other)


def _sum(column: Sequence[Tally | None]) -> Tally:
    found = [tally for tally in column if tally is not None]
    return Tally(sum(one.asked for one in found), sum(one.read for one in found))

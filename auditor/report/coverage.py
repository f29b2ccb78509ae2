"""What was asked for, read and refused: one line for each account × Region, with its facts and reconciled counts.

Counts what the snapshot records; a fact that was not asked for is absent, never counted as read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from auditor.model.key import Fact, Key
from auditor.model.principal import Principal, PrincipalKind
from auditor.model.report import Report
from auditor.model.snapshot import ShardCoverage

KEY_FACTS: tuple[tuple[Fact, str, Callable[[Key], bool]], ...] = (
    (Fact.KEY_POLICY, "key policy", lambda key: True),
    (Fact.GRANTS, "grants", lambda key: True),
    (Fact.TAGS, "tags", lambda key: True),
    (Fact.ROTATION, "rotation", lambda key: key.rotation is not None),
    (Fact.LAST_USAGE, "last use", lambda key: key.last_usage is not None),
)
"""Facts of a key; the last part says whether it was asked for and answered. AWS answers the first three for any key."""
OWN_FACTS = (Fact.IDENTITIES, Fact.IDENTITY_POLICY, Fact.BOUNDARY)
COLLECTED = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SERVICE_LINKED_ROLE)


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a fact was asked for, and how often it was read; the rest was refused."""

    asked: int
    read: int

    @property
    def refused(self) -> int:
        """Asked for and not obtained."""
        return self.asked - self.read


@dataclass(frozen=True, slots=True)
class Line:
    """One account × Region; an empty Region stands for the account's global facts.

    ``missing`` keys were listed but not described; ``balanced`` says whether listed = described + missing.
    ``facts`` follow ``FACT_TITLES``, None where nothing was asked; ``other_gaps`` are gaps of other facts.
    """

    shard: ShardCoverage
    missing: int
    balanced: bool
    facts: tuple[Tally | None, ...]
    other_gaps: int


FACT_TITLES = (*(title for _, title, _ in KEY_FACTS), "principals", "IAM policies")


def coverage_lines(report: Report) -> tuple[Line, ...]:
    """The lines, in the order of the snapshot; empty when it records no counts."""
    keys, principals = _keys_by_place(report), _principals_by_account(report)
    return tuple(_line(report, shard, keys, principals) for shard in report.snapshot.coverage)


def totals(lines: Iterable[Line]) -> tuple[Tally | None, ...]:
    """The sum of each fact over all lines."""
    columns = zip(*(line.facts for line in lines), strict=True)
    return tuple(_sum([tally for tally in column if tally is not None]) for column in columns)


def _sum(tallies: list[Tally]) -> Tally | None:
    return Tally(sum(one.asked for one in tallies), sum(one.read for one in tallies)) if tallies else None


def _keys_by_place(report: Report) -> dict[tuple[str, str], list[Key]]:
    found: dict[tuple[str, str], list[Key]] = {}
    for key in report.snapshot.keys:
        found.setdefault((key.account, key.region), []).append(key)
    return found


def _principals_by_account(report: Report) -> dict[str, list[Principal]]:
    found: dict[str, list[Principal]] = {}
    for one in report.snapshot.principals:
        if one.kind in COLLECTED:
            found.setdefault(one.account or "", []).append(one)
    return found


def _line(
    report: Report,
    shard: ShardCoverage,
    keys: dict[tuple[str, str], list[Key]],
    principals: dict[str, list[Principal]],
) -> Line:
    gaps = [gap for gap in report.snapshot.gaps if (gap.account, gap.region) == (shard.account, shard.region)]
    missing = len({gap.subject for gap in gaps if gap.fact is Fact.KEY_METADATA})
    mine = keys.get((shard.account, shard.region), []) if shard.region else []
    facts = [_of_keys(mine, fact, answered) for fact, _, answered in KEY_FACTS]
    refused = Counter(gap.fact for gap in gaps)
    facts += _of_account(principals.get(shard.account, []), refused) if not shard.region else [None, None]
    shown = {Fact.KEY_METADATA, *(fact for fact, _, _ in KEY_FACTS), *OWN_FACTS}
    other = sum(1 for gap in gaps if gap.fact not in shown)
    return Line(shard, missing, shard.listed == shard.described + missing, tuple(facts), other)


def _of_keys(keys: list[Key], fact: Fact, answered: Callable[[Key], bool]) -> Tally | None:
    refused = sum(1 for key in keys if fact in key.unread)
    read = sum(1 for key in keys if fact not in key.unread and answered(key))
    return Tally(refused + read, read) if refused + read else None


def _of_account(principals: list[Principal], refused: Counter[Fact]) -> list[Tally | None]:
    lists = refused[Fact.IDENTITIES]
    blind = sum(1 for one in principals if one.unread & {Fact.IDENTITY_POLICY, Fact.BOUNDARY})
    number = len(principals)
    return [
        Tally(number + lists, number) if number + lists else None,
        Tally(number, number - blind) if number else None,
    ]

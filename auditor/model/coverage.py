"""What a collection asked for, read and was refused: accounts x Regions x facts, and whether the keys add up.

Counts facts of a snapshot; judges nothing. The report's coverage section shows these numbers as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.model.key import Fact, Key
from auditor.model.principal import Principal
from auditor.model.shard import ORGANIZATION_SHARD
from auditor.model.snapshot import NOT_ENABLED, Gap, Snapshot

PER_KEY = (Fact.KEY_POLICY, Fact.GRANTS, Fact.TAGS, Fact.ROTATION, Fact.ROTATIONS, Fact.LAST_USAGE)
OF_THE_ORGANIZATION = frozenset({Fact.ORGANIZATION, Fact.SCP, Fact.RCP})
THE_ORGANIZATION = "the organization"
"""The place of what could not be read of every level."""
"""Facts whose rows have ORGANIZATION_SHARD in ``account``, whoever asked for them."""
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FactCoverage:
    """One fact in one place. ``region`` is empty for facts of a whole account.

    ``asked`` things were asked for (keys, principals, levels of the organization, or 1 for a whole list); ``refused``
    of them could not be read in full, and ``read`` is the rest. ``effects``: what the refusals make unknowable.
    """

    fact: Fact
    account: str
    region: str
    asked: int
    refused: int
    effects: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        """How many could be read in full."""
        return self.asked - self.refused


@dataclass(frozen=True, slots=True)
class KeyCount:
    """The keys of one account and Region: in ListKeys, described, and missing (each of these has a gap)."""

    account: str
    region: str
    listed: int
    described: int
    missing: int

    @property
    def reconciled(self) -> bool:
        """Whether every listed key is accounted for."""
        return self.listed == self.described + self.missing


def key_counts(snapshot: Snapshot) -> tuple[KeyCount, ...]:
    """One for each Region that was collected, in the order of ``snapshot.coverage``."""
    missing = _missing_keys(snapshot)
    return tuple(
        KeyCount(shard.account, shard.region, shard.listed, shard.described, len(missing[shard.account, shard.region]))
        for shard in snapshot.coverage
        if shard.region
    )


def fact_coverage(snapshot: Snapshot) -> tuple[FactCoverage, ...]:
    """Every fact that was asked for, by account, Region and fact. What was not asked for has no row."""
    counted: dict[tuple[str, str, Fact], list[int]] = defaultdict(lambda: [0, 0])
    for place, fact, asked, refused in _counts(snapshot):
        counted[*place, fact][0] += asked
        counted[*place, fact][1] += refused
    effects = _effects(snapshot.gaps)
    return tuple(
        FactCoverage(fact, account, region, asked, min(asked, refused), effects.get((account, region, fact), ()))
        for (account, region, fact), (asked, refused) in sorted(counted.items())
        if asked
    )


Count = tuple[Place, Fact, int, int]


def _counts(snapshot: Snapshot) -> Iterator[Count]:
    yield from _places(snapshot)
    yield from _keys(snapshot)
    yield from _principals(snapshot.principals)
    yield from _organization(snapshot)
    for fact, account, region in snapshot.evidence.asked:
        yield (account, region), fact, 1, int((fact, account, region) in snapshot.evidence.unread)


def _places(snapshot: Snapshot) -> Iterator[Count]:
    """The lists that each account and Region is asked for, one each."""
    whole = {(gap.account, gap.region, gap.fact) for gap in snapshot.gaps}
    for shard in snapshot.coverage:
        if shard.account == ORGANIZATION_SHARD or shard.status == NOT_ENABLED:
            continue
        facts = (Fact.KEY_LIST, Fact.ALIASES) if shard.region else (Fact.ACCOUNT, Fact.REGIONS, Fact.IDENTITIES)
        closed = (shard.account, "", Fact.ACCOUNT) in whole
        for fact in facts[:1] if closed else facts:
            yield (shard.account, shard.region), fact, 1, int((shard.account, shard.region, fact) in whole)


def _keys(snapshot: Snapshot) -> Iterator[Count]:
    for count in key_counts(snapshot):
        yield (count.account, count.region), Fact.KEY_METADATA, count.listed, count.listed - count.described
    for key in snapshot.keys:
        for fact in PER_KEY:
            if fact in key.unread or _holds(key, fact):
                yield (key.account, key.region), fact, 1, int(fact in key.unread)


def _holds(key: Key, fact: Fact) -> bool:
    """Whether a fact was asked for: rotation only of keys that rotate, last usage only on request."""
    if fact in (Fact.ROTATION, Fact.ROTATIONS):
        return key.rotation is not None
    return fact is not Fact.LAST_USAGE or key.last_usage is not None


def _principals(principals: Iterable[Principal]) -> Iterator[Count]:
    for principal in principals:
        place = (principal.account or "", "")
        yield place, Fact.IDENTITY_POLICY, 1, int(Fact.IDENTITY_POLICY in principal.unread)
        if principal.boundary is not None or Fact.BOUNDARY in principal.unread:
            yield place, Fact.BOUNDARY, 1, int(Fact.BOUNDARY in principal.unread)


def _organization(snapshot: Snapshot) -> Iterator[Count]:
    place = (ORGANIZATION_SHARD, "")
    found = snapshot.organization
    complete = not snapshot.organization_unread and (found is None or found.tree_read)
    yield place, Fact.ORGANIZATION, 1, int(not complete)
    for target in found.targets if found else ():
        for fact, attached in ((Fact.SCP, target.scps), (Fact.RCP, target.rcps)):
            if attached is not None or fact in target.unread:
                yield place, fact, 1, int(fact in target.unread)


def _missing_keys(snapshot: Snapshot) -> dict[Place, set[str]]:
    missing: dict[Place, set[str]] = defaultdict(set)
    for gap in snapshot.gaps:
        if gap.fact is Fact.KEY_METADATA and gap.subject:
            missing[gap.account, gap.region].add(gap.subject)
    for key in snapshot.keys:
        if Fact.KEY_METADATA in key.unread:
            missing[key.account, key.region].add(key.arn)
    return missing


def _effects(gaps: Iterable[Gap]) -> dict[tuple[str, str, Fact], tuple[str, ...]]:
    found: dict[tuple[str, str, Fact], set[str]] = defaultdict(set)
    for gap in gaps:
        if gap.effect:
            account = ORGANIZATION_SHARD if gap.fact in OF_THE_ORGANIZATION else gap.account
            found[account, gap.region, gap.fact].add(gap.effect)
    return {place: tuple(sorted(effects)) for place, effects in found.items()}

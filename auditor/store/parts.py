"""One shard → a Part: everything that it says, decoded, without what only the manifest or other shards say.

The same bytes of the same account and Region are always the same part, so a part that was made may be used again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.model.evidence import Evidence
from auditor.model.key import Fact, Key
from auditor.model.organization import Organization
from auditor.model.principal import Principal
from auditor.model.shard import ORGANIZATION_SHARD, Kind, Shard
from auditor.model.snapshot import AccountFacts, Gap
from auditor.store.decode_evidence import evidence_of
from auditor.store.decode_identities import decode_principals
from auditor.store.decode_keys import decode_keys
from auditor.store.decode_organization import decode_organization
from auditor.store.manifest import ShardEntry
from auditor.store.values import text, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A decoded shard, in the order of its records; an empty ``region`` holds the account's global facts.

    ``organization`` and ``organization_unread`` are as in ``Snapshot``; only the organization's own shard knows them.
    """

    account: str
    region: str
    gaps: tuple[Gap, ...] = ()
    accounts: tuple[AccountFacts, ...] = ()
    keys: tuple[Key, ...] = ()
    principals: tuple[Principal, ...] = ()
    organization: Organization | None = None
    organization_unread: bool = True
    evidence: Evidence = field(default_factory=Evidence)


def part_of(shard: Shard) -> Part:
    """The shard decoded. Raises ValueError, TypeError, KeyError or AttributeError for a record that is none of ours."""
    if shard.account == ORGANIZATION_SHARD:
        organization, unread = decode_organization(shard)
        return Part(
            account=shard.account,
            region=shard.region,
            gaps=shard.gaps,
            organization=organization,
            organization_unread=unread,
        )
    return Part(
        account=shard.account,
        region=shard.region,
        gaps=shard.gaps,
        accounts=tuple(_accounts(shard)),
        keys=decode_keys(shard),
        principals=decode_principals(shard),
        evidence=evidence_of(shard),
    )


class DecodedShards:
    """Parts by the hash of their bytes: hand the same one to every read of snapshots that are to be compared.

    What is the same in several of them is then decoded once, and is the same objects. It holds what it has seen.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str, str], Part] = {}

    def get(self, entry: ShardEntry) -> Part | None:
        """The part of a shard whose bytes were found to have the hash of its ``entry``, or None."""
        return self._parts.get(_identity(entry))

    def keep(self, entry: ShardEntry, part: Part) -> None:
        """Remembers the part that those bytes decode into."""
        self._parts[_identity(entry)] = part


def _identity(entry: ShardEntry) -> tuple[str, str, str]:
    return (entry.sha256, entry.coverage.account, entry.coverage.region)


def _accounts(shard: Shard) -> Iterator[AccountFacts]:
    for record in shard.records:
        if record.kind is Kind.ACCOUNT:
            yield AccountFacts(
                id=shard.account,
                name=text(record.data, "Alias") or text(record.data, "Name"),
                partition=text(record.data, "Partition", "aws"),
                regions=texts(record.data, "Regions"),
                unread=frozenset(_account_unread(shard)),
            )


def _account_unread(shard: Shard) -> set[Fact]:
    """Facts of the whole account; an account that could not be entered leaves its identities unread, too."""
    unread = {gap.fact for gap in shard.gaps if not gap.subject}
    return unread | {Fact.IDENTITIES} if Fact.ACCOUNT in unread else unread

"""What to collect, and the two doors through which results leave: a sink for shards and a listener for progress.

The interfaces live here so that no collector knows the store or the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from auditor.model.shard import Shard
from auditor.model.snapshot import Provenance, Scope

DEFAULT_WORKERS = 64
DEFAULT_QUOTA_SHARE = 0.5
DEFAULT_EVENT_PAGES = 200
SESSION_NAME = "kms-audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRequest:
    """One collection.

    ``profiles``: empty means boto3's default credential chain; several are collected one after another.
    ``regions``, ``accounts`` and their ``exclude_`` lists take names or globs; empty means all.
    ``organizational_units``: ids or names; members below them count too. ``org`` lists the accounts of the
    organization and assumes ``role_name`` in each but the caller's own. ``quota_share``: the part of each KMS request
    quota that a run may use. ``external_id`` is a secret: it never appears in ``repr``, log or snapshot.
    ``endpoint_url`` replaces every AWS endpoint. ``last_usage``, ``last_accessed`` and ``retirable_grants`` are slow
    and off by default, and so is ``key_events``: days of CloudTrail's event history to look through, 0 for none, in at
    most ``key_event_pages`` pages of 50 events per account and Region. ``evidence`` covers logs, alarms, analyzers,
    shares, providers and the credential report.
    ``resources``: what is encrypted in other services, and with which keys; off by default, it takes more permissions.
    """

    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    exclude_regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    exclude_accounts: tuple[str, ...] = ()
    organizational_units: tuple[str, ...] = ()
    exclude_organizational_units: tuple[str, ...] = ()
    org: bool = False
    role_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    endpoint_url: str | None = None
    max_workers: int = DEFAULT_WORKERS
    quota_share: float = DEFAULT_QUOTA_SHARE
    evidence: bool = True
    last_usage: bool = False
    last_accessed: bool = False
    key_events: int = 0
    key_event_pages: int = DEFAULT_EVENT_PAGES
    retirable_grants: bool = False
    resources: bool = False
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    max_attempts: int = 6

    def scope(self) -> Scope:
        """What is asked for, as the manifest and the resume check see it; never the external id."""
        filters = [
            *(f"profile={name}" for name in self.profiles),
            *(f"exclude-region={name}" for name in self.exclude_regions),
            *(f"exclude-account={name}" for name in self.exclude_accounts),
            *(f"ou={name}" for name in self.organizational_units),
            *(f"exclude-ou={name}" for name in self.exclude_organizational_units),
            *([f"role={self.role_name}"] if self.role_name else []),
            *(["no-evidence"] if not self.evidence else []),
            *(["last-usage"] if self.last_usage else []),
            *(["last-accessed"] if self.last_accessed else []),
            *([f"key-events={self.key_events}"] if self.key_events else []),
            *(["retirable-grants"] if self.retirable_grants else []),
            *(["resources"] if self.resources else []),
        ]
        return Scope(
            accounts_asked=tuple(sorted(self.accounts)),
            regions_asked=tuple(sorted(self.regions)),
            organization_wide=self.org,
            filters=tuple(filters),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How far a collection is. ``left_seconds`` is None until it can be estimated."""

    accounts: int = 0
    accounts_done: int = 0
    regions: int = 0
    regions_done: int = 0
    keys: int = 0
    keys_done: int = 0
    calls: int = 0
    throttles: int = 0
    gaps: int = 0
    elapsed_seconds: float = 0.0
    left_seconds: float | None = None


class Progress(Protocol):
    """Listens to a collection; may be called from any thread, several times a second."""

    def update(self, tally: Tally) -> None:
        """The numbers now."""

    def say(self, message: str) -> None:
        """A line worth reading, such as how long an option will take."""


class NoProgress:
    """A Progress that listens to nothing."""

    def update(self, tally: Tally) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""


class ShardSink(Protocol):
    """Takes finished shards; may be called from any thread."""

    def begin(self, provenance: Provenance) -> None:
        """The caller and the scope asked for, before the first shard. May refuse, as a resumed snapshot does."""

    def has(self, account: str, region: str) -> bool:
        """Whether that shard is there already (a resumed collection skips it)."""

    def only(self, account: str, regions: tuple[str, ...]) -> None:
        """The account has these Regions to read, for certain: an earlier attempt may have had to try others."""

    def write(self, shard: Shard) -> None:
        """Takes one finished shard."""

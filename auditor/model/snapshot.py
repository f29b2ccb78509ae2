"""The facts of one run: what was read, from where, when, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.model.evidence import Evidence
from auditor.model.key import OPTIONAL_FACTS, Fact, Key
from auditor.model.organization import Organization
from auditor.model.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that was asked for and not obtained.

    ``subject`` is the ARN or id the call was about (empty: the whole account or Region). ``code`` is the AWS error code
    or one of ours: ``NotSupported``, ``Throttled``, ``Unreadable``. ``effect`` says what it makes unknowable.
    """

    fact: Fact
    account: str = ""
    region: str = ""
    subject: str = ""
    operation: str = ""
    code: str = ""
    message: str = ""
    remedy: str = ""
    effect: str = ""

    @property
    def essential(self) -> bool:
        """Whether an access verdict may rest on it; ``--strict`` counts these."""
        return self.fact not in OPTIONAL_FACTS


NOT_ENABLED = "not enabled"
"""The status of a Region that probing showed to be off: nothing in it was asked for."""


@dataclass(frozen=True, slots=True)
class ShardCoverage:
    """One account × Region (Region empty: the account's global facts) as the report's coverage section shows it.

    ``status``: read, partial (there are gaps), refused (the account could not be entered) or not enabled.

    ``listed`` keys were in ListKeys, ``described`` were read; ``listed == described + gaps`` reconciles them.
    """

    account: str
    region: str
    status: str
    listed: int = 0
    described: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What was asked for, and what was reached. ``filters`` are further restrictions and options as ``name=value``."""

    accounts_asked: tuple[str, ...] = ()
    regions_asked: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    organization_wide: bool = False
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a snapshot came from. Times are ISO 8601 UTC; ``content_hash`` is the SHA-256 over all shard hashes."""

    schema: int = 1
    tool_version: str = ""
    caller: str = ""
    started: str = ""
    finished: str = ""
    content_hash: str = ""
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """One collected account. ``name`` is its alias or organization name; ``extras`` see ``collectors``."""

    id: str
    name: str = ""
    partition: str = "aws"
    regions: tuple[str, ...] = ()
    unread: frozenset[Fact] = field(default_factory=frozenset)

    @property
    def entered(self) -> bool:
        """Whether anything of it could be read: one whose role could not be assumed is listed, and that is all."""
        return Fact.ACCOUNT not in self.unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All facts, every tuple sorted by ARN or id.

    ``organization`` is None when the account is known to belong to none; when that could not be found out,
    ``organization_unread`` is True and every layer that rests on it is unknown.
    ``principals`` are the collected users and roles. ``evidence`` is what only rules look at. ``raw`` are records that
    nothing decodes, as ``(kind, account, region, JSON text)``.
    """

    provenance: Provenance = field(default_factory=Provenance)
    accounts: tuple[AccountFacts, ...] = ()
    keys: tuple[Key, ...] = ()
    principals: tuple[Principal, ...] = ()
    organization: Organization | None = None
    organization_unread: bool = False
    gaps: tuple[Gap, ...] = ()
    coverage: tuple[ShardCoverage, ...] = ()
    raw: tuple[tuple[str, str, str, str], ...] = ()
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def regions(self) -> frozenset[str]:
        """The Regions whose keys were listed, whether there were any or not."""
        return frozenset(self.provenance.scope.regions) | {key.region for key in self.keys}

    def account(self, account_id: str) -> AccountFacts | None:
        """The collected account with this id, or None."""
        return next((account for account in self.accounts if account.id == account_id), None)

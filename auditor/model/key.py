"""KMS keys with everything that was collected about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model.actions import FORGE, ON_KEY, READ_PLAINTEXT, USE, key_type, usable_mask
from auditor.model.arn import parse_arn
from auditor.model.grant import Grant
from auditor.model.policy import AttachedPolicy

Tags = tuple[tuple[str, str], ...]
LEAVING = ("PendingDeletion", "PendingReplicaDeletion")
"""States of a key that is scheduled for deletion."""
DEFAULT_POLICY = "default"
RAM_POLICY = "AWS_RAM"
ALIAS_QUOTA = 50
"""Aliases per key (resource limits page); above it, access through kms:ResourceAliases is denied."""


class Fact(StrEnum):
    """What can be read or refused. A fact in ``unread`` of an entity, or in a Gap, was asked for and not obtained."""

    ACCOUNT = "account"
    REGIONS = "regions"
    KEY_LIST = "key-list"
    KEY_METADATA = "key-metadata"
    KEY_POLICY = "key-policy"
    GRANTS = "grants"
    TAGS = "tags"
    ALIASES = "aliases"
    ROTATION = "rotation"
    ROTATIONS = "rotation-history"
    LAST_USAGE = "last-usage"
    LAST_ACCESSED = "last-accessed"
    KEY_EVENTS = "key-events"
    KEY_STORES = "custom-key-stores"
    RETIRABLE_GRANTS = "retirable-grants"
    SHARES = "ram-shares"
    IDENTITIES = "identities"
    IDENTITY_POLICY = "identity-policy"
    BOUNDARY = "permissions-boundary"
    CREDENTIALS = "credential-report"
    PROVIDERS = "identity-providers"
    ORGANIZATION = "organization"
    SCP = "scp"
    RCP = "rcp"
    TRAILS = "trails"
    ANALYZERS = "access-analyzers"
    ALARMS = "alarms"
    RESOURCES = "resources"


OPTIONAL_FACTS = frozenset(
    {Fact.LAST_USAGE, Fact.CREDENTIALS, Fact.PROVIDERS, Fact.TRAILS, Fact.ANALYZERS, Fact.ALARMS}
    | {Fact.SHARES, Fact.RETIRABLE_GRANTS, Fact.KEY_STORES, Fact.ROTATIONS, Fact.LAST_ACCESSED}
    | {Fact.KEY_EVENTS, Fact.RESOURCES}
)
"""Evidence that no access verdict rests on: a gap here lowers the coverage grade, and ``--strict`` does not exit 4."""


@dataclass(frozen=True, slots=True)
class Alias:
    """``name`` is ``alias/…``; times are ISO 8601 UTC or None."""

    name: str
    arn: str
    target_key_id: str | None = None
    created: str | None = None
    updated: str | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """Automatic rotation. ``period_days`` None: AWS did not say; ``history``: ISO times of past rotations;
    ``expiries``: ISO times at which imported materials of the key expire, current or not."""

    enabled: bool
    period_days: int | None = None
    next_date: str | None = None
    history: tuple[str, ...] = ()
    expiries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastUsage:
    """GetKeyLastUsage. ``last_used`` None with ``tracking_since`` after the key's creation proves nothing."""

    last_used: str | None
    operation: str | None = None
    tracking_since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One KMS key in one Region. Times are ISO 8601 UTC; ``unread`` names facts that were refused."""

    arn: str
    key_id: str
    account: str
    region: str
    manager: str = "CUSTOMER"
    state: str = "Enabled"
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str = "ENCRYPT_DECRYPT"
    origin: str = "AWS_KMS"
    description: str = ""
    created: str | None = None
    deletion_date: str | None = None
    pending_window_days: int | None = None
    valid_to: str | None = None
    expiration_model: str | None = None
    custom_key_store_id: str | None = None
    multi_region: bool = False
    multi_region_key_type: str | None = None
    primary_arn: str | None = None
    replica_arns: tuple[str, ...] = ()
    encryption_algorithms: tuple[str, ...] = ()
    signing_algorithms: tuple[str, ...] = ()
    mac_algorithms: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    tags: Tags = ()
    policies: tuple[AttachedPolicy, ...] = ()
    grants: tuple[Grant, ...] = ()
    rotation: Rotation | None = None
    last_usage: LastUsage | None = None
    unread: frozenset[Fact] = field(default_factory=frozenset)

    @property
    def customer_managed(self) -> bool:
        """Whether a customer of AWS, not an AWS service, manages the key."""
        return self.manager == "CUSTOMER"

    @property
    def partition(self) -> str:
        """The partition of its ARN, ``aws`` when that does not tell."""
        arn = parse_arn(self.arn)
        return arn.partition if arn else "aws"

    @property
    def policy_names(self) -> tuple[str, ...]:
        """The names of the key policies that were read."""
        return tuple(attached.name for attached in self.policies)

    @property
    def label(self) -> str:
        """What people call the key: its first alias, else its id."""
        return self.aliases[0].name if self.aliases else self.key_id

    def tag(self, name: str) -> str | None:
        """The value of a tag, matched as AWS does for condition keys: without regard to case."""
        return next(iter(self.tag_values(name)), None)

    def tag_values(self, name: str) -> tuple[str, ...]:
        """The values of all tags that are ``name`` without regard to case: KMS itself tells their keys apart."""
        lowered = name.lower()
        return tuple(dict.fromkeys(value for key, value in self.tags if key.lower() == lowered))


def usable_on(key: Key) -> int:
    """The actions that can succeed on the key for its type and origin, as a mask; all where those could not be read."""
    return ON_KEY if Fact.KEY_METADATA in key.unread else usable_mask(key.spec, key.usage, key.origin)


def sensitive_use(key: Key) -> int:
    """READ_PLAINTEXT, or FORGE for keys that sign or make MACs: what “using the key” means for its type; both where
    that could not be read."""
    if Fact.KEY_METADATA in key.unread:
        return USE
    kind = key_type(key.spec, key.usage)
    return FORGE if kind in ("asymmetric_sign_verify", "hmac") else READ_PLAINTEXT

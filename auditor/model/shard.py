"""Shards: what collectors hand over and the store writes, one per account and Region.

A record holds an AWS answer as it came (policies verbatim: they are evidence); no judgement and no decoding here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from auditor.model.snapshot import Gap, ShardCoverage

ORGANIZATION_SHARD = "organization"
"""Stands in ``Shard.account`` for the one shard that holds the organization."""


class Kind(StrEnum):
    """What a record is about. The comments name the members of ``data``."""

    ACCOUNT = "account"  # Id, Alias, Partition, Regions
    KEY = "key"  # KeyId, KeyArn, Metadata, Policies {name: text}, Grants, Tags, Rotation, Rotations, LastUsage
    ALIAS = "alias"  # an entry of ListAliases
    USER = "user"  # an entry of UserDetailList; documents URL-encoded as IAM sends them
    GROUP = "group"
    ROLE = "role"
    LAST_ACCESSED = "last-accessed"  # Arn, JobCreationDate, JobType, Kms [entries of ServicesLastAccessed], Latest
    MANAGED_POLICY = "managed-policy"  # an entry of Policies with PolicyVersionList
    CREDENTIAL_ROW = "credential-row"  # one row of the credential report
    SAML_PROVIDER = "saml-provider"
    OIDC_PROVIDER = "oidc-provider"
    ORGANIZATION = "organization"  # DescribeOrganization, or {"NotInUse": true}
    ORG_TARGET = "org-target"  # Id, Name, Kind, Parent, Status, Tags, Attached {policy type: [policy ids] or null}
    ORG_POLICY = "org-policy"  # DescribePolicy
    KEY_STORE = "key-store"
    KEY_SHARE = "key-share"
    SHARED_KEY = "shared-key"
    RETIRABLE_GRANT = "retirable-grant"
    TRAIL = "trail"
    EVENT_DATA_STORE = "event-data-store"
    ANALYZER = "analyzer"
    EVENT_RULE = "event-rule"
    METRIC_FILTER = "metric-filter"
    METRIC_ALARM = "metric-alarm"
    EVENT_WINDOW = "event-window"  # Asked, From, To, Events, Unreadable
    KEY_CALLS = "key-calls"  # Key, Caller, CallerAccount, Service, Operation, Error, Count, Last, ContextKeys
    RESOURCE = "resource"  # Arn, Type, Encryption {members that tell the key}, Tags, Policy (text or null), Unread
    ASKED = "asked"  # Fact: a collector tried to read it here


@dataclass(frozen=True, slots=True)
class Record:
    """One AWS answer. ``data`` is JSON-compatible: times are ISO 8601 UTC text, no bytes."""

    kind: Kind
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Everything of one account and Region; an empty ``region`` holds the account's global facts."""

    account: str
    region: str
    records: tuple[Record, ...] = ()
    gaps: tuple[Gap, ...] = ()
    coverage: ShardCoverage

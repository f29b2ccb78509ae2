"""Evidence around the keys: key stores, shares, logs, alarms, analyzers, identity providers, encrypted resources.

Access verdicts do not rest on any of it; rules read it. Times are ISO 8601 UTC or None; ``account`` and ``region`` are
where a record was read. A tuple that is empty means "none there" only when no Gap names the fact for that account and
Region: ask ``Evidence.read`` before concluding anything from silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.model.grant import Grant
from auditor.model.key import Fact
from auditor.model.key_events import EventWindow, KeyCalls
from auditor.model.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStore:
    """A custom key store (DescribeCustomKeyStores). ``kind`` is AWS_CLOUDHSM or EXTERNAL_KEY_STORE."""

    id: str
    name: str
    account: str
    region: str
    kind: str = ""
    connection_state: str = ""
    error_code: str = ""
    created: str | None = None
    cluster_id: str | None = None
    proxy_connectivity: str | None = None
    proxy_endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShare:
    """An AWS RAM resource share that holds KMS keys. ``inbound``: another account shares them with this one."""

    arn: str
    name: str
    account: str
    region: str
    owner: str = ""
    inbound: bool = False
    status: str = ""
    allows_external: bool = False
    keys: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        """Whether it may give anybody anything still."""
        return self.status not in ("DELETING", "DELETED")


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """A key of another account that ListKeys shows to ``account`` (ResourceOwners OTHER_ACCOUNTS_VIA_RAM)."""

    arn: str
    account: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirableGrant:
    """A grant, also on keys of other accounts, that ``principal`` of ``account`` may retire (ListRetirableGrants)."""

    principal: str
    account: str
    region: str
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """A SAML or OIDC provider: ``kind`` is ``saml`` or ``oidc``; ``url`` is the OIDC issuer without scheme."""

    arn: str
    kind: str
    account: str
    url: str = ""
    client_ids: tuple[str, ...] = ()
    created: str | None = None
    valid_until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCredentials:
    """The root user's row of the credential report."""

    account: str
    mfa: bool = False
    access_keys_active: int = 0
    password_last_used: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSelector:
    """A basic CloudTrail selector. ``read_write`` is All, ReadOnly or WriteOnly; sources such as kms.amazonaws.com."""

    read_write: str = "All"
    management_events: bool = True
    excluded_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTest:
    """One field selector of an advanced selector; every given list must hold, the values of one list are alternatives
    (for the ``not_`` lists: none of them)."""

    field: str
    equals: tuple[str, ...] = ()
    not_equals: tuple[str, ...] = ()
    starts_with: tuple[str, ...] = ()
    not_starts_with: tuple[str, ...] = ()
    ends_with: tuple[str, ...] = ()
    not_ends_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdvancedSelector:
    """An advanced event selector: all its field tests must hold; an event is kept when any selector takes it."""

    name: str
    tests: tuple[FieldTest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A CloudTrail trail as one account and Region sees it.

    ``home_account`` / ``home_region`` are from its ARN; ``logging`` is None where GetTrailStatus was not readable;
    ``selectors_read`` False: the selectors are unknown, not absent.
    """

    arn: str
    name: str
    account: str
    region: str
    home_account: str = ""
    home_region: str = ""
    multi_region: bool = False
    organization: bool = False
    logging: bool | None = None
    kms_key_id: str | None = None
    bucket: str | None = None
    log_group_arn: str | None = None
    global_events: bool = False
    validated: bool = False
    selectors: tuple[EventSelector, ...] = ()
    advanced: tuple[AdvancedSelector, ...] = ()
    selectors_read: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDataStore:
    """A CloudTrail Lake event data store; ``status`` ENABLED or STARTING_INGESTION and the like."""

    arn: str
    name: str
    account: str
    region: str
    status: str = ""
    multi_region: bool = False
    organization: bool = False
    kms_key_id: str | None = None
    retention_days: int | None = None
    advanced: tuple[AdvancedSelector, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzer:
    """An Access Analyzer analyzer: ``kind`` is ACCOUNT, ORGANIZATION, ACCOUNT_UNUSED_ACCESS …; ``status`` ACTIVE …"""

    arn: str
    name: str
    account: str
    region: str
    kind: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """An EventBridge rule. ``pattern`` is its JSON text; ``targets`` are target ARNs; ``state`` ENABLED or DISABLED."""

    arn: str
    name: str
    account: str
    region: str
    bus: str = "default"
    state: str = ""
    pattern: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFilter:
    """A CloudWatch Logs metric filter; ``metrics`` are (namespace, metric name) pairs."""

    name: str
    log_group: str
    account: str
    region: str
    pattern: str = ""
    metrics: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAlarm:
    """A CloudWatch alarm on one metric; ``actions`` are the ARNs it notifies in state ALARM."""

    arn: str
    name: str
    account: str
    region: str
    namespace: str = ""
    metric: str = ""
    actions_enabled: bool = False
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All evidence of a snapshot; each tuple is sorted by account, Region and name.

    ``asked`` are the ``(fact, account, region)`` that a collector tried; ``unread`` those that left a gap. Region is
    empty for facts of a whole account.
    """

    key_stores: tuple[KeyStore, ...] = ()
    shares: tuple[KeyShare, ...] = ()
    shared_keys: tuple[SharedKey, ...] = ()
    retirable_grants: tuple[RetirableGrant, ...] = ()
    providers: tuple[IdentityProvider, ...] = ()
    root_credentials: tuple[RootCredentials, ...] = ()
    trails: tuple[Trail, ...] = ()
    event_data_stores: tuple[EventDataStore, ...] = ()
    analyzers: tuple[Analyzer, ...] = ()
    event_rules: tuple[EventRule, ...] = ()
    metric_filters: tuple[MetricFilter, ...] = ()
    metric_alarms: tuple[MetricAlarm, ...] = ()
    event_windows: tuple[EventWindow, ...] = ()
    key_calls: tuple[KeyCalls, ...] = ()
    resources: tuple[Resource, ...] = ()
    asked: frozenset[tuple[Fact, str, str]] = field(default_factory=frozenset)
    unread: frozenset[tuple[Fact, str, str]] = field(default_factory=frozenset)

    def read(self, fact: Fact, account: str, region: str = "") -> bool:
        """Whether ``fact`` was asked for and fully read there, so that absence proves something."""
        place = (fact, account, region)
        return place in self.asked and place not in self.unread

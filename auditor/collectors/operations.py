"""Every AWS operation that the collectors may call, as data: no call can be made without its entry here.

The permissions that the auditor needs are generated from this table (``permissions``), so the two cannot drift apart.
All are read-only. Page sizes are the maxima of kms-authorization reference tables (KMS developer guide, API pages).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What a permission attaches to."""

    KEY = "key"
    ACCOUNT = "account"
    ORGANIZATION = "organization"
    NONE = "none"


class Need(StrEnum):
    """When an operation is called: always, for evidence, or for an option."""

    CORE = "core"
    EVIDENCE = "evidence"
    LAST_USAGE = "last-usage"
    RETIRABLE_GRANTS = "retirable-grants"
    ORG_ROLE = "org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. ``items`` is the member of the answer that holds a list; ``page_size`` the most to ask for.

    ``must`` are members one of which every whole answer has: without them it was cut or changed on the way.
    """

    service: str
    name: str
    level: Level = Level.ACCOUNT
    need: Need = Need.CORE
    items: str = ""
    page_size: int | None = None
    prefix: str = ""
    must: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """The IAM action that permits it."""
        return f"{self.prefix or self.service}:{self.name}"

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


def _kms(
    name: str,
    items: str = "",
    size: int | None = None,
    level: Level = Level.KEY,
    need: Need = Need.CORE,
    must: str = "",
) -> Operation:
    needed = tuple(filter(None, (items or must,)))
    return Operation(service="kms", name=name, items=items, page_size=size, level=level, need=need, must=needed)


LIST_KEYS = _kms("ListKeys", "Keys", 1000, Level.ACCOUNT)
LIST_ALIASES = _kms("ListAliases", "Aliases", 100, Level.ACCOUNT)
DESCRIBE_KEY_STORES = _kms("DescribeCustomKeyStores", "CustomKeyStores", None, Level.ACCOUNT)
LIST_RETIRABLE_GRANTS = _kms("ListRetirableGrants", "Grants", 100, Level.ACCOUNT, Need.RETIRABLE_GRANTS)
DESCRIBE_KEY = _kms("DescribeKey", must="KeyMetadata")
LIST_KEY_POLICIES = _kms("ListKeyPolicies", "PolicyNames", 1000)
GET_KEY_POLICY = _kms("GetKeyPolicy", must="Policy")
LIST_GRANTS = _kms("ListGrants", "Grants", 100)
LIST_RESOURCE_TAGS = _kms("ListResourceTags", "Tags", 50)
GET_ROTATION = _kms("GetKeyRotationStatus", must="KeyRotationEnabled")
LIST_ROTATIONS = _kms("ListKeyRotations", "Rotations", 1000)
GET_LAST_USAGE = _kms("GetKeyLastUsage", need=Need.LAST_USAGE)


def _account(
    service: str, name: str, items: str = "", size: int | None = None, must: tuple[str, ...] = ()
) -> Operation:
    return Operation(service=service, name=name, items=items, page_size=size, must=must)


def _evidence(service: str, name: str, items: str = "", prefix: str = "", must: tuple[str, ...] = ()) -> Operation:
    return Operation(service=service, name=name, items=items, need=Need.EVIDENCE, prefix=prefix, must=must)


def _organization(name: str, items: str = "", must: str = "") -> Operation:
    needed = tuple(filter(None, (items or must,)))
    return Operation(service="organizations", name=name, items=items, level=Level.ORGANIZATION, must=needed)


GET_CALLER_IDENTITY = Operation(service="sts", name="GetCallerIdentity", level=Level.NONE, must=("Account",))
ASSUME_ROLE = Operation(service="sts", name="AssumeRole", level=Level.NONE, need=Need.ORG_ROLE, must=("Credentials",))

LIST_REGIONS = _account("account", "ListRegions", "Regions", 50)
DESCRIBE_REGIONS = _account("ec2", "DescribeRegions", "Regions")

IAM_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
AUTHORIZATION_DETAILS = _account("iam", "GetAccountAuthorizationDetails", "", 1000, must=("IsTruncated", *IAM_LISTS))
GET_POLICY = _account("iam", "GetPolicy", must=("Policy",))
GET_POLICY_VERSION = _account("iam", "GetPolicyVersion", must=("PolicyVersion",))
LIST_ACCOUNT_ALIASES = _account("iam", "ListAccountAliases", "AccountAliases")

DESCRIBE_ORGANIZATION = _organization("DescribeOrganization", must="Organization")
LIST_ROOTS = _organization("ListRoots", "Roots")
LIST_UNITS = _organization("ListOrganizationalUnitsForParent", "OrganizationalUnits")
LIST_ACCOUNTS = _organization("ListAccounts", "Accounts")
LIST_MEMBERS = _organization("ListAccountsForParent", "Accounts")
LIST_ATTACHED = _organization("ListPoliciesForTarget", "Policies")
DESCRIBE_POLICY = _organization("DescribePolicy", must="Policy")
LIST_ORG_TAGS = _organization("ListTagsForResource", "Tags")

GET_CREDENTIAL_REPORT = _evidence("iam", "GetCredentialReport", must=("Content",))
LIST_SAML = _evidence("iam", "ListSAMLProviders", "SAMLProviderList")
LIST_OIDC = _evidence("iam", "ListOpenIDConnectProviders", "OpenIDConnectProviderList")
GET_OIDC = _evidence("iam", "GetOpenIDConnectProvider")
DESCRIBE_TRAILS = _evidence("cloudtrail", "DescribeTrails", "trailList")
GET_TRAIL_STATUS = _evidence("cloudtrail", "GetTrailStatus", must=("IsLogging",))
GET_EVENT_SELECTORS = _evidence("cloudtrail", "GetEventSelectors")
LIST_DATA_STORES = _evidence("cloudtrail", "ListEventDataStores", "EventDataStores")
GET_DATA_STORE = _evidence("cloudtrail", "GetEventDataStore")
RAM_SHARES = _evidence("ram", "GetResourceShares", "resourceShares")
RAM_RESOURCES = _evidence("ram", "ListResources", "resources")
RAM_PRINCIPALS = _evidence("ram", "ListPrincipals", "principals")
LIST_ANALYZERS = _evidence("accessanalyzer", "ListAnalyzers", "analyzers", prefix="access-analyzer")
LIST_RULES = _evidence("events", "ListRules", "Rules")
LIST_TARGETS = _evidence("events", "ListTargetsByRule", "Targets")
METRIC_FILTERS = _evidence("logs", "DescribeMetricFilters", "metricFilters")
DESCRIBE_ALARMS = _evidence("cloudwatch", "DescribeAlarms", "MetricAlarms")

ALL: tuple[Operation, ...] = tuple(
    sorted((value for value in tuple(globals().values()) if isinstance(value, Operation)), key=lambda item: item.action)
)
"""Every operation above, by action name."""

"""Every AWS operation that the collectors may call, as data: no call can be made without its entry here.

The permissions that the auditor needs are generated from this table (``permissions``), so the two cannot drift apart.
All are read-only. Page sizes are the maxima of the API references.
"""

from __future__ import annotations

from collections.abc import Mapping

from auditor.collectors.operation import Level, Need, Operation
from auditor.collectors.resource_operations import RESOURCE_OPERATIONS


def _kms(
    name: str,
    items: str = "",
    size: int | None = None,
    level: Level = Level.KEY,
    need: Need = Need.CORE,
    *,
    must: str = "",
    needs: tuple[str, ...] = (),
    told_by: str = "",
) -> Operation:
    return Operation(
        service="kms",
        name=name,
        items=items,
        page_size=size,
        level=level,
        need=need,
        must=_given(items or must),
        needs=needs,
        identity=_identity(items, told_by),
    )


def _given(*names: str) -> tuple[str, ...]:
    return tuple(filter(None, names))


def _identity(items: str, told_by: str) -> Mapping[str, str]:
    return {items: told_by} if told_by else {}


_GRANT = ("Grants.GrantId", "Grants.Operations", "Grants.GranteePrincipal|GranteeServicePrincipal")

LIST_KEYS = _kms("ListKeys", "Keys", 1000, Level.ACCOUNT)
LIST_ALIASES = _kms("ListAliases", "Aliases", 100, Level.ACCOUNT, needs=("Aliases.AliasName",), told_by="AliasName")
DESCRIBE_KEY_STORES = _kms(
    "DescribeCustomKeyStores",
    "CustomKeyStores",
    None,
    Level.ACCOUNT,
    needs=("CustomKeyStores.CustomKeyStoreId", "CustomKeyStores.ConnectionState"),
    told_by="CustomKeyStoreId",
)
LIST_RETIRABLE_GRANTS = _kms(
    "ListRetirableGrants",
    "Grants",
    100,
    Level.ACCOUNT,
    Need.RETIRABLE_GRANTS,
    needs=(*_GRANT, "Grants.KeyId"),
    told_by="GrantId",
)
DESCRIBE_KEY = _kms("DescribeKey", must="KeyMetadata")
LIST_KEY_POLICIES = _kms("ListKeyPolicies", "PolicyNames", 1000)
GET_KEY_POLICY = _kms("GetKeyPolicy", must="Policy")
LIST_GRANTS = _kms("ListGrants", "Grants", 100, needs=_GRANT, told_by="GrantId")
LIST_RESOURCE_TAGS = _kms("ListResourceTags", "Tags", 50, needs=("Tags.TagKey", "Tags.TagValue"), told_by="TagKey")
GET_ROTATION = _kms("GetKeyRotationStatus", must="KeyRotationEnabled")
LIST_ROTATIONS = _kms("ListKeyRotations", "Rotations", 1000)
GET_LAST_USAGE = _kms("GetKeyLastUsage", need=Need.LAST_USAGE, needs=("TrackingStartDate", "KeyLastUsage"))


def _account(
    service: str,
    name: str,
    items: str = "",
    size: int | None = None,
    must: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
) -> Operation:
    return Operation(service=service, name=name, items=items, page_size=size, must=must or _given(items), needs=needs)


def _evidence(
    service: str,
    name: str,
    items: str = "",
    prefix: str = "",
    must: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    told_by: str = "",
) -> Operation:
    return Operation(
        service=service,
        name=name,
        items=items,
        need=Need.EVIDENCE,
        prefix=prefix,
        must=must or _given(items),
        needs=needs,
        identity=_identity(items, told_by),
    )


def _organization(
    name: str, items: str = "", *, must: str = "", needs: tuple[str, ...] = (), told_by: str = ""
) -> Operation:
    return Operation(
        service="organizations",
        name=name,
        items=items,
        level=Level.ORGANIZATION,
        must=_given(items or must),
        needs=needs,
        identity=_identity(items, told_by),
    )


def _inline(name: str) -> tuple[str, str]:
    return (f"{name}.PolicyName", f"{name}.PolicyDocument")


GET_CALLER_IDENTITY = Operation(service="sts", name="GetCallerIdentity", level=Level.NONE, must=("Account",))
ASSUME_ROLE = Operation(
    service="sts",
    name="AssumeRole",
    level=Level.NONE,
    need=Need.ORG_ROLE,
    must=("Credentials",),
    needs=tuple(f"Credentials.{member}" for member in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")),
)

LIST_REGIONS = _account("account", "ListRegions", "Regions", 50, needs=("Regions.RegionName",))
DESCRIBE_REGIONS = _account("ec2", "DescribeRegions", "Regions", needs=("Regions.RegionName",))

IAM_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_ATTACHED = ("Arn", "AttachedManagedPolicies", "AttachedManagedPolicies.PolicyArn")
_PERSON = ("PermissionsBoundary.PermissionsBoundaryArn", "Tags.Key", "Tags.Value")
_CARRIED = {
    # Alone of the lists of policies, that of a user's own ones is left out when it is empty.
    "UserDetailList": ("UserName", "GroupList", *_inline("UserPolicyList"), *_ATTACHED, *_PERSON),
    "GroupDetailList": ("GroupName", "GroupPolicyList", *_inline("GroupPolicyList"), *_ATTACHED),
    "RoleDetailList": (
        "RoleName",
        "AssumeRolePolicyDocument",
        "RolePolicyList",
        *_inline("RolePolicyList"),
        *_ATTACHED,
        *_PERSON,
    ),
    "Policies": ("Arn",),
}
AUTHORIZATION_DETAILS = Operation(
    service="iam",
    name="GetAccountAuthorizationDetails",
    page_size=1000,
    must=("IsTruncated", *IAM_LISTS),
    needs=(
        *IAM_LISTS[:3],  # a policy that is carried and not listed is asked for by itself
        *(f"{name}.{member}" for name, members in _CARRIED.items() for member in members),
    ),
    identity=dict.fromkeys(IAM_LISTS, "Arn"),
)
GET_POLICY = _account("iam", "GetPolicy", must=("Policy",), needs=("Policy.DefaultVersionId",))
GET_POLICY_VERSION = _account(
    "iam",
    "GetPolicyVersion",
    must=("PolicyVersion",),
    needs=("PolicyVersion.Document", "PolicyVersion.IsDefaultVersion"),
)
LIST_ACCOUNT_ALIASES = _account("iam", "ListAccountAliases", "AccountAliases")

DESCRIBE_ORGANIZATION = _organization(
    "DescribeOrganization",
    must="Organization",
    needs=("Organization.Id", "Organization.MasterAccountId|MasterAccountArn"),
)
LIST_ROOTS = _organization(
    "ListRoots",
    "Roots",
    needs=("Roots.Id", "Roots.PolicyTypes", "Roots.PolicyTypes.Type", "Roots.PolicyTypes.Status"),
    told_by="Id",
)
LIST_UNITS = _organization(
    "ListOrganizationalUnitsForParent", "OrganizationalUnits", needs=("OrganizationalUnits.Id",), told_by="Id"
)
LIST_ACCOUNTS = _organization("ListAccounts", "Accounts", needs=("Accounts.Id",), told_by="Id")
LIST_MEMBERS = _organization("ListAccountsForParent", "Accounts", needs=("Accounts.Id",), told_by="Id")
LIST_ATTACHED = _organization("ListPoliciesForTarget", "Policies", needs=("Policies.Id",), told_by="Id")
DESCRIBE_POLICY = _organization(
    "DescribePolicy", must="Policy", needs=("Policy.Content", "Policy.PolicySummary", "Policy.PolicySummary.Id")
)
LIST_ORG_TAGS = _organization("ListTagsForResource", "Tags", needs=("Tags.Key", "Tags.Value"), told_by="Key")

GENERATE_LAST_ACCESSED = Operation(
    service="iam", name="GenerateServiceLastAccessedDetails", need=Need.LAST_ACCESSED, must=("JobId",)
)
"""Has IAM put a report together, for its caller alone; IAM's access level for it is Read."""
GET_LAST_ACCESSED = Operation(
    service="iam",
    name="GetServiceLastAccessedDetails",
    need=Need.LAST_ACCESSED,
    items="ServicesLastAccessed",
    must=("JobStatus",),
    needs=(
        "JobCreationDate",
        "ServicesLastAccessed.ServiceNamespace",
        "ServicesLastAccessed.TrackedActionsLastAccessed.ActionName",
    ),
)

LOOKUP_EVENTS = Operation(service="cloudtrail", name="LookupEvents", need=Need.KEY_EVENTS, must=("Events",))
"""Pages of 50 at two requests a second, newest events first (CloudTrail API reference, LookupEvents)."""

GET_CREDENTIAL_REPORT = _evidence("iam", "GetCredentialReport", must=("Content",))
LIST_SAML = _evidence("iam", "ListSAMLProviders", "SAMLProviderList", needs=("SAMLProviderList.Arn",))
LIST_OIDC = _evidence(
    "iam", "ListOpenIDConnectProviders", "OpenIDConnectProviderList", needs=("OpenIDConnectProviderList.Arn",)
)
GET_OIDC = _evidence("iam", "GetOpenIDConnectProvider", needs=("Url",))
DESCRIBE_TRAILS = _evidence(
    "cloudtrail", "DescribeTrails", "trailList", needs=("trailList.TrailARN",), told_by="TrailARN"
)
GET_TRAIL_STATUS = _evidence("cloudtrail", "GetTrailStatus", must=("IsLogging",))
_FIELDS = ("AdvancedEventSelectors.FieldSelectors", "AdvancedEventSelectors.FieldSelectors.Field")
GET_EVENT_SELECTORS = _evidence(
    "cloudtrail",
    "GetEventSelectors",
    must=("EventSelectors", "AdvancedEventSelectors"),
    # Each member has a default; a selector without any of them says nothing.
    needs=("EventSelectors.ReadWriteType|IncludeManagementEvents|DataResources", *_FIELDS),
)
LIST_DATA_STORES = _evidence(
    "cloudtrail", "ListEventDataStores", "EventDataStores", needs=("EventDataStores.EventDataStoreArn",)
)
GET_DATA_STORE = _evidence(
    "cloudtrail", "GetEventDataStore", needs=("EventDataStoreArn", "Status", "AdvancedEventSelectors", *_FIELDS)
)
RAM_SHARES = _evidence(
    "ram",
    "GetResourceShares",
    "resourceShares",
    needs=("resourceShares.resourceShareArn", "resourceShares.status"),
    told_by="resourceShareArn",
)
RAM_RESOURCES = _evidence("ram", "ListResources", "resources", needs=("resources.arn", "resources.resourceShareArn"))
RAM_PRINCIPALS = _evidence(
    "ram", "ListPrincipals", "principals", needs=("principals.id", "principals.resourceShareArn")
)
LIST_ANALYZERS = _evidence(
    "accessanalyzer",
    "ListAnalyzers",
    "analyzers",
    prefix="access-analyzer",
    needs=("analyzers.arn", "analyzers.type", "analyzers.status"),
    told_by="arn",
)
LIST_RULES = _evidence("events", "ListRules", "Rules", needs=("Rules.Name", "Rules.Arn", "Rules.State"), told_by="Arn")
LIST_TARGETS = _evidence("events", "ListTargetsByRule", "Targets", needs=("Targets.Arn",), told_by="Id")
METRIC_FILTERS = _evidence(
    "logs",
    "DescribeMetricFilters",
    "metricFilters",
    needs=(
        "metricFilters.filterName",
        "metricFilters.filterPattern",
        "metricFilters.metricTransformations.metricName",
        "metricFilters.metricTransformations.metricNamespace",
    ),
)
DESCRIBE_ALARMS = _evidence(
    "cloudwatch",
    "DescribeAlarms",
    "MetricAlarms",
    needs=("MetricAlarms.AlarmName", "MetricAlarms.AlarmArn", "MetricAlarms.AlarmActions"),
    told_by="AlarmArn",
)

ALL: tuple[Operation, ...] = tuple(
    sorted(
        (*RESOURCE_OPERATIONS, *(value for value in tuple(globals().values()) if isinstance(value, Operation))),
        key=lambda item: item.action,
    )
)
"""Every operation above, and those of ``resource_operations``, by action name."""

"""One whole account, and an organization of such accounts, as the answers of every call that a collection makes."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

from tests.aws import events, written_resources
from tests.aws.wire import Call

MANAGEMENT = "123456789012"
OTHER = "999999999999"
REGION = "eu-central-1"
STORE = "cks-1234567890abcdef0"
THEN = "2025-01-02T03:04:05+00:00"
KEYS = ("11111111-0000-0000-0000-000000000000", "mrk-22222222222222222222222222222222", "33333333-0000-0000-0000-0")
TRAIL = f"arn:aws:cloudtrail:{REGION}:{{account}}:trail/main"
Answer = dict[str, Any]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


OPEN = document(allow("kms:*"))
GUARD = document(allow("*"), {"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"})


def key_arn(account: str, key_id: str) -> str:
    return f"arn:aws:kms:{REGION}:{account}:key/{key_id}"


def answer(call: Call, asked: dict[str, Any], accounts: tuple[str, ...]) -> Answer:
    """What boto3 would return; ``accounts``: the members of the organization beside the management account."""
    if {call.service, call.action} & written_resources.SERVICES:
        return written_resources.answer(call)
    tables = {"kms": _kms, "iam": _iam, "organizations": _organization}
    if call.service in tables:
        return tables[call.service](call, asked, accounts)
    return _around(call, asked)


def _kms(call: Call, asked: dict[str, Any], _: tuple[str, ...]) -> Answer:
    account, key_id = call.account, str(asked.get("KeyId", ""))
    shared = asked.get("ResourceOwners") == ["OTHER_ACCOUNTS_VIA_RAM"]
    foreign = {"KeyId": KEYS[0], "KeyArn": key_arn(OTHER, KEYS[0])}
    listed = [{"KeyId": name, "KeyArn": key_arn(account, name)} for name in KEYS]
    return {
        "ListKeys": lambda: {"Keys": [foreign] if shared else listed, "Truncated": False},
        "ListAliases": lambda: {"Aliases": [_alias(account, "app", KEYS[0]), _alias(account, "free", None)]},
        "DescribeKey": lambda: {"KeyMetadata": _metadata(account, key_id)},
        "ListKeyPolicies": lambda: {"PolicyNames": ["default"], "Truncated": False},
        "GetKeyPolicy": lambda: {"Policy": _key_policy(account), "PolicyName": "default"},
        "ListGrants": lambda: {"Grants": _grants(account, key_id), "Truncated": False},
        "ListResourceTags": lambda: {"Tags": [{"TagKey": "team", "TagValue": "web"}], "Truncated": False},
        "GetKeyRotationStatus": lambda: {
            "KeyId": key_arn(account, key_id),
            "KeyRotationEnabled": True,
            "RotationPeriodInDays": 365,
            "NextRotationDate": "2026-01-02T03:04:05+00:00",
        },
        "ListKeyRotations": lambda: {"Rotations": [{"KeyId": key_id, "RotationDate": THEN}], "Truncated": False},
        "GetKeyLastUsage": lambda: {
            "KeyId": key_id,
            "TrackingStartDate": THEN,
            "KeyLastUsage": {"Operation": "Decrypt", "Timestamp": THEN},
        },
        "DescribeCustomKeyStores": lambda: {"CustomKeyStores": [_store()]},
        "ListRetirableGrants": lambda: {"Grants": _grants(account, KEYS[0])},
    }[call.operation]()


def _alias(account: str, name: str, target: str | None) -> Answer:
    arn = f"arn:aws:kms:{REGION}:{account}:alias/{name}"
    found = {"AliasName": f"alias/{name}", "AliasArn": arn, "CreationDate": THEN, "LastUpdatedDate": THEN}
    return {**found, "TargetKeyId": target} if target else found


def plain_metadata(account: str, key_id: str, arn: str) -> Answer:
    """What DescribeKey says of an ordinary symmetric key."""
    return {
        "AWSAccountId": account,
        "KeyId": key_id,
        "Arn": arn,
        "CreationDate": THEN,
        "Enabled": True,
        "Description": "a key",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }


def _metadata(account: str, key_id: str) -> Answer:
    arn = key_arn(account, key_id)
    found = plain_metadata(account, key_id, arn)
    if key_id == KEYS[1]:
        place = {"Arn": arn, "Region": REGION}
        found |= {"Origin": "EXTERNAL", "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": THEN, "MultiRegion": True}
        found["MultiRegionConfiguration"] = {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": place, "ReplicaKeys": []}
    if key_id == KEYS[2]:
        found |= {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": STORE, "CloudHsmClusterId": "cluster-1"}
    return found


def _key_policy(account: str) -> str:
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    tagged = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
    other = {"AWS": f"arn:aws:iam::{OTHER}:role/other"}
    return document(
        allow("kms:*", Sid="Enable IAM", Principal=root),
        allow("kms:Decrypt", Principal=other, Condition=tagged),
    )


def _grants(account: str, key_id: str) -> list[Answer]:
    common: Answer = {
        "KeyId": key_arn(account, key_id),
        "CreationDate": THEN,
        "IssuingAccount": f"arn:aws:iam::{account}:root",
        "GranteePrincipal": f"arn:aws:iam::{account}:role/idle",
        "RetiringPrincipal": f"arn:aws:iam::{account}:role/app",
    }
    scoped = {"EncryptionContextSubset": {"app": "web"}}
    return [
        {**common, "GrantId": "a" * 64, "Name": "first", "Operations": ["Decrypt", "CreateGrant"]},
        {**common, "GrantId": "b" * 64, "Operations": ["Encrypt"], "Constraints": scoped},
    ]


def _store() -> Answer:
    return {
        "CustomKeyStoreId": STORE,
        "CustomKeyStoreName": "store",
        "CloudHsmClusterId": "cluster-1",
        "ConnectionState": "CONNECTED",
        "CreationDate": THEN,
        "CustomKeyStoreType": "AWS_CLOUDHSM",
    }


def _iam(call: Call, asked: dict[str, Any], _: tuple[str, ...]) -> Answer:
    account, arn = call.account, str(asked.get("PolicyArn", ""))
    return {
        "GetAccountAuthorizationDetails": lambda: _details(account),
        "GetPolicy": lambda: {"Policy": {"PolicyName": "p", "Arn": arn, "DefaultVersionId": "v1"}},
        "GetPolicyVersion": lambda: {"PolicyVersion": _managed(arn)["PolicyVersionList"][0]},
        "ListAccountAliases": lambda: {"AccountAliases": ["name"], "IsTruncated": False},
        "GenerateServiceLastAccessedDetails": lambda: {"JobId": job_of(str(asked.get("Arn", "")))},
        "GetServiceLastAccessedDetails": last_accessed,
        "GetCredentialReport": lambda: {"Content": _report(account), "ReportFormat": "text/csv", "GeneratedTime": THEN},
        "ListSAMLProviders": lambda: {
            "SAMLProviderList": [
                {"Arn": f"arn:aws:iam::{account}:saml-provider/idp", "ValidUntil": THEN, "CreateDate": THEN}
            ]
        },
        "ListOpenIDConnectProviders": lambda: {
            "OpenIDConnectProviderList": [{"Arn": f"arn:aws:iam::{account}:oidc-provider/ci"}]
        },
        "GetOpenIDConnectProvider": lambda: {"Url": "ci.example", "ClientIDList": ["sts"], "CreateDate": THEN},
    }[call.operation]()


def job_of(principal: str) -> str:
    """A job id, as long as AWS's."""
    return f"{crc32(principal.encode()):036}"


def last_accessed(*others: Answer) -> Answer:
    """A finished report on a principal that called KMS; ``others``: entries beside it."""
    seen = {"LastAuthenticated": THEN, "LastAuthenticatedRegion": REGION, "TotalAuthenticatedEntities": 1}
    tracked = [{"ActionName": "CreateGrant", "LastAccessedTime": THEN}, {"ActionName": "DisableKey"}]
    kms = {"ServiceName": "AWS Key Management Service", "ServiceNamespace": "kms", **seen}
    idle = {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "TotalAuthenticatedEntities": 0}
    return {
        "JobStatus": "COMPLETED",
        "JobType": "ACTION_LEVEL",
        "JobCreationDate": THEN,
        "JobCompletionDate": THEN,
        "IsTruncated": False,
        "ServicesLastAccessed": [*others, {**kms, "TrackedActionsLastAccessed": tracked}, idle],
    }


def _details(account: str) -> Answer:
    iam = f"arn:aws:iam::{account}"
    named = {"PolicyName": "use", "PolicyArn": f"{iam}:policy/use"}
    aws = {"PolicyName": "Admin", "PolicyArn": "arn:aws:iam::aws:policy/Admin"}
    limit = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": f"{iam}:policy/limit"}
    trust = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    role: Answer = {"Path": "/", "CreateDate": THEN, "AssumeRolePolicyDocument": trust, "InstanceProfileList": []}
    profile = {"InstanceProfileName": "app", "Arn": f"{iam}:instance-profile/app", "Roles": []}
    return {
        "IsTruncated": False,
        "UserDetailList": [
            {
                "Path": "/",
                "UserName": "ada",
                "UserId": "AIDA1",
                "Arn": f"{iam}:user/ada",
                "CreateDate": THEN,
                "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": OPEN}],
                "GroupList": ["team"],
                "AttachedManagedPolicies": [],
                "Tags": [{"Key": "team", "Value": "web"}],
            }
        ],
        "GroupDetailList": [
            {
                "Path": "/",
                "GroupName": "team",
                "GroupId": "AGPA1",
                "Arn": f"{iam}:group/team",
                "GroupPolicyList": [{"PolicyName": "stop", "PolicyDocument": GUARD}],
                "AttachedManagedPolicies": [],
            }
        ],
        "RoleDetailList": [
            {
                **role,
                "RoleName": "app",
                "RoleId": "AROA1",
                "Arn": f"{iam}:role/app",
                "InstanceProfileList": [profile],
                "RolePolicyList": [{"PolicyName": "inline", "PolicyDocument": OPEN}],
                "AttachedManagedPolicies": [named],
                "PermissionsBoundary": limit,
                "Tags": [{"Key": "team", "Value": "web"}],
                "RoleLastUsed": {"LastUsedDate": THEN, "Region": REGION},
            },
            {
                **role,
                "RoleName": "idle",
                "RoleId": "AROA2",
                "Arn": f"{iam}:role/idle",
                "RolePolicyList": [],
                "AttachedManagedPolicies": [aws],
                "PermissionsBoundary": limit,
            },
        ],
        "Policies": [_managed(f"{iam}:policy/use"), _managed(f"{iam}:policy/limit")],
    }


def _managed(arn: str) -> Answer:
    name = arn.rsplit("/", 1)[-1]
    text = document(allow("kms:Decrypt")) if name == "limit" else OPEN
    version = {"Document": text, "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": THEN}
    return {"PolicyName": name, "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [version]}


def _report(account: str) -> bytes:
    head = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active"
    root = f"<root_account>,arn:aws:iam::{account}:root,{THEN},not_supported,no_information,true,false"
    return f"{head}\n{root}\nada,arn:aws:iam::{account}:user/ada,{THEN},true,N/A,false,true".encode()


def _organization(call: Call, asked: dict[str, Any], accounts: tuple[str, ...]) -> Answer:
    wanted, kind = str(asked.get("ParentId", "")), asked.get("Filter")
    types = [{"Type": f"{name}_CONTROL_POLICY", "Status": "ENABLED"} for name in ("SERVICE", "RESOURCE")]
    policy_id = str(asked.get("PolicyId", "p-scp"))
    members = {
        "r-root": [{"Id": MANAGEMENT, "Name": "management", "Status": "ACTIVE"}],
        "ou-root-unit": [{"Id": name, "Name": f"member {name}", "Status": "ACTIVE"} for name in accounts],
    }
    attached = {"SERVICE_CONTROL_POLICY": "p-scp", "RESOURCE_CONTROL_POLICY": "p-rcp"}
    summary = {"Id": policy_id, "Name": policy_id, "Type": "SERVICE_CONTROL_POLICY"}
    content = GUARD if policy_id == "p-scp" else document({**allow("*"), "Principal": "*"})
    return {
        "DescribeOrganization": lambda: {"Organization": {"Id": "o-exampleorgid", "MasterAccountId": MANAGEMENT}},
        "ListRoots": lambda: {"Roots": [{"Id": "r-root", "Name": "Root", "PolicyTypes": types}]},
        "ListOrganizationalUnitsForParent": lambda: {
            "OrganizationalUnits": [{"Id": "ou-root-unit", "Name": "unit"}] if wanted == "r-root" else []
        },
        "ListAccountsForParent": lambda: {"Accounts": members.get(wanted, [])},
        "ListAccounts": lambda: {"Accounts": [item for found in members.values() for item in found]},
        "ListPoliciesForTarget": lambda: {"Policies": [{"Id": attached[str(kind)], "Name": "n", "Type": kind}]},
        "DescribePolicy": lambda: {"Policy": {"PolicySummary": summary, "Content": content}},
        "ListTagsForResource": lambda: {"Tags": [{"Key": "stage", "Value": "test"}]},
    }[call.operation]()


def _around(call: Call, asked: dict[str, Any]) -> Answer:
    account = call.account
    trail = TRAIL.format(account=account)
    share = f"arn:aws:ram:{REGION}:{account}:resource-share/1"
    event_store = f"arn:aws:cloudtrail:{REGION}:{account}:eventdatastore/1"
    fields = [{"Name": "all", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    answers: dict[str, Any] = {
        "GetCallerIdentity": {"UserId": "AIDA", "Account": account, "Arn": f"arn:aws:iam::{account}:user/auditor"},
        "AssumeRole": {"Credentials": _session(str(asked.get("RoleArn", "")))},
        "ListRegions": {"Regions": [{"RegionName": REGION, "RegionOptStatus": "ENABLED_BY_DEFAULT"}]},
        "DescribeRegions": {"Regions": [{"RegionName": REGION, "OptInStatus": "opt-in-not-required"}]},
        "DescribeTrails": {"trailList": [{"Name": "main", "TrailARN": trail, "HomeRegion": REGION}]},
        "GetTrailStatus": {"IsLogging": True},
        "GetEventSelectors": {"TrailARN": trail, "EventSelectors": [{"ReadWriteType": "All"}]},
        "LookupEvents": looked_up(account),
        "ListEventDataStores": {"EventDataStores": [{"EventDataStoreArn": event_store, "Name": "lake"}]},
        "GetEventDataStore": {
            "EventDataStoreArn": event_store,
            "Name": "lake",
            "Status": "ENABLED",
            "RetentionPeriod": 90,
            "AdvancedEventSelectors": fields,
        },
        "ListResources": {"resources": [{"arn": key_arn(account, KEYS[0]), "resourceShareArn": share}]},
        "GetResourceShares": {"resourceShares": [{"resourceShareArn": share, "name": "s", "status": "ACTIVE"}]},
        "ListPrincipals": {"principals": [{"id": OTHER, "resourceShareArn": share}]},
        "ListAnalyzers": {
            "analyzers": [
                {
                    "arn": f"arn:aws:access-analyzer:{REGION}:{account}:analyzer/a",
                    "name": "a",
                    "type": "ACCOUNT",
                    "createdAt": "2025-01-02T03:04:05Z",
                    "status": "ACTIVE",
                }
            ]
        },
        "ListRules": {
            "Rules": [
                {
                    "Name": "kms",
                    "Arn": f"arn:aws:events:{REGION}:{account}:rule/kms",
                    "EventPattern": '{"source": ["aws.kms"]}',
                    "State": "ENABLED",
                    "EventBusName": "default",
                }
            ]
        },
        "ListTargetsByRule": {"Targets": [{"Id": "1", "Arn": f"arn:aws:sns:{REGION}:{account}:alert"}]},
        "DescribeMetricFilters": {
            "metricFilters": [
                {
                    "filterName": "kms",
                    "logGroupName": "trail",
                    "filterPattern": '{ $.eventSource = "kms.amazonaws.com" }',
                    "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
                }
            ]
        },
        "DescribeAlarms": {
            "MetricAlarms": [
                {
                    "AlarmName": "kms",
                    "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{account}:alarm:kms",
                    "ActionsEnabled": True,
                    "AlarmActions": [f"arn:aws:sns:{REGION}:{account}:alert"],
                    "MetricName": "m",
                    "Namespace": "n",
                }
            ]
        },
    }
    found: Answer = answers[call.operation]
    return found


def looked_up(account: str) -> Answer:
    """A page of the event history: the role reads through S3, the user by herself."""
    key = key_arn(account, KEYS[0])
    app = events.role(account, "app")
    context = {"requestParameters": {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::bucket"}}}
    found = (
        events.call("Decrypt", key, app, **{**events.through("AWS Internal", app), **context}),
        events.call("Encrypt", key, events.user(account, "ada")),
    )
    return {"Events": [events.entry(event) for event in found]}


def _session(role: str) -> Answer:
    account = role.split(":")[4] if role.count(":") >= 5 else MANAGEMENT
    return {
        "AccessKeyId": f"ASIA{account}",
        "SecretAccessKey": "secret",
        "SessionToken": "token",
        "Expiration": "2099-01-01T00:00:00Z",
    }

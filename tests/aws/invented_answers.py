"""What an invented organization answers to each call of a collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.aws.invented import Account, Data, Level, Organization
from tests.aws.serial import model
from tests.aws.wire import Call

Found = Data | str
"""An answer, or the code of an error."""
_REPORT = b"user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active"


def answer(organization: Organization, call: Call, asked: Data) -> Found:
    """The answer to a call, or the code of an error."""
    tables = {"kms": _kms, "iam": _iam, "organizations": _tree, "sts": _sts, "account": _regions, "ec2": _regions}
    made = tables.get(call.service, _nothing)
    return made(organization, call, asked)


def _paged(organization: Organization, asked: Data, name: str, items: list[Any], token: str) -> Data:
    start = int(asked.get({"NextMarker": "Marker"}.get(token, token)) or 0)
    end = start + organization.page
    more = end < len(items)
    page: Data = {name: items[start:end]}
    if token == "NextMarker":
        page["Truncated"] = more
    return {**page, token: str(end)} if more else page


def _kms(organization: Organization, call: Call, asked: Data) -> Found:
    account = organization.account(call.account)
    keys = account.keys.get(call.region, [])
    wanted = str(asked.get("KeyId", ""))
    found = next((item for item in keys if wanted in (item["Metadata"]["KeyId"], item["Metadata"]["Arn"])), None)
    if wanted and found is None:
        return "NotFoundException"
    own = [{"KeyId": item["Metadata"]["KeyId"], "KeyArn": item["Metadata"]["Arn"]} for item in keys]
    listed = [] if asked.get("ResourceOwners") == ["OTHER_ACCOUNTS_VIA_RAM"] else own
    lists: dict[str, Callable[[], tuple[str, list[Any]]]] = {
        "ListKeys": lambda: ("Keys", listed),
        "ListAliases": lambda: ("Aliases", account.aliases.get(call.region, [])),
        "ListKeyPolicies": lambda: ("PolicyNames", sorted(found["Policies"])),
        "ListGrants": lambda: ("Grants", [{"KeyId": found["Metadata"]["Arn"], **one} for one in found["Grants"]]),
        "ListResourceTags": lambda: ("Tags", found["Tags"]),
        "ListKeyRotations": lambda: ("Rotations", []),
    }
    if call.operation in lists:
        name, items = lists[call.operation]()
        return _paged(organization, asked, name, items, "NextMarker")
    if call.operation == "DescribeKey":
        return {"KeyMetadata": found["Metadata"]}
    if call.operation == "GetKeyPolicy":
        named = asked.get("PolicyName", "default")
        return {"Policy": found["Policies"][named], "PolicyName": named}
    if call.operation == "GetKeyRotationStatus":
        return {"KeyId": found["Metadata"]["Arn"], "KeyRotationEnabled": bool(found.get("Rotation"))}
    return _nothing(organization, call, asked)


def _iam(organization: Organization, call: Call, asked: Data) -> Found:
    account = organization.account(call.account)
    if call.operation == "GetAccountAuthorizationDetails":
        return {
            "IsTruncated": False,
            "UserDetailList": account.users,
            "GroupDetailList": account.groups,
            "RoleDetailList": account.roles,
            "Policies": account.policies,
        }
    if call.operation == "GetCredentialReport":
        return {"Content": _REPORT, "ReportFormat": "text/csv"}
    if call.operation in ("GetPolicy", "GetPolicyVersion"):
        return "NoSuchEntity"
    return _nothing(organization, call, asked)


def _tree(organization: Organization, call: Call, asked: Data) -> Found:
    if organization.root is None:
        return "AWSOrganizationsNotInUseException"
    levels = organization.levels()
    level = levels.get(str(asked.get("ParentId") or asked.get("TargetId")))
    kind = str(asked.get("Filter"))
    if call.operation == "DescribeOrganization":
        return {"Organization": {"Id": organization.identity, "MasterAccountId": organization.management}}
    if call.operation == "DescribePolicy":
        policy_id = str(asked["PolicyId"])
        _, name, kind, content = organization.documents()[policy_id]
        return {"Policy": {"PolicySummary": {"Id": policy_id, "Name": name, "Type": kind}, "Content": content}}
    below = level.below if level else []
    lists: dict[str, tuple[str, list[Data]]] = {
        "ListRoots": ("Roots", [_root(organization)]),
        "ListOrganizationalUnitsForParent": ("OrganizationalUnits", [_named(one) for one in below if _unit(one)]),
        "ListAccountsForParent": ("Accounts", [_listed(organization, one) for one in below if not _unit(one)]),
        "ListAccounts": ("Accounts", [_listed(organization, one) for one in levels.values() if one.id.isdigit()]),
        "ListPoliciesForTarget": ("Policies", _attached(organization, level, kind) if level else []),
    }
    if call.operation in lists:
        return _paged(organization, asked, *lists[call.operation], "NextToken")
    return _nothing(organization, call, asked)


def _attached(organization: Organization, level: Level, kind: str) -> list[Data]:
    return [
        {"Id": policy_id, "Name": name, "Type": found}
        for policy_id, (at, name, found, _) in organization.documents().items()
        if (at, found) == (level.id, kind)
    ]


def _unit(level: Level) -> bool:
    return not level.id.isdigit()


def _named(level: Level) -> Data:
    return {"Id": level.id, "Name": level.id}


def _root(organization: Organization) -> Data:
    types = [{"Type": kind, "Status": status} for kind, status in organization.types.items()]
    return {"Id": organization.root.id if organization.root else "", "Name": "Root", "PolicyTypes": types}


def _listed(organization: Organization, level: Level) -> Data:
    return {"Id": level.id, "Name": f"account {level.id}", "Status": organization.account(level.id).status}


def _sts(organization: Organization, call: Call, asked: Data) -> Found:
    if call.operation == "GetCallerIdentity":
        return {"UserId": "AIDA", "Account": call.account, "Arn": f"arn:aws:iam::{call.account}:user/auditor"}
    account = str(asked["RoleArn"]).split(":")[4]
    return {
        "Credentials": {
            "AccessKeyId": f"ASIA{account}",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": "2099-01-01T00:00:00Z",
        }
    }


def _regions(organization: Organization, call: Call, asked: Data) -> Found:
    account: Account = organization.account(call.account)
    names = sorted({*account.regions, *account.keys})
    if call.service == "ec2":
        return {"Regions": [{"RegionName": name, "OptInStatus": "opted-in"} for name in names]}
    return {"Regions": [{"RegionName": name, "RegionOptStatus": "ENABLED"} for name in names]}


def _nothing(organization: Organization, call: Call, asked: Data) -> Found:
    """Empty lists, as far as the operation has any."""
    shape = model(call.service).operation_model(call.operation).output_shape
    return {name: [] for name, member in shape.members.items() if member.type_name == "list"}

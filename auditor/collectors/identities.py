"""IAM of one account: users, groups, roles and managed policies, with the documents that the overview leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operations import AUTHORIZATION_DETAILS, GET_POLICY, GET_POLICY_VERSION, LIST_ACCOUNT_ALIASES
from auditor.collectors.plain import plain
from auditor.model.arn import parse_arn
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

FILTERS = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
_LISTS = {
    "UserDetailList": Kind.USER,
    "GroupDetailList": Kind.GROUP,
    "RoleDetailList": Kind.ROLE,
    "Policies": Kind.MANAGED_POLICY,
}
NOT_DEFAULT = Failure(Cause.MALFORMED, "", "The default version of the policy changed while it was read.")
ELSEWHERE = Failure(Cause.MALFORMED, "", "It is listed here, and its ARN is that of another account.")
UNLISTED = Failure(Cause.MALFORMED, "", "A user is in this group, and the group is not listed.")
Data = dict[str, Any]


def account_alias(caller: Caller) -> str:
    """The account alias, or nothing; a name is not worth a gap."""
    try:
        found = caller.pages(LIST_ACCOUNT_ALIASES).items
    except RefusedError:
        return ""
    return str(found[0]) if found else ""


def callers_of(records: list[Record]) -> tuple[str, ...]:
    """The ARNs of the users and roles among ``records``, sorted."""
    kinds = (Kind.USER, Kind.ROLE)
    return tuple(sorted(item.data["Arn"] for item in records if item.kind in kinds))


def read_identities(caller: Caller) -> list[Record]:
    """One record per user, group, role and managed policy that somebody carries (or that the account owns)."""
    found = _details(caller)
    people = [record for record in found if record.kind is not Kind.MANAGED_POLICY]
    used = _carried(people)
    policies = [record for record in found if record.kind is Kind.MANAGED_POLICY]
    kept = [record for record in policies if record.data["Arn"] in used or not _of_aws(record.data["Arn"])]
    known = {record.data["Arn"] for record in kept if _default_document(record.data)}
    missing = [_fetched(caller, arn, used[arn]) for arn in sorted(set(used) - known)]
    fetched = [record for record in missing if record is not None]
    replaced = {record.data["Arn"] for record in fetched}
    return people + [record for record in kept if record.data["Arn"] not in replaced] + fetched


def _details(caller: Caller) -> list[Record]:
    """All pages, or those up to a refusal and a Gap: principals already seen are facts."""
    gathered, failure = caller.gather(AUTHORIZATION_DETAILS, Filter=FILTERS)
    if failure is not None:
        caller.note(failure, Fact.IDENTITIES, AUTHORIZATION_DETAILS)
    listed = [Record(kind, plain(item)) for name, kind in _LISTS.items() for item in gathered.items(name)]
    if failure is None:
        _note_unlisted_groups(caller, listed)
    return [record for record in listed if record.kind is Kind.MANAGED_POLICY or _own(caller, record.data["Arn"])]


def _note_unlisted_groups(caller: Caller, listed: list[Record]) -> None:
    """A Gap for each group that a user is in and that is not listed, as when it was made between two pages."""
    known = {record.data["GroupName"] for record in listed if record.kind is Kind.GROUP}
    joined = {name for record in listed if record.kind is Kind.USER for name in record.data["GroupList"]}
    for name in sorted(joined - known):
        caller.note(UNLISTED, Fact.IDENTITY_POLICY, AUTHORIZATION_DETAILS, name)


def _own(caller: Caller, arn: str) -> bool:
    """Whether a user, group or role is one of the account; if not, a Gap."""
    parsed = parse_arn(arn)
    own = parsed is not None and parsed.account == caller.account
    if not own:
        caller.note(ELSEWHERE, Fact.IDENTITIES, AUTHORIZATION_DETAILS)
    return own


def _carried(people: list[Record]) -> dict[str, Fact]:
    """The ARN of every attached managed policy and boundary → the fact that rests on it."""
    used: dict[str, Fact] = {}
    for record in people:
        for attached in record.data.get("AttachedManagedPolicies") or ():
            used[attached["PolicyArn"]] = Fact.IDENTITY_POLICY
        if "PermissionsBoundary" in record.data:
            used.setdefault(record.data["PermissionsBoundary"]["PermissionsBoundaryArn"], Fact.BOUNDARY)
    return used


def _of_aws(arn: str) -> bool:
    return ":iam::aws:policy/" in arn


def _default_document(data: Mapping[str, Any]) -> bool:
    return any(
        version.get("IsDefaultVersion") and version.get("Document") for version in data.get("PolicyVersionList") or ()
    )


def _fetched(caller: Caller, arn: str, fact: Fact) -> Record | None:
    """A managed policy with its default version, read one by one."""
    answer = caller.ask(GET_POLICY, fact, arn, PolicyArn=arn)
    if answer is None:
        return None
    policy = plain(answer["Policy"])
    document = caller.ask(GET_POLICY_VERSION, fact, arn, PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    if document is None:
        return None
    version = plain(document["PolicyVersion"])
    if not version["IsDefaultVersion"]:
        caller.note(NOT_DEFAULT, fact, GET_POLICY_VERSION, arn)
    return Record(Kind.MANAGED_POLICY, {**policy, "Arn": arn, "PolicyVersionList": [version]})

"""IAM of one account: users, groups, roles and managed policies, with the documents that the overview leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operations import AUTHORIZATION_DETAILS, GET_POLICY, GET_POLICY_VERSION, LIST_ACCOUNT_ALIASES
from auditor.collectors.plain import plain
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

FILTERS = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
_LISTS = {
    "UserDetailList": Kind.USER,
    "GroupDetailList": Kind.GROUP,
    "RoleDetailList": Kind.ROLE,
    "Policies": Kind.MANAGED_POLICY,
}
NO_VERSION = Failure(Cause.MALFORMED, "", "The answer names no default version of the policy.")
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
    return tuple(sorted(str(item.data["Arn"]) for item in records if item.kind in kinds and item.data.get("Arn")))


def read_identities(caller: Caller) -> list[Record]:
    """One record per user, group, role and managed policy that somebody carries (or that the account owns)."""
    found = _details(caller)
    people = [record for record in found if record.kind is not Kind.MANAGED_POLICY]
    used = _carried(people)
    policies = [record for record in found if record.kind is Kind.MANAGED_POLICY]
    kept = [record for record in policies if record.data.get("Arn") in used or not _of_aws(str(record.data.get("Arn")))]
    known = {str(record.data.get("Arn")) for record in kept if _default_document(record.data)}
    missing = [_fetched(caller, arn, used[arn]) for arn in sorted(set(used) - known)]
    fetched = [record for record in missing if record is not None]
    replaced = {str(record.data["Arn"]) for record in fetched}
    return people + [record for record in kept if str(record.data.get("Arn")) not in replaced] + fetched


def _details(caller: Caller) -> list[Record]:
    """All pages, or those up to a refusal and a Gap: principals already seen are facts."""
    found: list[Record] = []

    def once() -> None:
        found.clear()
        for page in caller.each_page(AUTHORIZATION_DETAILS, Filter=FILTERS):
            found.extend(_records(page))

    try:
        caller.guarded(AUTHORIZATION_DETAILS, once)
    except RefusedError as error:
        caller.note(error.failure, Fact.IDENTITIES, AUTHORIZATION_DETAILS)
    return found


def _records(page: Data) -> Iterator[Record]:
    for name, kind in _LISTS.items():
        for item in page.get(name) or ():
            yield Record(kind, plain(item))


def _carried(people: list[Record]) -> dict[str, Fact]:
    """The ARN of every attached managed policy and boundary → the fact that rests on it."""
    used: dict[str, Fact] = {}
    for record in people:
        for attached in record.data.get("AttachedManagedPolicies") or ():
            used[str(attached.get("PolicyArn"))] = Fact.IDENTITY_POLICY
        boundary = (record.data.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
        if boundary:
            used.setdefault(str(boundary), Fact.BOUNDARY)
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
    policy = plain((answer or {}).get("Policy") or {})
    version = policy.get("DefaultVersionId")
    if answer is not None and not version:
        caller.note(NO_VERSION, fact, GET_POLICY, arn)
    if not version:
        return None
    document = caller.ask(GET_POLICY_VERSION, fact, arn, PolicyArn=arn, VersionId=version)
    if document is None:
        return None
    return Record(
        Kind.MANAGED_POLICY, {**policy, "Arn": arn, "PolicyVersionList": [plain(document.get("PolicyVersion") or {})]}
    )

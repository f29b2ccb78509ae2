"""Whose identity policies may allow something in KMS: the only principals of whose calls IAM's reports can tell.

A first look at the raw documents, which decides nothing but whom to ask about; whoever is in doubt is asked about.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from urllib.parse import unquote

from auditor.model.arn import SERVICE_LINKED_PATH
from auditor.model.shard import Kind, Record

Data = Mapping[str, Any]
_INLINE = {Kind.USER: "UserPolicyList", Kind.ROLE: "RolePolicyList", Kind.GROUP: "GroupPolicyList"}


def may_use_kms(records: Iterable[Record]) -> tuple[str, ...]:
    """The ARNs of the users and roles among the IAM ``records`` of an account, sorted; no service-linked role, whose
    permissions nobody can take away."""
    found = tuple(records)
    managed = {str(item.data["Arn"]): _managed(item.data) for item in found if item.kind is Kind.MANAGED_POLICY}
    groups = {item.data["GroupName"]: _carried(item, managed) for item in found if item.kind is Kind.GROUP}
    people = [item for item in found if item.kind in (Kind.USER, Kind.ROLE)]
    return tuple(
        sorted(
            str(item.data["Arn"])
            for item in people
            if not str(item.data.get("Path", "/")).startswith(SERVICE_LINKED_PATH)
            and (_carried(item, managed) or any(groups.get(name, True) for name in item.data.get("GroupList") or ()))
        )
    )


def _managed(data: Data) -> bool:
    """Whether the default version of a managed policy may allow something; one that was not read may."""
    documents = [item.get("Document") for item in data.get("PolicyVersionList") or () if item.get("IsDefaultVersion")]
    return not documents or any(map(_allows, documents))


def _carried(record: Record, managed: Mapping[str, bool]) -> bool:
    """Whether a policy that a user, role or group carries itself may allow something."""
    inline = (item.get("PolicyDocument") for item in record.data.get(_INLINE[record.kind]) or ())
    attached = (item["PolicyArn"] for item in record.data.get("AttachedManagedPolicies") or ())
    return any(map(_allows, inline)) or any(managed.get(arn, True) for arn in attached)


def _allows(document: Any) -> bool:
    return _allowing(document) if isinstance(document, str) else _any_allows(document)


@cache
def _allowing(text: str) -> bool:
    """The same of a document as IAM sends it: JSON, URL-encoded or not."""
    try:
        return _any_allows(json.loads(text if text.lstrip().startswith("{") else unquote(text)))
    except (ValueError, RecursionError):
        return True


def _any_allows(document: Any) -> bool:
    if not isinstance(document, Mapping):
        return True
    statements = document.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    return any(_reaches(statement) for statement in listed if isinstance(statement, Mapping))


def _reaches(statement: Data) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    return "NotAction" in statement or any(
        fnmatchcase("kms", pattern.split(":", 1)[0].lower()) for pattern in _texts(statement.get("Action"))
    )


def _texts(value: Any) -> Iterator[str]:
    yield from (str(item) for item in value) if isinstance(value, list) else (str(value),)

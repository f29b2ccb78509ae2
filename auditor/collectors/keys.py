"""Everything about one KMS key: metadata, every key policy, grants, tags, rotation, and on request its last usage.

No call that must fail: a key that cannot rotate is not asked about rotation.
"""

from __future__ import annotations

from typing import Any

from auditor.collectors.caller import Caller
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operations import (
    DESCRIBE_KEY,
    GET_KEY_POLICY,
    GET_LAST_USAGE,
    GET_ROTATION,
    LIST_GRANTS,
    LIST_KEY_POLICIES,
    LIST_KEYS,
    LIST_RESOURCE_TAGS,
    LIST_ROTATIONS,
)
from auditor.collectors.plain import plain
from auditor.model.key import DEFAULT_POLICY, Fact
from auditor.model.shard import Kind, Record

Data = dict[str, Any]
NOT_APPLICABLE = frozenset({"UnsupportedOperationException", "KMSInvalidStateException"})
"""Answers that say something about the key, not about permission (kms-authorization: data, not failure)."""

ESSENTIAL = ("Arn", "KeyManager", "KeyState", "Origin")
"""Members of every KeyMetadata; rules and verdicts would take a default for a fact without them."""
NAMELESS = Failure(Cause.MALFORMED, "", "ListKeys named a key without an id.")


def name_of(listed: Data) -> str:
    """The ARN of an entry of ListKeys, or its id where an endpoint sends no ARN."""
    return str(listed.get("KeyArn") or listed.get("KeyId") or "")


def read_key(caller: Caller, listed: Data) -> Record | None:
    """The record of a listed key, or None when it was deleted meanwhile. Refused facts are named in ``Unread``.

    DescribeKey comes first because the rest depends on it; the lists with the lowest quotas follow.
    """
    arn = name_of(listed)
    key_id = str(listed.get("KeyId") or arn.rsplit("/", 1)[-1])
    if not key_id:
        caller.note(NAMELESS, Fact.KEY_METADATA, LIST_KEYS, "a key without an id")
        return None
    data: Data = {"KeyId": key_id, "KeyArn": listed.get("KeyArn")}
    unread: set[Fact] = set()
    try:
        data["Metadata"] = plain(caller.call(DESCRIBE_KEY, KeyId=key_id).get("KeyMetadata"))
    except RefusedError as error:
        caller.note(error.failure, Fact.KEY_METADATA, DESCRIBE_KEY, arn)
        if error.failure.cause is Cause.NOT_FOUND:
            return None
        unread.add(Fact.KEY_METADATA)
    absent = [name for name in ESSENTIAL if not data.get("Metadata", dict.fromkeys(ESSENTIAL, True)).get(name)]
    if absent:
        failure = Failure(Cause.MALFORMED, "", f"The description of the key has no {', '.join(absent)}.")
        caller.note(failure, Fact.KEY_METADATA, DESCRIBE_KEY, arn)
        unread.add(Fact.KEY_METADATA)
    _lists(caller, key_id, arn, data, unread)
    _policies(caller, key_id, arn, data, unread)
    _rotation(caller, key_id, arn, data, unread)
    data["Unread"] = sorted(unread)
    return Record(Kind.KEY, data)


def last_usage(caller: Caller, record: Record) -> Record:
    """The record with GetKeyLastUsage added; AWS managed keys are not asked about."""
    metadata = record.data.get("Metadata") or {}
    if metadata.get("KeyManager") == "AWS":
        return record
    arn = str(record.data.get("KeyArn") or record.data["KeyId"])
    answer = caller.ask(GET_LAST_USAGE, Fact.LAST_USAGE, arn, KeyId=record.data["KeyId"])
    if answer is None:
        return Record(Kind.KEY, {**record.data, "Unread": sorted({*record.data["Unread"], Fact.LAST_USAGE})})
    return Record(Kind.KEY, {**record.data, "LastUsage": plain(answer)})


def _lists(caller: Caller, key_id: str, arn: str, data: Data, unread: set[Fact]) -> None:
    for operation, fact, name in ((LIST_GRANTS, Fact.GRANTS, "Grants"), (LIST_RESOURCE_TAGS, Fact.TAGS, "Tags")):
        listing = caller.ask_pages(operation, fact, arn, KeyId=key_id)
        data[name] = sorted((plain(item) for item in listing.items), key=repr)
        if not listing.complete:
            unread.add(fact)


def _policies(caller: Caller, key_id: str, arn: str, data: Data, unread: set[Fact]) -> None:
    listing = caller.ask_pages(LIST_KEY_POLICIES, Fact.KEY_POLICY, arn, KeyId=key_id)
    if not listing.complete:
        unread.add(Fact.KEY_POLICY)
    policies: dict[str, str] = {}
    # Without the list, the default policy is still worth asking for: a deny in it holds whatever else there is.
    for name in sorted({str(name) for name in listing.items} or {DEFAULT_POLICY}):
        answer = caller.ask(GET_KEY_POLICY, Fact.KEY_POLICY, arn, KeyId=key_id, PolicyName=name)
        if answer is None:
            unread.add(Fact.KEY_POLICY)
        else:
            policies[name] = str(answer["Policy"])
    data["Policies"] = policies


def _rotation(caller: Caller, key_id: str, arn: str, data: Data, unread: set[Fact]) -> None:
    metadata = data.get("Metadata")
    if metadata is None or Fact.KEY_METADATA in unread:
        unread.add(Fact.ROTATION)
        return
    if not _rotates(metadata):
        if _holds_materials(metadata):
            _materials(caller, key_id, arn, data, unread)
        return
    try:
        data["Rotation"] = plain(caller.call(GET_ROTATION, KeyId=key_id))
    except RefusedError as error:
        if error.failure.code not in NOT_APPLICABLE:
            caller.note(error.failure, Fact.ROTATION, GET_ROTATION, arn)
            unread.add(Fact.ROTATION)
    _rotations(caller, arn, data, unread, KeyId=key_id)


def _holds_materials(metadata: Data) -> bool:
    """Symmetric keys with imported material: only those rotate on demand, and so may hold several materials."""
    symmetric = metadata.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    return symmetric and metadata.get("Origin") == "EXTERNAL" and bool(metadata.get("ExpirationModel"))


def _materials(caller: Caller, key_id: str, arn: str, data: Data, unread: set[Fact]) -> None:
    """All imported materials: the key fails when any of them expires, not only the current one."""
    _rotations(caller, arn, data, unread, KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")


def _rotations(caller: Caller, arn: str, data: Data, unread: set[Fact], **asked: str) -> None:
    try:
        history = caller.pages(LIST_ROTATIONS, **asked)
        failure = history.failure
        data["Rotations"] = plain(history.items)
    except RefusedError as error:
        failure = error.failure
    if failure is not None and failure.code not in NOT_APPLICABLE:
        caller.note(failure, Fact.ROTATIONS, LIST_ROTATIONS, arn)
        unread.add(Fact.ROTATIONS)


def _rotates(metadata: Data) -> bool:
    """Customer managed symmetric encryption keys whose material KMS made; all others cannot rotate by themselves."""
    spec = metadata.get("KeySpec") or metadata.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    return (
        metadata.get("KeyManager", "CUSTOMER") == "CUSTOMER"
        and spec == "SYMMETRIC_DEFAULT"
        and metadata.get("Origin", "AWS_KMS") == "AWS_KMS"
        and not metadata.get("CustomKeyStoreId")
    )

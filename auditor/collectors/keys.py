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
from auditor.model.arn import parse_arn
from auditor.model.key import DEFAULT_POLICY, Fact
from auditor.model.shard import Kind, Record

Data = dict[str, Any]
NOT_APPLICABLE = frozenset({"UnsupportedOperationException", "KMSInvalidStateException"})
"""Answers that say something about the key, not about permission (data, not failure)."""

ESSENTIAL = ("Arn", "KeyManager", "KeyState", "Origin")
"""Members of every KeyMetadata; rules and verdicts would take a default for a fact without them."""
SPECS = ("KeySpec", "CustomerMasterKeySpec")
"""The name of today and that of older endpoints; one of them is essential."""
IN_STORES = ("AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
"""Origins of keys whose material is in a custom key store, which is then named."""
NAMELESS = Failure(Cause.MALFORMED, "", "ListKeys named a key without an id.")
ELSEWHERE = Failure(Cause.MALFORMED, "", "ListKeys named a key that is none of this account and Region.")
TIMELESS = Failure(Cause.MALFORMED, "", "The key was used at a time that the answer does not tell.")
ANOTHER = Failure(Cause.MALFORMED, "", "The description is that of another key.")


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
    if listed.get("KeyArn") and not _is(caller, arn, key_id):
        caller.note(ELSEWHERE, Fact.KEY_METADATA, LIST_KEYS, arn)
        return None
    data: Data = {"KeyId": key_id, "KeyArn": listed.get("KeyArn")}
    unread: set[Fact] = set()
    try:
        data["Metadata"] = _described(caller, key_id, arn, unread)
    except RefusedError as error:
        caller.note(error.failure, Fact.KEY_METADATA, DESCRIBE_KEY, arn)
        if error.failure.cause is Cause.NOT_FOUND:
            return None
        unread.add(Fact.KEY_METADATA)
    _lists(caller, key_id, arn, data, unread)
    _policies(caller, key_id, arn, data, unread)
    _rotation(caller, key_id, arn, data, unread)
    data["Unread"] = sorted(unread)
    return Record(Kind.KEY, data)


def _described(caller: Caller, key_id: str, arn: str, unread: set[Fact]) -> Data:
    """The description of the key, which may lack something; nothing of it when it is not about this key."""
    metadata: Data = plain(caller.call(DESCRIBE_KEY, KeyId=key_id)["KeyMetadata"])
    told = metadata.get("Arn")
    if told and not (_is(caller, told, key_id) and metadata.get("AWSAccountId") in (None, caller.account)):
        raise RefusedError(ANOTHER)
    absent = [name for name in ESSENTIAL if not metadata.get(name)]
    spec = next(filter(None, map(metadata.get, SPECS)), None)
    absent += [] if spec else [SPECS[0]]
    # A symmetric encryption key has one usage; of the other types, each may have several.
    absent += [] if spec == "SYMMETRIC_DEFAULT" or metadata.get("KeyUsage") else ["KeyUsage"]
    stored = metadata.get("Origin") in IN_STORES
    absent += ["CustomKeyStoreId"] if stored and not metadata.get("CustomKeyStoreId") else []
    absent += ["MultiRegionConfiguration"] if metadata.get("MultiRegion") and not _family(metadata) else []
    if absent:
        failure = Failure(Cause.MALFORMED, "", f"The description of the key has no {', '.join(absent)}.")
        caller.note(failure, Fact.KEY_METADATA, DESCRIBE_KEY, arn)
        unread.add(Fact.KEY_METADATA)
    return metadata


def _family(metadata: Data) -> bool:
    """Whether it is told which key of a multi-Region family this is."""
    told = metadata.get("MultiRegionConfiguration") or {}
    return bool(told.get("MultiRegionKeyType") or (told.get("PrimaryKey") or {}).get("Arn"))


def _is(caller: Caller, arn: str, key_id: str) -> bool:
    """Whether an ARN is that of this key in the caller's account and Region."""
    parsed = parse_arn(arn)
    place = (parsed.account, parsed.region, parsed.resource) if parsed else ()
    return place == (caller.account, caller.region, f"key/{key_id}")


def last_usage(caller: Caller, record: Record) -> Record:
    """The record with GetKeyLastUsage added; AWS managed keys are not asked about."""
    metadata = record.data.get("Metadata") or {}
    if metadata.get("KeyManager") == "AWS":
        return record
    arn = str(record.data.get("KeyArn") or record.data["KeyId"])
    answer = caller.ask(GET_LAST_USAGE, Fact.LAST_USAGE, arn, KeyId=record.data["KeyId"])
    if answer is not None and "Operation" in answer["KeyLastUsage"] and "Timestamp" not in answer["KeyLastUsage"]:
        caller.note(TIMELESS, Fact.LAST_USAGE, GET_LAST_USAGE, arn)
        answer = None
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
    # Every key has a default policy, whatever the list says: a deny in it holds whatever else there is.
    for name in sorted({*listing.items, DEFAULT_POLICY}):
        answer = caller.ask(GET_KEY_POLICY, Fact.KEY_POLICY, arn, KeyId=key_id, PolicyName=name)
        if answer is None:
            unread.add(Fact.KEY_POLICY)
        else:
            policies[name] = answer["Policy"]
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

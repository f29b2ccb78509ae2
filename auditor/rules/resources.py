"""Encrypted resources as the rules read them: whose key each of them uses, and which resources name a key.

Sources: KMS developer guide, AWS KMS keys (no other account uses an AWS managed key) and Aliases (names that begin with
``alias/aws/`` are reserved for AWS managed keys, and these have no other alias).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from auditor.model.arn import parse_arn
from auditor.model.key import Fact, Key
from auditor.model.resource import Encryption, Resource
from auditor.rules.view import View

RESERVED = "alias/aws/"
BY_DEFAULT = "T2"
"""The tier of what has no known data class."""
Name = tuple[str, str, str]
"""Account, Region, and an id or alias; or twice nothing and an ARN."""
WORDS = {
    "AWS::S3::Bucket": "bucket",
    "AWS::SQS::Queue": "queue",
    "AWS::SNS::Topic": "topic",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::RDS::DBInstance": "database instance",
    "AWS::RDS::DBCluster": "database cluster",
    "AWS::EC2::Volume": "volume",
    "AWS::DynamoDB::Table": "table",
    "AWS::EFS::FileSystem": "file system",
}


class Custody(StrEnum):
    """Who manages the key that a resource is encrypted with."""

    CUSTOMER = "customer"
    AWS_MANAGED = "AWS managed"
    SERVICE_OWNED = "service-owned"
    NONE = "none"


def custody(view: View, resource: Resource) -> Custody | None:
    """Who manages the key of a resource; None where that is not known."""
    if resource.encryption is Encryption.SERVICE_OWNED:
        return Custody.SERVICE_OWNED
    if resource.encryption is Encryption.NONE:
        return Custody.NONE
    if resource.encryption is None or resource.key is None:
        return None
    alias = _alias(resource.key)
    if alias:
        return Custody.AWS_MANAGED if alias.startswith(RESERVED) else Custody.CUSTOMER
    arn = parse_arn(resource.key)
    if arn is not None and arn.account != resource.account:
        return Custody.CUSTOMER  # AWS managed keys serve their own account alone
    key = key_of(view, resource)
    return None if key is None else _manager(key)


def _manager(key: Key) -> Custody | None:
    if any(alias.name.startswith(RESERVED) for alias in key.aliases):
        return Custody.AWS_MANAGED
    if Fact.KEY_METADATA in key.unread:
        return None
    return Custody.CUSTOMER if key.customer_managed else Custody.AWS_MANAGED


def _alias(name: str) -> str:
    """The alias that a name or an ARN is of; empty for a key."""
    arn = parse_arn(name)
    found = arn.resource if arn is not None else name
    return found if found.startswith("alias/") else ""


def key_of(view: View, resource: Resource) -> Key | None:
    """The collected key that a resource names, or None."""
    if resource.key is None:
        return None
    name = ("", "", resource.key) if parse_arn(resource.key) else (resource.account, resource.region, resource.key)
    return _names(view).get(name)


def _names(view: View) -> dict[Name, Key]:
    return view.once("names of keys", lambda: {name: key for key in view.snapshot.keys for name in _names_of(key)})


def _names_of(key: Key) -> list[Name]:
    aliases = [alias.name for alias in key.aliases]
    arns = [key.arn, *(alias.arn for alias in key.aliases)]
    return [("", "", arn) for arn in arns] + [(key.account, key.region, name) for name in (key.key_id, *aliases)]


def encrypted_by(view: View, key: Key) -> tuple[str, ...]:
    """ARNs of the resources that name a key, in order."""
    return view.once("resources by key", lambda: _by_key(view)).get(key.arn, ())


def _by_key(view: View) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for resource in view.snapshot.evidence.resources:
        key = key_of(view, resource)
        if key is not None:
            found.setdefault(key.arn, []).append(resource.arn)
    return {arn: tuple(sorted(resources)) for arn, resources in found.items()}


def tier_of(view: View, resource: Resource) -> str:
    """The strictest tier of the data classes of a resource."""
    tiers = [view.trust.tier_of(value) for value in resource.tag_values(view.settings.data_class_tag)]
    return min(tiers, default=BY_DEFAULT)


def keys_of_restricted(view: View) -> frozenset[str]:
    """ARNs of the keys that resources of tier T1 name."""
    return view.once("keys of restricted resources", lambda: frozenset(_keys_of_restricted(view)))


def _keys_of_restricted(view: View) -> Iterator[str]:
    for resource in view.snapshot.evidence.resources:
        key = key_of(view, resource) if tier_of(view, resource) == "T1" else None
        if key is not None:
            yield key.arn


def called(resource: Resource) -> str:
    """What people call a resource: ``bucket ledger``."""
    return f"{WORDS.get(resource.kind, 'resource')} {name_of(resource)}"


def name_of(resource: Resource) -> str:
    """Its name in the service. That of a secret may hold slashes, and ends in what AWS has added."""
    arn = parse_arn(resource.arn)
    name = arn.resource if arn is not None else resource.arn
    return name.partition(":")[2] or name.rpartition("/")[2]

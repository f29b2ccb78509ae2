"""Records of encrypted resources → how each is encrypted and what it names as its key.

What a service does when nothing is said, by its documentation: S3 encrypts every bucket with a key of its own (SSE-S3,
since 2023), DynamoDB every table; Secrets Manager takes its AWS managed key; SQS and SNS encrypt nothing by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.model.policy_document import parse_policy
from auditor.model.resource import Encryption, Resource
from auditor.store.values import Data, inner, maybe, tags, text, texts

Told = tuple[Encryption, str | None]
SERVICE_OWNED: Told = (Encryption.SERVICE_OWNED, None)
NOT_ENCRYPTED: Told = (Encryption.NONE, None)
OWN = frozenset({"sse-rds", "sse-ebs"})
WITH_POLICY = frozenset({"AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::SecretsManager::Secret"})
"""Kinds whose resource policy is read."""


def resource(data: Data, account: str, region: str) -> Resource:
    """One resource of an account and Region; how one of a kind that nobody knows is encrypted is unknown."""
    kind, unread = text(data, "Type"), texts(data, "Unread")
    known = kind in _ENCRYPTIONS and "encryption" not in unread
    encryption, key = _ENCRYPTIONS[kind](inner(data, "Encryption")) if known else (None, None)
    policy = maybe(data, "Policy")
    return Resource(
        arn=text(data, "Arn"),
        kind=kind,
        account=account,
        region=region,
        encryption=encryption,
        key=key,
        tags=None if "tags" in unread else tags(data),
        policy=parse_policy(policy) if policy is not None else None,
        policy_read=kind in WITH_POLICY and "policy" not in unread,
    )


def _kms(key: str | None, otherwise: Told) -> Told:
    return otherwise if key is None else (Encryption.KMS, key)


def _bucket(data: Data) -> Told:
    if not text(data, "SSEAlgorithm").startswith("aws:kms"):
        return SERVICE_OWNED
    return _kms(maybe(data, "KMSMasterKeyID"), (Encryption.KMS, "alias/aws/s3"))


def _queue(data: Data) -> Told:
    own = text(data, "SqsManagedSseEnabled").lower() == "true"
    return _kms(maybe(data, "KmsMasterKeyId"), SERVICE_OWNED if own else NOT_ENCRYPTED)


def _topic(data: Data) -> Told:
    return _kms(maybe(data, "KmsMasterKeyId"), NOT_ENCRYPTED)


def _secret(data: Data) -> Told:
    return _kms(maybe(data, "KmsKeyId"), (Encryption.KMS, "alias/aws/secretsmanager"))


def _stored(data: Data) -> Told:
    """RDS, EBS and EFS name a key wherever they encrypt, unless it is one of their own: RDS then says, of clusters,
    that they are not encrypted (StorageEncryptionType tells)."""
    if {text(data, "StorageEncryptionType"), text(data, "SseType")} & OWN:
        return SERVICE_OWNED
    encrypted = data.get("StorageEncrypted") or data.get("Encrypted")
    return _kms(maybe(data, "KmsKeyId") if encrypted else None, NOT_ENCRYPTED)


def _table(data: Data) -> Told:
    if text(data, "Status") in ("DISABLED", "DISABLING"):
        return SERVICE_OWNED
    return _kms(maybe(data, "KMSMasterKeyArn"), SERVICE_OWNED)


_ENCRYPTIONS: dict[str, Callable[[Data], Told]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::RDS::DBInstance": _stored,
    "AWS::RDS::DBCluster": _stored,
    "AWS::EC2::Volume": _stored,
    "AWS::DynamoDB::Table": _table,
    "AWS::EFS::FileSystem": _stored,
}

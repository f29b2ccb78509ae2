"""What is encrypted in other services, and which key each resource names: one record per resource.

A list of each kind is read first; what a list does not tell (key, tags, resource policy) is asked for one by one. A
part that could not be read is in ``Unread`` of the record and a Gap, so that nothing counts as “no key” or “no tags”.
What the members mean is decided where records are decoded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from auditor.collectors.caller import Caller, Listing
from auditor.collectors.failures import Cause, Failure, RefusedError
from auditor.collectors.operation import Operation
from auditor.collectors.plain import plain
from auditor.collectors.resource_operations import (
    DESCRIBE_DB_CLUSTERS,
    DESCRIBE_DB_INSTANCES,
    DESCRIBE_FILE_SYSTEMS,
    DESCRIBE_TABLE,
    DESCRIBE_VOLUMES,
    GET_BUCKET_ENCRYPTION,
    GET_BUCKET_POLICY,
    GET_BUCKET_TAGGING,
    GET_QUEUE_ATTRIBUTES,
    GET_SECRET_POLICY,
    GET_TOPIC_ATTRIBUTES,
    LIST_BUCKETS,
    LIST_DB_TAGS,
    LIST_QUEUE_TAGS,
    LIST_QUEUES,
    LIST_SECRETS,
    LIST_TABLE_TAGS,
    LIST_TABLES,
    LIST_TOPIC_TAGS,
    LIST_TOPICS,
)
from auditor.model.key import Fact
from auditor.model.shard import Kind, Record

AHEAD = 50
"""Resources that are asked about while the first of them is waited for."""
OWN = {"sse-rds", "sse-ebs"}
OFF = ("DISABLED", "DISABLING")
NO_DEFAULT = "ServerSideEncryptionConfigurationNotFoundError"
NO_TAGS = "NoSuchTagSet"
NO_POLICY = "NoSuchBucketPolicy"
KEYLESS = Failure(Cause.MALFORMED, "", "The resource is encrypted, and its key is not told.")
OLD_SDK = Failure(Cause.NOT_SUPPORTED, "", "The installed AWS SDK cannot list the buckets of one Region.")
ENCRYPTION, TAGS, POLICY = "encryption", "tags", "policy"
Data = dict[str, Any]
Submit = Callable[[Callable[[], Any]], "Future[Any]"]
"""Runs a job some time, beside others."""


@dataclass(slots=True)
class _Told:
    """What is known of one resource so far."""

    arn: str
    kind: str
    encryption: Data = field(default_factory=dict)
    tags: list[Data] = field(default_factory=list)
    policy: str | None = None
    unread: set[str] = field(default_factory=set)

    def record(self) -> Record:
        return Record(
            Kind.RESOURCE,
            {
                "Arn": self.arn,
                "Type": self.kind,
                "Encryption": plain(self.encryption),
                "Tags": [dict(pair) for pair in sorted({tuple(sorted(plain(tag).items())) for tag in self.tags})],
                "Policy": self.policy,
                "Unread": sorted(self.unread),
            },
        )


Describe = Callable[[Caller, str, Any], Record | None]
"""The record of an item of the list of the caller's Region, in a partition; None: it is none of the Region."""


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of resource: the list that names all of them, and what makes a record of an item."""

    listing: Operation
    describe: Describe


def read_resources(caller: Caller, partition: str, submit: Submit) -> list[Record]:
    """Every resource of the Region that a ``Source`` knows; calls are made in jobs that are handed to ``submit``."""
    lists = [(source, submit(partial(_listed, caller, source))) for source in SOURCES]
    records = [Record(Kind.ASKED, {"Fact": str(Fact.RESOURCES)})]
    for source, listing in lists:
        jobs = (partial(source.describe, caller, partition, item) for item in listing.result().items)
        records += _described(jobs, submit)
    return records


def _described(jobs: Iterator[Callable[[], Record | None]], submit: Submit) -> Iterator[Record]:
    ahead: deque[Future[Record | None]] = deque()
    for job in jobs:
        ahead.append(submit(job))
        if len(ahead) >= AHEAD:
            yield from _made(ahead.popleft())
    for future in ahead:
        yield from _made(future)


def _made(future: Future[Record | None]) -> Iterator[Record]:
    record = future.result()
    if record is not None:
        yield record


def _listed(caller: Caller, source: Source) -> Listing:
    params: Data = {}
    if source.listing is LIST_BUCKETS:
        client = caller.session.client(LIST_BUCKETS.service, caller.region)
        # By itself the list is that of all Regions, and an older SDK refuses the parameter.
        if "BucketRegion" not in _parameters(client):
            caller.note(OLD_SDK, Fact.RESOURCES, LIST_BUCKETS)
            return Listing(())
        params = {"BucketRegion": caller.region}
    return caller.ask_pages(source.listing, Fact.RESOURCES, **params)


def _parameters(client: Any) -> Any:
    shape = client.meta.service_model.operation_model(LIST_BUCKETS.name).input_shape
    return shape.members if shape is not None else ()


def _asked(caller: Caller, told: _Told, part: str, operation: Operation, *absent: str, **params: Any) -> Data | None:
    """The answer of a call about one part; None where there is nothing (error codes ``absent``), or a Gap."""
    try:
        return caller.call(operation, **params)
    except RefusedError as error:
        if error.failure.code not in absent:
            caller.note(error.failure, Fact.RESOURCES, operation, told.arn)
            told.unread.add(part)
        return None


def _keyed(caller: Caller, told: _Told, operation: Operation, encrypted: Any) -> Record:
    """The record of a resource that names a key wherever it is encrypted, unless with a key of the service's own."""
    if encrypted and not told.encryption.get("KmsKeyId") and not OWN & set(told.encryption.values()):
        caller.note(KEYLESS, Fact.RESOURCES, operation, told.arn)
        told.unread.add(ENCRYPTION)
    return told.record()


def _only(data: Data, *names: str) -> Data:
    return {name: data[name] for name in names if data.get(name) is not None}


def _bucket(caller: Caller, partition: str, bucket: Data) -> Record | None:
    if bucket.get("BucketRegion", caller.region) != caller.region:
        return None
    name = bucket["Name"]
    told = _Told(f"arn:{partition}:s3:::{name}", "AWS::S3::Bucket")
    found = _asked(caller, told, ENCRYPTION, GET_BUCKET_ENCRYPTION, NO_DEFAULT, Bucket=name)
    rules = found["ServerSideEncryptionConfiguration"]["Rules"] if found else ()
    told.encryption = dict(rules[0]["ApplyServerSideEncryptionByDefault"]) if rules else {}
    tags = _asked(caller, told, TAGS, GET_BUCKET_TAGGING, NO_TAGS, Bucket=name)
    told.tags = list(tags["TagSet"]) if tags else []
    policy = _asked(caller, told, POLICY, GET_BUCKET_POLICY, NO_POLICY, Bucket=name)
    told.policy = policy["Policy"] if policy else None
    return told.record()


def _queue(caller: Caller, partition: str, url: str) -> Record | None:
    name = url.rsplit("/", 1)[-1]
    told = _Told(f"arn:{partition}:sqs:{caller.region}:{caller.account}:{name}", "AWS::SQS::Queue")
    # Asked for by name, attributes of encryption are refused where the queue has none.
    found = _asked(caller, told, ENCRYPTION, GET_QUEUE_ATTRIBUTES, QueueUrl=url, AttributeNames=["All"])
    attributes = found["Attributes"] if found else {}
    told.unread |= set() if found else {POLICY}
    told.arn = attributes.get("QueueArn", told.arn)
    told.encryption = _only(attributes, "KmsMasterKeyId", "SqsManagedSseEnabled")
    told.policy = attributes.get("Policy") or None
    tags = _asked(caller, told, TAGS, LIST_QUEUE_TAGS, QueueUrl=url)
    told.tags = [{"Key": key, "Value": value} for key, value in ((tags or {}).get("Tags") or {}).items()]
    return told.record()


def _topic(caller: Caller, _: str, topic: Data) -> Record | None:
    told = _Told(topic["TopicArn"], "AWS::SNS::Topic")
    found = _asked(caller, told, ENCRYPTION, GET_TOPIC_ATTRIBUTES, TopicArn=told.arn)
    attributes = found["Attributes"] if found else {}
    told.unread |= set() if found else {POLICY}
    told.encryption = _only(attributes, "KmsMasterKeyId")
    told.policy = attributes.get("Policy")
    tags = _asked(caller, told, TAGS, LIST_TOPIC_TAGS, ResourceArn=told.arn)
    told.tags = list((tags or {}).get("Tags") or ())
    return told.record()


def _secret(caller: Caller, _: str, secret: Data) -> Record | None:
    told = _Told(secret["ARN"], "AWS::SecretsManager::Secret", tags=secret.get("Tags") or [])
    told.encryption = _only(secret, "KmsKeyId")
    policy = _asked(caller, told, POLICY, GET_SECRET_POLICY, SecretId=told.arn)
    told.policy = (policy or {}).get("ResourcePolicy") or None
    return told.record()


def _database(kind: str, operation: Operation, name: str) -> Describe:
    def describe(caller: Caller, _: str, item: Data) -> Record | None:
        told = _Told(item[name], kind, _only(item, "StorageEncrypted", "StorageEncryptionType", "KmsKeyId"))
        tags = item.get("TagList")
        if tags is None:
            tags = (_asked(caller, told, TAGS, LIST_DB_TAGS, ResourceName=told.arn) or {}).get("TagList")
        told.tags = list(tags or ())
        return _keyed(caller, told, operation, item["StorageEncrypted"])

    return describe


def _volume(caller: Caller, partition: str, volume: Data) -> Record | None:
    arn = f"arn:{partition}:ec2:{caller.region}:{caller.account}:volume/{volume['VolumeId']}"
    told = _Told(arn, "AWS::EC2::Volume", _only(volume, "Encrypted", "SseType", "KmsKeyId"), volume.get("Tags") or [])
    return _keyed(caller, told, DESCRIBE_VOLUMES, volume["Encrypted"])


def _table(caller: Caller, partition: str, name: str) -> Record | None:
    arn = f"arn:{partition}:dynamodb:{caller.region}:{caller.account}:table/{name}"
    told = _Told(arn, "AWS::DynamoDB::Table")
    found = _asked(caller, told, ENCRYPTION, DESCRIBE_TABLE, TableName=name)
    described = (found["Table"].get("SSEDescription") if found else None) or {}
    told.encryption = _only(described, "Status", "SSEType", "KMSMasterKeyArn")
    if described and described.get("Status") not in OFF and not described.get("KMSMasterKeyArn"):
        caller.note(KEYLESS, Fact.RESOURCES, DESCRIBE_TABLE, arn)
        told.unread.add(ENCRYPTION)
    tags = caller.ask_pages(LIST_TABLE_TAGS, Fact.RESOURCES, arn, ResourceArn=arn)
    told.tags = list(tags.items)
    told.unread |= set() if tags.complete else {TAGS}
    return told.record()


def _file_system(caller: Caller, partition: str, item: Data) -> Record | None:
    place = f"arn:{partition}:elasticfilesystem:{caller.region}:{caller.account}"
    arn = f"{place}:file-system/{item['FileSystemId']}"
    told = _Told(arn, "AWS::EFS::FileSystem", _only(item, "Encrypted", "KmsKeyId"), item["Tags"])
    return _keyed(caller, told, DESCRIBE_FILE_SYSTEMS, item["Encrypted"])


SOURCES = (
    Source(LIST_BUCKETS, _bucket),
    Source(LIST_QUEUES, _queue),
    Source(LIST_TOPICS, _topic),
    Source(LIST_SECRETS, _secret),
    Source(DESCRIBE_DB_INSTANCES, _database("AWS::RDS::DBInstance", DESCRIBE_DB_INSTANCES, "DBInstanceArn")),
    Source(DESCRIBE_DB_CLUSTERS, _database("AWS::RDS::DBCluster", DESCRIBE_DB_CLUSTERS, "DBClusterArn")),
    Source(DESCRIBE_VOLUMES, _volume),
    Source(LIST_TABLES, _table),
    Source(DESCRIBE_FILE_SYSTEMS, _file_system),
)
"""The kinds of resources that are read."""

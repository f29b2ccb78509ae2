"""The AWS operations that read what is encrypted in other services, as data; part of the table in ``operations``.

All are read-only, and none of them reads what is stored: no object, message, item or secret value.
"""

from __future__ import annotations

from auditor.collectors.operation import Need, Operation


def _list(
    service: str, name: str, items: str, size: int | None = None, needs: tuple[str, ...] = (), told_by: str = ""
) -> Operation:
    return Operation(
        service=service,
        name=name,
        need=Need.RESOURCES,
        items=items,
        page_size=size,
        must=(items,),
        needs=tuple(f"{items}.{need}" for need in needs),
        identity={items: told_by} if told_by else {},
    )


def _get(service: str, name: str, *needs: str, must: str = "", permit: str = "") -> Operation:
    return Operation(
        service=service,
        name=name,
        need=Need.RESOURCES,
        permit=permit,
        must=(must,) if must else (),
        needs=needs,
    )


LIST_BUCKETS = Operation(
    service="s3",
    name="ListBuckets",
    permit="ListAllMyBuckets",
    need=Need.RESOURCES,
    items="Buckets",
    page_size=1000,
    must=("Buckets",),
    needs=("Buckets.Name",),
    identity={"Buckets": "Name"},
)
_RULES = "ServerSideEncryptionConfiguration.Rules"
GET_BUCKET_ENCRYPTION = _get(
    "s3",
    "GetBucketEncryption",
    _RULES,
    f"{_RULES}.ApplyServerSideEncryptionByDefault",
    f"{_RULES}.ApplyServerSideEncryptionByDefault.SSEAlgorithm",
    must="ServerSideEncryptionConfiguration",
    permit="GetEncryptionConfiguration",
)
GET_BUCKET_TAGGING = _get("s3", "GetBucketTagging", "TagSet.Key", "TagSet.Value", must="TagSet")
GET_BUCKET_POLICY = _get("s3", "GetBucketPolicy", "Policy", must="Policy")

LIST_QUEUES = Operation(
    service="sqs",
    name="ListQueues",
    need=Need.RESOURCES,
    items="QueueUrls",
    page_size=1000,
    must=("QueueUrls",),
    bare=True,
)
GET_QUEUE_ATTRIBUTES = _get("sqs", "GetQueueAttributes", "Attributes.QueueArn", must="Attributes")
LIST_QUEUE_TAGS = Operation(service="sqs", name="ListQueueTags", need=Need.RESOURCES, must=("Tags",), bare=True)

LIST_TOPICS = _list("sns", "ListTopics", "Topics", needs=("TopicArn",), told_by="TopicArn")
GET_TOPIC_ATTRIBUTES = _get("sns", "GetTopicAttributes", "Attributes.TopicArn", "Attributes.Policy", must="Attributes")
LIST_TOPIC_TAGS = _get("sns", "ListTagsForResource", "Tags.Key", "Tags.Value")

LIST_SECRETS = _list(
    "secretsmanager", "ListSecrets", "SecretList", 100, needs=("ARN", "Name", "Tags.Key", "Tags.Value"), told_by="ARN"
)
GET_SECRET_POLICY = _get("secretsmanager", "GetResourcePolicy", must="ARN")

_STORED = ("StorageEncrypted", "TagList.Key", "TagList.Value")
DESCRIBE_DB_INSTANCES = _list(
    "rds", "DescribeDBInstances", "DBInstances", 100, needs=("DBInstanceArn", *_STORED), told_by="DBInstanceArn"
)
DESCRIBE_DB_CLUSTERS = _list(
    "rds", "DescribeDBClusters", "DBClusters", 100, needs=("DBClusterArn", *_STORED), told_by="DBClusterArn"
)
LIST_DB_TAGS = _get("rds", "ListTagsForResource", "TagList.Key", "TagList.Value")

DESCRIBE_VOLUMES = _list(
    "ec2",
    "DescribeVolumes",
    "Volumes",
    500,
    needs=("VolumeId", "Encrypted", "Tags.Key", "Tags.Value"),
    told_by="VolumeId",
)

LIST_TABLES = _list("dynamodb", "ListTables", "TableNames", 100)
DESCRIBE_TABLE = _get("dynamodb", "DescribeTable", "Table.TableArn", must="Table")
LIST_TABLE_TAGS = Operation(
    service="dynamodb",
    name="ListTagsOfResource",
    need=Need.RESOURCES,
    items="Tags",
    must=("Tags",),
    needs=("Tags.Key", "Tags.Value"),
    identity={"Tags": "Key"},
    bare=True,
)

DESCRIBE_FILE_SYSTEMS = Operation(
    service="efs",
    name="DescribeFileSystems",
    prefix="elasticfilesystem",
    need=Need.RESOURCES,
    items="FileSystems",
    page_size=100,
    must=("FileSystems",),
    needs=tuple(f"FileSystems.{name}" for name in ("FileSystemId", "Encrypted", "Tags", "Tags.Key", "Tags.Value")),
    identity={"FileSystems": "FileSystemId"},
)

RESOURCE_OPERATIONS: tuple[Operation, ...] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Operation)
)
"""Every operation above."""

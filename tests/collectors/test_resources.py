"""The inventory of encrypted resources: every kind is told with its key, and what could not be read is never “none”."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from auditor.model.key import Fact
from auditor.model.resource import Encryption, Resource
from tests.aws.breaking import QUICK
from tests.aws.collecting import Found, collected
from tests.aws.serial import spelt
from tests.aws.wire import Call, error_answer
from tests.aws.written import MANAGEMENT, REGION
from tests.aws.written_resources import RESTRICTED, customer_key
from tests.aws.written_server import Wire, WithoutKeys

PLACE = f"{REGION}:{MANAGEMENT}"
BUCKET = "arn:aws:s3:::ledger"
QUEUE = f"arn:aws:sqs:{PLACE}:jobs"
TOPIC = f"arn:aws:sns:{PLACE}:news"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/carts"
VOLUME = f"arn:aws:ec2:{PLACE}:volume/vol-1"
CLUSTER = f"arn:aws:rds:{PLACE}:cluster:shop"
CLASS = (("data-class", "restricted"),)
OWN = customer_key(MANAGEMENT)
Data = dict[str, Any]
Reply = str | Data | Callable[[Call], Data]


class Served(WithoutKeys):
    """The account without its keys, which are nothing to this file. ``replies``: an error code, or another answer."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: dict[str, Reply] = {}
        self.garble = self._reply

    def _reply(self, call: Call, asked: Data, good: Wire) -> Wire | None:
        reply = self.replies.get(call.action)
        if reply is None:
            return None
        if isinstance(reply, str):
            return error_answer(call, reply, "no", 404 if reply.startswith("NoSuch") else 400)
        kind, body = spelt(call.service, call.operation, reply(call) if callable(reply) else reply)
        return 200, {"Content-Type": kind}, body

    def made(self, action: str) -> list[Call]:
        return [call for call in self.calls if call.action == action]


pytestmark = pytest.mark.usefixtures("local_credentials")


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with Served() as served:
        yield served


@pytest.fixture
def aws(server: Served) -> Served:
    server.replies = {}
    server.calls.clear()
    return server


def read(aws: Served, **options: object) -> Found:
    return collected(aws, **{**QUICK, "org": False, "role_name": None, "resources": True, **options})


def by_arn(found: Found) -> dict[str, Resource]:
    return {item.arn: item for item in found.snapshot.evidence.resources}


def gaps(found: Found) -> set[tuple[str, str, str]]:
    assert {(gap.fact, gap.region) for gap in found.snapshot.gaps} <= {(Fact.RESOURCES, REGION)}
    return {(gap.operation, gap.subject, gap.code) for gap in found.snapshot.gaps}


def test_every_kind_is_told_with_its_key(aws: Served) -> None:
    found = read(aws)
    assert {item.kind: (item.encryption, item.key, item.tags) for item in found.snapshot.evidence.resources} == {
        "AWS::S3::Bucket": (Encryption.KMS, "alias/aws/s3", CLASS),
        "AWS::SQS::Queue": (Encryption.KMS, OWN, CLASS),
        "AWS::SNS::Topic": (Encryption.KMS, "alias/aws/sns", CLASS),
        "AWS::SecretsManager::Secret": (Encryption.KMS, "alias/aws/secretsmanager", CLASS),
        "AWS::RDS::DBInstance": (Encryption.KMS, OWN, CLASS),
        "AWS::RDS::DBCluster": (Encryption.KMS, OWN, CLASS),
        "AWS::EC2::Volume": (Encryption.KMS, OWN, ()),
        "AWS::DynamoDB::Table": (Encryption.KMS, OWN, CLASS),
        "AWS::EFS::FileSystem": (Encryption.KMS, OWN, CLASS),
    }
    assert gaps(found) == set()
    evidence = found.snapshot.evidence
    assert evidence.read(Fact.RESOURCES, MANAGEMENT, REGION)
    assert "resources" in found.snapshot.provenance.scope.filters
    assert {item.arn for item in evidence.resources if item.policy is not None} == {BUCKET, TOPIC}
    assert {(item.account, item.region) for item in evidence.resources} == {(MANAGEMENT, REGION)}
    assert "Approximate" not in str(found.shards) and found.shards == read(aws, max_workers=1).shards


def test_it_is_not_asked_for_without_the_option(aws: Served) -> None:
    found = read(aws, resources=False)
    assert {call.service for call in aws.calls} <= {"kms", "iam", "sts", "organizations", "account", "ec2"}
    assert found.snapshot.evidence.resources == ()
    assert not [fact for fact, *_ in found.snapshot.evidence.asked if fact is Fact.RESOURCES]


def test_an_account_without_any_has_none_and_no_gap(aws: Served) -> None:
    empty = {
        "s3:ListBuckets": "Buckets",
        "sns:ListTopics": "Topics",
        "secretsmanager:ListSecrets": "SecretList",
        "rds:DescribeDBInstances": "DBInstances",
        "rds:DescribeDBClusters": "DBClusters",
        "ec2:DescribeVolumes": "Volumes",
        "dynamodb:ListTables": "TableNames",
        "elasticfilesystem:DescribeFileSystems": "FileSystems",
    }
    aws.replies = {"sqs:ListQueues": {}, **{action: {name: []} for action, name in empty.items()}}
    found = read(aws)
    assert found.snapshot.evidence.resources == () and gaps(found) == set()
    assert found.snapshot.evidence.read(Fact.RESOURCES, MANAGEMENT, REGION)


def test_nothing_said_of_a_resource_is_what_its_service_does_by_itself(aws: Served) -> None:
    bare = {"DBClusterArn": CLUSTER, "StorageEncrypted": False, "TagList": []}
    aws.replies = {
        "s3:GetBucketEncryption": "ServerSideEncryptionConfigurationNotFoundError",
        "s3:GetBucketTagging": "NoSuchTagSet",
        "s3:GetBucketPolicy": "NoSuchBucketPolicy",
        "sqs:GetQueueAttributes": {"Attributes": {"QueueArn": QUEUE}},
        "sqs:ListQueueTags": {},
        "sns:GetTopicAttributes": {"Attributes": {"TopicArn": TOPIC, "Policy": '{"Statement": []}'}},
        "sns:ListTagsForResource": {"Tags": []},
        "dynamodb:DescribeTable": {"Table": {"TableArn": TABLE}},
        "dynamodb:ListTagsOfResource": {},
        "ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": False}]},
        "rds:DescribeDBClusters": {"DBClusters": [bare]},
    }
    found = read(aws)
    assert gaps(found) == set()
    told = by_arn(found)
    of = {arn: (told[arn].encryption, told[arn].key, told[arn].tags) for arn in aws_resources()}
    owned, none = (Encryption.SERVICE_OWNED, None, ()), (Encryption.NONE, None, ())
    assert of == {BUCKET: owned, TABLE: owned, QUEUE: none, TOPIC: none, VOLUME: none, CLUSTER: none}
    assert told[BUCKET].policy is None and told[BUCKET].policy_read


def test_a_resource_policy_that_nobody_can_read_is_a_gap(aws: Served) -> None:
    aws.replies = {"s3:GetBucketPolicy": {"Policy": "<html>"}}
    found = read(aws)
    assert gaps(found) == {("", BUCKET, "Unreadable")}
    assert by_arn(found)[BUCKET].tags == CLASS


def aws_resources() -> tuple[str, ...]:
    return (BUCKET, TABLE, QUEUE, TOPIC, VOLUME, CLUSTER)


@pytest.mark.parametrize(
    ("action", "reply", "arn", "expected"),
    [
        ("sqs:GetQueueAttributes", {"Attributes": {"QueueArn": QUEUE, "SqsManagedSseEnabled": "true"}}, QUEUE, None),
        (
            "rds:DescribeDBClusters",
            {"DBClusters": [{"DBClusterArn": CLUSTER, "StorageEncrypted": False, "StorageEncryptionType": "sse-rds"}]},
            CLUSTER,
            None,
        ),
        (
            "s3:GetBucketEncryption",
            {
                "ServerSideEncryptionConfiguration": {
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                }
            },
            BUCKET,
            None,
        ),
        (
            "s3:GetBucketEncryption",
            {
                "ServerSideEncryptionConfiguration": {
                    "Rules": [
                        {
                            "ApplyServerSideEncryptionByDefault": {
                                "SSEAlgorithm": "aws:kms:dsse",
                                "KMSMasterKeyID": "alias/x",
                            }
                        }
                    ]
                }
            },
            BUCKET,
            "alias/x",
        ),
    ],
)
def test_keys_of_services_are_told_from_those_of_kms(
    aws: Served, action: str, reply: Data, arn: str, expected: str | None
) -> None:
    aws.replies = {action: reply}
    told = by_arn(read(aws))[arn]
    assert (told.encryption, told.key) == (Encryption.KMS if expected else Encryption.SERVICE_OWNED, expected)


@pytest.mark.parametrize(
    ("action", "permission", "lost"),
    [
        ("s3:ListBuckets", "s3:ListAllMyBuckets", "AWS::S3::Bucket"),
        ("sqs:ListQueues", "sqs:ListQueues", "AWS::SQS::Queue"),
        ("ec2:DescribeVolumes", "ec2:DescribeVolumes", "AWS::EC2::Volume"),
        ("elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeFileSystems", "AWS::EFS::FileSystem"),
    ],
)
def test_a_list_that_is_refused_is_a_gap_and_the_others_are_read(
    aws: Served, action: str, permission: str, lost: str
) -> None:
    aws.replies = {action: "AccessDenied"}
    found = read(aws)
    assert gaps(found) == {(permission, "", "AccessDenied")}
    (gap,) = found.snapshot.gaps
    assert permission in gap.remedy and "--resources" in gap.remedy and not gap.essential
    assert lost not in {item.kind for item in found.snapshot.evidence.resources}
    assert len(found.snapshot.evidence.resources) == 8
    assert not found.snapshot.evidence.read(Fact.RESOURCES, MANAGEMENT, REGION)


def test_what_a_bucket_does_not_tell_is_not_taken_for_nothing(aws: Served) -> None:
    permissions = {
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "GetBucketTagging": "GetBucketTagging",
        "GetBucketPolicy": "GetBucketPolicy",
    }
    aws.replies = {f"s3:{name}": "AccessDenied" for name in permissions}
    found = read(aws)
    assert gaps(found) == {(f"s3:{name}", BUCKET, "AccessDenied") for name in permissions.values()}
    bucket = by_arn(found)[BUCKET]
    assert (bucket.encryption, bucket.key, bucket.tags, bucket.policy) == (None, None, None, None)
    assert not bucket.policy_read


@pytest.mark.parametrize(("action", "arn"), [("sqs:GetQueueAttributes", QUEUE), ("sns:GetTopicAttributes", TOPIC)])
def test_attributes_that_are_refused_leave_key_and_policy_unknown(aws: Served, action: str, arn: str) -> None:
    aws.replies = {action: "AccessDenied"}
    found = read(aws)
    assert gaps(found) == {(action, arn, "AccessDenied")}
    told = by_arn(found)[arn]
    assert (told.encryption, told.tags, told.policy_read) == (None, CLASS, False)


def test_tags_that_are_refused_are_unknown(aws: Served) -> None:
    aws.replies = {"dynamodb:ListTagsOfResource": "AccessDenied", "sqs:ListQueueTags": "AccessDenied"}
    told = by_arn(read(aws))
    assert (told[TABLE].tags, told[QUEUE].tags) == (None, None)
    assert told[TABLE].encryption is Encryption.KMS


def test_throttling_without_an_end_is_a_gap(aws: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.collectors.caller.PAUSES", ())
    aws.replies = {"sqs:GetQueueAttributes": "ThrottlingException", "s3:GetBucketPolicy": "SlowDown"}
    assert gaps(read(aws)) == {
        ("sqs:GetQueueAttributes", QUEUE, "Throttled"),
        ("s3:GetBucketPolicy", BUCKET, "Throttled"),
    }


def test_a_bucket_that_went_meanwhile_is_a_gap_and_no_open_bucket(aws: Served) -> None:
    aws.replies = dict.fromkeys(("s3:GetBucketEncryption", "s3:GetBucketTagging", "s3:GetBucketPolicy"), "NoSuchBucket")
    found = read(aws)
    assert {code for _, _, code in gaps(found)} == {"NotFound"}
    assert by_arn(found)[BUCKET].encryption is None


def test_half_of_a_list_of_queues_is_not_an_empty_one(aws: Served) -> None:
    def half(call: Call, _: Data, good: Wire) -> Wire | None:
        return (good[0], good[1], good[2][: len(good[2]) // 2]) if call.action == "sqs:ListQueues" else None

    aws.garble = half
    found = read(aws)
    aws.garble = aws._reply
    assert gaps(found) == {("sqs:ListQueues", "", "IncompleteAnswer")}


def test_a_database_without_its_tags_is_asked_for_them(aws: Served) -> None:
    aws.replies = {"rds:DescribeDBClusters": {"DBClusters": [{"DBClusterArn": CLUSTER, "StorageEncrypted": False}]}}
    assert by_arn(read(aws))[CLUSTER].tags == CLASS
    aws.replies["rds:ListTagsForResource"] = "AccessDenied"
    assert by_arn(read(aws))[CLUSTER].tags is None
    assert len(aws.made("rds:ListTagsForResource")) == 2


def test_an_encrypted_volume_without_a_key_is_a_gap(aws: Served) -> None:
    aws.replies = {"ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": True}]}}
    found = read(aws)
    assert gaps(found) == {("ec2:DescribeVolumes", VOLUME, "IncompleteAnswer")}
    assert by_arn(found)[VOLUME].encryption is None


def test_buckets_of_another_region_belong_there(aws: Served) -> None:
    buckets = [{"Name": "ledger", "BucketRegion": REGION}, {"Name": "far", "BucketRegion": "us-east-1"}]
    aws.replies = {"s3:ListBuckets": {"Buckets": buckets}}
    assert [arn for arn in by_arn(read(aws)) if "s3" in arn] == [BUCKET]
    (asked,) = aws.made("s3:ListBuckets")
    assert parse_qs(asked.path.partition("?")[2])["bucket-region"] == [REGION]


def test_an_sdk_that_cannot_list_the_buckets_of_a_region_leaves_a_gap(
    aws: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.collectors.resources._parameters", lambda client: ())
    assert gaps(read(aws)) == {("s3:ListAllMyBuckets", "", "NotSupported")}


def _topics(call: Call) -> Data:
    second = b"NextToken" in call.body
    return {"Topics": [{"TopicArn": TOPIC}]} if second else {"Topics": [], "NextToken": "more"}


def _tables(call: Call) -> Data:
    second = "ExclusiveStartTableName" in json.loads(call.body)
    return {"TableNames": ["carts"]} if second else {"TableNames": [], "LastEvaluatedTableName": "before"}


def _buckets(call: Call) -> Data:
    second = "continuation-token" in call.path
    return {"Buckets": [{"Name": "ledger"}]} if second else {"Buckets": [], "ContinuationToken": "more"}


def _file_systems(call: Call) -> Data:
    """EFS tells the marker that it was asked for with, also on the last page."""
    marker = parse_qs(call.path.partition("?")[2]).get("Marker", [""])[0]
    system = {"FileSystemId": "fs-2" if marker else "fs-1", "Encrypted": False, "Tags": RESTRICTED}
    return {"FileSystems": [system], **({"Marker": marker} if marker else {"NextMarker": "more"})}


def test_every_page_is_read(aws: Served) -> None:
    aws.replies = {
        "sns:ListTopics": _topics,
        "dynamodb:ListTables": _tables,
        "s3:ListBuckets": _buckets,
        "elasticfilesystem:DescribeFileSystems": _file_systems,
    }
    found = read(aws)
    assert gaps(found) == set()
    systems = {f"arn:aws:elasticfilesystem:{PLACE}:file-system/fs-{number}" for number in (1, 2)}
    assert {BUCKET, TOPIC, TABLE, *systems} <= by_arn(found).keys()
    assert all(len(aws.made(action)) == 2 for action in aws.replies)

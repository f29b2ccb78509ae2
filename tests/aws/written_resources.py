"""One encrypted resource of every kind in an account, as the answers of the calls that read them."""

from __future__ import annotations

import json
from typing import Any

from tests.aws.wire import Call

REGION = "eu-central-1"
OTHER = "999999999999"
RESTRICTED = [{"Key": "data-class", "Value": "restricted"}]
SERVICES = frozenset(
    {"s3", "sqs", "sns", "secretsmanager", "rds", "dynamodb", "elasticfilesystem"} | {"ec2:DescribeVolumes"}
)
"""Services, and single actions, that are answered here."""
Answer = dict[str, Any]


def customer_key(account: str) -> str:
    """The ARN of the key that some of the resources name."""
    return f"arn:aws:kms:{REGION}:{account}:key/11111111-0000-0000-0000-000000000000"


def shared(resource: str, action: str) -> str:
    """A resource policy that lets another account do something."""
    who = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    allow = {"Effect": "Allow", "Principal": who, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def answer(call: Call) -> Answer:
    """What boto3 would return."""
    account = call.account
    place, key = f"{REGION}:{account}", customer_key(account)
    topic, secret = f"arn:aws:sns:{place}:news", f"arn:aws:secretsmanager:{place}:secret:login-abcdef"
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    stored = {"StorageEncrypted": True, "KmsKeyId": key, "TagList": RESTRICTED}
    table = {"TableName": "carts", "TableArn": f"arn:aws:dynamodb:{place}:table/carts"}
    answers: dict[str, Answer] = {
        "s3:ListBuckets": {"Buckets": [{"Name": "ledger", "BucketRegion": REGION}]},
        "s3:GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}},
        "s3:GetBucketTagging": {"TagSet": RESTRICTED},
        "s3:GetBucketPolicy": {"Policy": shared("arn:aws:s3:::ledger/*", "s3:GetObject")},
        "sqs:ListQueues": {"QueueUrls": [f"https://sqs.{REGION}.amazonaws.com/{account}/jobs"]},
        "sqs:GetQueueAttributes": {
            "Attributes": {
                "QueueArn": f"arn:aws:sqs:{place}:jobs",
                "KmsMasterKeyId": key,
                "SqsManagedSseEnabled": "false",
                "ApproximateNumberOfMessages": "5",
            }
        },
        "sqs:ListQueueTags": {"Tags": {"data-class": "restricted"}},
        "sns:ListTopics": {"Topics": [{"TopicArn": topic}]},
        "sns:GetTopicAttributes": {
            "Attributes": {"TopicArn": topic, "KmsMasterKeyId": "alias/aws/sns", "Policy": shared(topic, "sns:Publish")}
        },
        "sns:ListTagsForResource": {"Tags": RESTRICTED},
        "secretsmanager:ListSecrets": {"SecretList": [{"ARN": secret, "Name": "login", "Tags": RESTRICTED}]},
        "secretsmanager:GetResourcePolicy": {"ARN": secret, "Name": "login"},
        "rds:DescribeDBInstances": {"DBInstances": [{"DBInstanceArn": f"arn:aws:rds:{place}:db:orders", **stored}]},
        "rds:DescribeDBClusters": {"DBClusters": [{"DBClusterArn": f"arn:aws:rds:{place}:cluster:shop", **stored}]},
        "rds:ListTagsForResource": {"TagList": RESTRICTED},
        "ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": True, "KmsKeyId": key}]},
        "dynamodb:ListTables": {"TableNames": ["carts"]},
        "dynamodb:DescribeTable": {
            "Table": {**table, "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}}
        },
        "dynamodb:ListTagsOfResource": {"Tags": RESTRICTED},
        "elasticfilesystem:DescribeFileSystems": {
            "FileSystems": [{"FileSystemId": "fs-1", "Encrypted": True, "KmsKeyId": key, "Tags": RESTRICTED}]
        },
    }
    return answers[call.action]

"""One resource of every kind that holds data, put into moto through boto3; one of them may be shared and restricted."""

from __future__ import annotations

import json

from tests.aws.estate import Account

OTHER = "444455556666"
RESTRICTED = {"Key": "data-class", "Value": "restricted"}


def fill_resources(account: Account, key: str) -> None:
    """``key`` is the ARN of the customer managed key that some of them name; a bucket takes that of AWS for S3."""
    _bucket(account)
    sqs, sns, secrets = account.client("sqs"), account.client("sns"), account.client("secretsmanager")
    sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key}, tags={"data-class": "restricted"})
    sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": "alias/aws/sns"}, Tags=[RESTRICTED])
    secrets.create_secret(Name="login", SecretString="x", Tags=[RESTRICTED])
    account.client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        StorageEncrypted=True,
        KmsKeyId=key,
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
        AllocatedStorage=20,
    )
    account.client("ec2").create_volume(AvailabilityZone="eu-central-1a", Size=1, Encrypted=True)
    account.client("dynamodb").create_table(
        TableName="carts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    account.client("efs").create_file_system(CreationToken="home", Encrypted=True, KmsKeyId=key)


def _bucket(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="ledger", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(Bucket="ledger", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_tagging(Bucket="ledger", Tagging={"TagSet": [RESTRICTED]})
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::ledger/*",
    }
    s3.put_bucket_policy(Bucket="ledger", Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))

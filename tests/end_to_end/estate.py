"""What somebody else put into the stand-in before the audit came: one organization of one account, two Regions."""

from __future__ import annotations

import json
from typing import Any

import boto3

ACCOUNT = "123456789012"
REGIONS = ("eu-central-1", "us-east-1")
LAMBDA = {"Service": "lambda.amazonaws.com"}


def fill(url: str) -> dict[str, str]:
    """Fills the account; returns the ARNs of its keys by name."""

    def client(service: str, region: str = REGIONS[0]) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=url,
            aws_access_key_id="AKIATESTTESTTESTTEST",
            aws_secret_access_key="test",
        )

    _identities(client("iam"))
    _organization(client("organizations"))
    kms, far = client("kms"), client("kms", REGIONS[1])
    keys = {
        "ledger": _key(kms, "ledger", _policy("reader")),
        "open": _key(kms, "open", _policy("*")),
        "far": _key(far, "far", None),
    }
    _resources(client("s3"), client("sqs"), keys["ledger"])
    reader = f"arn:aws:iam::{ACCOUNT}:role/reader"
    far.create_grant(KeyId=keys["far"], GranteePrincipal=reader, Operations=["Decrypt"], Name="import")
    return keys


def _key(kms: Any, name: str, policy: dict[str, object] | None) -> str:
    chosen = {"Policy": json.dumps(policy)} if policy else {}
    arn: str = kms.create_key(Description=name, **chosen)["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=arn)
    return arn


def _policy(reader: str) -> dict[str, object]:
    who = "*" if reader == "*" else f"arn:aws:iam::{ACCOUNT}:role/{reader}"
    allow = {"Effect": "Allow", "Resource": "*"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {**allow, "Sid": "Account", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"},
            {**allow, "Sid": "Reader", "Principal": {"AWS": who}, "Action": ["kms:Decrypt", "kms:DescribeKey"]},
        ],
    }


def _identities(iam: Any) -> None:
    trust = {"Effect": "Allow", "Principal": LAMBDA, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for name in ("reader", "bystander", "deployer"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    deploy = {"Effect": "Allow", "Action": ["iam:PassRole", "lambda:CreateFunction"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="deployer",
        PolicyName="deploy",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": deploy}),
    )
    iam.create_user(UserName="admin")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_user_policy(
        UserName="admin",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": everything}),
    )


def _resources(s3: Any, sqs: Any, key: str) -> None:
    """A bucket and a queue of the strictest class, each under another key."""
    s3.create_bucket(Bucket="statements", CreateBucketConfiguration={"LocationConstraint": REGIONS[0]})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(Bucket="statements", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_tagging(Bucket="statements", Tagging={"TagSet": [{"Key": "data-class", "Value": "restricted"}]})
    sqs.create_queue(QueueName="payments", Attributes={"KmsMasterKeyId": key}, tags={"data-class": "restricted"})


def _organization(organizations: Any) -> None:
    organizations.create_organization(FeatureSet="ALL")

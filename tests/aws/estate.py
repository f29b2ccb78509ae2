"""A small account for tests, and an organization of any size, both built through boto3."""

from __future__ import annotations

import json
from dataclasses import dataclass

import boto3
from botocore.config import Config

OPEN = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
QUIET = Config(retries={"mode": "standard", "total_max_attempts": 1})


@dataclass
class Account:
    """Clients of one account at an endpoint."""

    url: str
    credentials: dict[str, str]

    def client(self, service: str, region: str = "eu-central-1"):
        return boto3.client(service, region_name=region, endpoint_url=self.url, config=QUIET, **self.credentials)


def management(url: str) -> Account:
    return Account(url, {"aws_access_key_id": "test", "aws_secret_access_key": "test"})


def member(url: str, account: str) -> Account:
    sts = management(url).client("sts")
    answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/setup", RoleSessionName="setup")["Credentials"]
    return Account(
        url,
        {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        },
    )


def fill(account: Account, region: str = "eu-central-1", keys: int = 3) -> list[str]:
    """Keys with alias, tags and grants; returns their ids."""
    kms = account.client("kms", region)
    found = []
    for number in range(keys):
        tags = [{"TagKey": f"tag{index}", "TagValue": "value"} for index in range(3)]
        key_id = kms.create_key(Description=f"key {number}", Tags=tags)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/app-{number}", TargetKeyId=key_id)
        for grantee in ("one", "two", "three"):
            kms.create_grant(
                KeyId=key_id,
                GranteePrincipal=f"arn:aws:iam::123456789012:role/{grantee}",
                Operations=["Decrypt", "DescribeKey"],
                Constraints={"EncryptionContextSubset": {"app": "web"}},
            )
        found.append(key_id)
    return found


def fill_iam(account: Account) -> None:
    """A user in a group, roles with inline, managed and boundary policies."""
    iam = account.client("iam")
    policy = iam.create_policy(PolicyName="use-keys", PolicyDocument=OPEN)["Policy"]["Arn"]
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=OPEN)["Policy"]["Arn"]
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="team-keys", PolicyDocument=OPEN)
    iam.create_user(UserName="ada")
    iam.add_user_to_group(GroupName="team", UserName="ada")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=limit)
    iam.attach_role_policy(RoleName="app", PolicyArn=policy)
    iam.put_role_policy(RoleName="app", PolicyName="inline", PolicyDocument=OPEN)


def fill_organization(url: str, members: int) -> list[str]:
    """An organization with nested units; returns the member account ids."""
    client = management(url).client("organizations", "us-east-1")
    client.create_organization(FeatureSet="ALL")
    root = client.get_paginator("list_roots").paginate().build_full_result()["Roots"][0]["Id"]
    client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    unit = client.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
    nested = client.create_organizational_unit(ParentId=unit, Name="production")["OrganizationalUnit"]["Id"]
    policy = client.create_policy(Content=OPEN, Description="d", Name="guard", Type="SERVICE_CONTROL_POLICY")["Policy"][
        "PolicySummary"
    ]["Id"]
    client.attach_policy(PolicyId=policy, TargetId=nested)
    found = []
    for number in range(members):
        status = client.create_account(AccountName=f"member-{number}", Email=f"m{number}@example.com")
        account = status["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=nested if number % 2 else unit)
        found.append(account)
    return found

"""The fictional organization has what it promises, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from auditor.demo import DemoOrganization, demo_organization
from auditor.demo.accounts import MEMBERS
from auditor.errors import KmsAuditError


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoOrganization]:
    with demo_organization() as organization:
        yield organization


@cache
def session_of(url: str, account: str, role: str | None) -> boto3.Session:
    """Gets in as the audit does: the caller's key, then the read-only role."""
    if role is None:
        return boto3.Session()
    sts = boto3.client("sts", endpoint_url=url)
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="test")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def client(demo: DemoOrganization, service: str, account: str, region: str = "eu-central-1") -> Any:
    with demo.as_caller():
        role = None if account == demo.management_account else demo.role_name
        session = session_of(demo.endpoint_url, account, role)
        return session.client(service, region_name=region, endpoint_url=demo.endpoint_url)


def account_ids(demo: DemoOrganization) -> list[str]:
    return [demo.management_account, *(demo.accounts.named(member.key) for member in MEMBERS)]


def all_keys(demo: DemoOrganization) -> list[dict[str, Any]]:
    """Every key but the one that hides from the auditor."""
    found: list[dict[str, Any]] = []
    hidden: list[tuple[str, str]] = []
    for account in account_ids(demo):
        for region in demo.regions:
            kms = client(demo, "kms", account, region)
            for key in kms.list_keys()["Keys"]:
                try:
                    found.append(kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"])
                except ClientError as error:
                    hidden.append((key["KeyArn"], error.response["Error"]["Code"]))
    assert [code for _, code in hidden] == ["AccessDeniedException"]
    return found


def test_tree_has_nested_units_and_six_accounts(demo: DemoOrganization) -> None:
    organizations = client(demo, "organizations", demo.management_account)
    accounts = organizations.list_accounts()["Accounts"]
    assert sorted(account["Id"] for account in accounts) == sorted(account_ids(demo))
    root = organizations.list_roots()["Roots"][0]["Id"]
    units = {
        unit["Name"]: unit["Id"]
        for unit in organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    }
    assert sorted(units) == ["Security", "Workloads"]
    below = organizations.list_organizational_units_for_parent(ParentId=units["Workloads"])["OrganizationalUnits"]
    assert sorted(unit["Name"] for unit in below) == ["Development", "Production"]


def test_guardrails_are_attached_at_four_levels(demo: DemoOrganization) -> None:
    organizations = client(demo, "organizations", demo.management_account)
    kinds = set()
    for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        for policy in organizations.list_policies(Filter=kind)["Policies"]:
            if not policy["AwsManaged"]:
                for target in organizations.list_targets_for_policy(PolicyId=policy["Id"])["Targets"]:
                    kinds.add((kind.split("_")[0], target["Type"], target["Name"]))
    assert {name for _, _, name in kinds} >= {"Root", "Workloads", "Production", "Security"}
    assert {layer for layer, _, _ in kinds} == {"SERVICE", "RESOURCE"}
    assert any(place == "ACCOUNT" for _, place, _ in kinds)


def test_keys_cover_regions_kinds_and_states(demo: DemoOrganization) -> None:
    keys = all_keys(demo)
    assert len(keys) >= 35
    assert {key["Arn"].split(":")[3] for key in keys} == set(demo.regions)
    assert {key["AWSAccountId"] for key in keys} == set(account_ids(demo))
    assert {key["KeyState"] for key in keys} == {"Enabled", "Disabled", "PendingDeletion"}
    assert {key["KeySpec"] for key in keys} == {"SYMMETRIC_DEFAULT", "RSA_3072", "HMAC_256", "ECC_NIST_P256"}
    assert {key["Origin"] for key in keys} == {"AWS_KMS", "EXTERNAL"}
    assert sum(key["MultiRegion"] for key in keys) == 6


def policy_of(demo: DemoOrganization, account: str, region: str, alias: str) -> dict[str, Any]:
    kms = client(demo, "kms", account, region)
    key = kms.describe_key(KeyId=f"alias/{alias}")["KeyMetadata"]["KeyId"]
    policy: dict[str, Any] = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    return policy


def test_securecart_key_carries_the_guide_s_policy(demo: DemoOrganization) -> None:
    policy = policy_of(demo, demo.management_account, "us-east-1", "securecart-payment-key")
    assert policy["Id"] == "SecureCartKeyPolicy"
    assert policy["Statement"][1]["Action"] == ["kms:DeleteKey"]
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/securecart-lambda"}


def test_misspelt_statement_survives(demo: DemoOrganization) -> None:
    statement = policy_of(demo, demo.management_account, "us-east-1", "shop-secrets")["Statement"][1]
    assert {"Pricipal", "Actions"} <= statement.keys()
    assert not {"Principal", "Action"} & statement.keys()


def test_replica_has_its_own_policy(demo: DemoOrganization) -> None:
    here = policy_of(demo, demo.accounts.payments, "eu-central-1", "card-ledger")
    there = policy_of(demo, demo.accounts.payments, "eu-west-1", "card-ledger")
    assert "ledger-reports" in json.dumps(there)
    assert "ledger-reports" not in json.dumps(here)


def test_grants_reach_services_roles_and_a_stranger(demo: DemoOrganization) -> None:
    grantees = []
    for account in account_ids(demo):
        for region in demo.regions:
            kms = client(demo, "kms", account, region)
            for key in kms.list_keys()["Keys"]:
                grantees += [grant["GranteePrincipal"] for grant in kms.list_grants(KeyId=key["KeyId"])["Grants"]]
    assert "rds.amazonaws.com" in grantees
    assert "arn:aws:iam::999988887777:root" in grantees
    assert any("assumed-role/aws:ec2-infrastructure" in grantee for grantee in grantees)
    assert len(grantees) >= 10


def test_identities_have_a_boundary_groups_and_a_service_linked_role(demo: DemoOrganization) -> None:
    payments = client(demo, "iam", demo.accounts.payments).get_account_authorization_details()
    bounded = [role["RoleName"] for role in payments["RoleDetailList"] if "PermissionsBoundary" in role]
    assert bounded == ["team-tool"]
    shop = client(demo, "iam", demo.accounts.shop).get_account_authorization_details()
    assert {user["UserName"] for user in shop["UserDetailList"]} == {"legacy-checkout", "paula"}
    assert [group["GroupName"] for group in shop["GroupDetailList"]] == ["ShopAdministrators"]
    assert any(role["Path"].startswith("/aws-service-role/") for role in shop["RoleDetailList"])


def test_audit_role_exists_in_every_account(demo: DemoOrganization) -> None:
    for account in account_ids(demo):
        iam = client(demo, "iam", account)
        assert iam.get_role(RoleName=demo.role_name)["Role"]["Arn"] == f"arn:aws:iam::{account}:role/{demo.role_name}"


def test_organization_trail_leaves_kms_out(demo: DemoOrganization) -> None:
    trails = client(demo, "cloudtrail", demo.management_account)
    assert trails.get_trail_status(Name="organization-trail")["IsLogging"]
    selectors = trails.get_event_selectors(TrailName="organization-trail")["EventSelectors"]
    assert "kms.amazonaws.com" in selectors[0]["ExcludeManagementEventSources"]


def test_gateway_adds_what_moto_cannot_hold(demo: DemoOrganization) -> None:
    managed = [key for key in all_keys(demo) if key["KeyManager"] == "AWS"]
    assert len(managed) == 2
    payments = client(demo, "kms", demo.accounts.payments)
    imported = payments.describe_key(KeyId="alias/processor-import")["KeyMetadata"]
    assert imported["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert payments.describe_custom_key_stores()["CustomKeyStores"] == []
    analytics = client(demo, "kms", demo.accounts.analytics)
    lake = analytics.describe_key(KeyId="alias/data-lake")["KeyMetadata"]["KeyId"]
    assert analytics.get_key_rotation_status(KeyId=lake)["RotationPeriodInDays"] == 1095
    exports = analytics.describe_key(KeyId="alias/exports")["KeyMetadata"]["KeyId"]
    oldest = min(grant["CreationDate"] for grant in analytics.list_grants(KeyId=exports)["Grants"])
    assert oldest.year == 2022


def test_caller_environment_is_put_back(demo: DemoOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    before = dict(os.environ)
    with demo.as_caller():
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ACCESS_KEY_ID"] == demo.environment["AWS_ACCESS_KEY_ID"]
    assert dict(os.environ) == before


def test_missing_moto_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto.moto_server.werkzeug_app", None)
    with pytest.raises(KmsAuditError) as caught, demo_organization():
        pass
    assert 'pip install "kms-audit[demo]"' in caught.value.remedy
    assert 'pip install ".[demo]"' in caught.value.remedy


@pytest.mark.slow
def test_ids_repeat_and_server_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-does-not-exist")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "210987654321")
    seen = []
    for _ in range(2):
        with demo_organization() as organization:
            seen.append((organization.accounts, sorted(key["Arn"] for key in all_keys(organization))))
        port = int(organization.endpoint_url.rsplit(":", 1)[1])
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
            pass
    assert seen[0] == seen[1]
    assert os.environ["MOTO_ACCOUNT_ID"] == "210987654321"
